/** Shows and sets what Neighbor Discovery knows. KAME: ndp(8); `-u` is the command that the KAME note 1.2 announces. */

import { Timer } from '#stack/env/clock.ts';
import * as Ip6 from '#stack/wire/address.ts';
import { parseMac } from '#stack/wire/ethernet.ts';
import type { Kernel, NdInterfaceInfo, NeighborInfo, NeighborState, ScopedAddress, System } from '../system.ts';
import { compareAddresses, formatAddress, formatPrefix, parseAddress } from './address-text.ts';
import { duration } from './duration.ts';
import { getopt, integer, ToolError, UsageError } from './options.ts';
import { later, tool } from './tool.ts';

const USAGE = `usage: ndp hostname
       ndp -a[nt] | -c[nt] | -p | -r
       ndp [-nt] -A wait
       ndp -d hostname
       ndp -s hostname ether_addr [temp] [proxy]
       ndp -i interface [[-]nud] [[-]disabled] [[-]accept_rtadv] [[-]prefer_source]
                        [basereachable=ms] [retrans=ms] [curhlim=n]
       ndp -I [interface | delete]
       ndp -u address [-C count] [-I interface]
`;

/** RFC 4861 10: MAX_NEIGHBOR_ADVERTISEMENT. */
const ADVERTISEMENTS = 3;

const LETTERS: Readonly<Record<NeighborState, string>> = {
  incomplete: 'I',
  reachable: 'R',
  stale: 'S',
  delay: 'D',
  probe: 'P',
  static: 'R',
};

export const ndp = tool('ndp', USAGE, (system, argv) => {
  const kernel = system.kernel;
  const options = getopt(argv, 'acprPRHntsdA:iIuC:');
  const operands = options.operands;
  const commands = [...'acprPRHsdAiu'].filter((letter) => options.has(letter));
  if (commands.length > 1) throw new UsageError(`-${commands[0]} and -${commands[1]} do not go together`);
  const stamp = options.has('t');
  switch (commands[0]) {
    case 'a':
      system.out(table(system, stamp));
      return 0;
    case 'A':
      return repeat(system, integer(options.value('A')!, 'wait', 1), stamp);
    case 'c':
      kernel.flushNeighbors();
      return 0;
    case 's':
      return setNeighbor(kernel, operands);
    case 'd': {
      if (operands.length !== 1) throw new UsageError('');
      const to = parseAddress(kernel, operands[0]!);
      kernel.deleteNeighbor(to);
      system.out(`${formatAddress(to)} deleted\n`);
      return 0;
    }
    case 'i':
      return nd(system, operands);
    case 'u':
      return advertise(kernel, options.has('I') ? ['-I', ...operands] : operands, options.value('C'));
    case 'p':
      system.out(prefixes(kernel));
      return 0;
    case 'r':
      // hosts learn routers from advertisements alone, and these are not taken
      return 0;
    case 'P':
    case 'R':
    case 'H':
      throw new ToolError(`-${commands[0]}: router advertisements are not taken by this node`);
    default:
      if (options.has('I')) return defaultInterface(system, operands);
      return one(system, operands);
  }
});

function setNeighbor(kernel: Kernel, [host, ether, ...words]: readonly string[]): number {
  if (host === undefined || ether === undefined) throw new UsageError('');
  const mac = parseMac(ether);
  if (mac === undefined) throw new ToolError(`${ether}: not a link-layer address`);
  const unknown = words.find((word) => word !== 'temp' && word !== 'proxy');
  if (unknown !== undefined) throw new UsageError(`${unknown}: not known`);
  const options = { temporary: words.includes('temp'), proxy: words.includes('proxy') };
  kernel.setNeighbor(parseAddress(kernel, host), mac, options);
  return 0;
}

function advertise(kernel: Kernel, words: readonly string[], given: string | undefined): number {
  // options may stand before the address and behind it
  const before = getopt(words, 'I:C:');
  const [host, ...rest] = before.operands;
  const behind = getopt(rest, 'I:C:');
  if (host === undefined || behind.operands.length > 0) throw new UsageError('');
  const option = (letter: string) => behind.value(letter) ?? before.value(letter);
  const count = integer(option('C') ?? given ?? String(ADVERTISEMENTS), 'count', 1, ADVERTISEMENTS);
  const name = option('I');
  const target = parseAddress(kernel, host);
  const wanted = name ?? target.zone;
  const owners = kernel
    .interfaces()
    .filter((info) => wanted === '' || info.name === wanted)
    .filter((info) => info.addresses.some(({ address }) => Ip6.equal(address, target.address)));
  if (wanted !== '') kernel.interface(wanted);
  if (owners.length === 0) throw new ToolError(`${formatAddress(target)}: not an address of ${wanted || 'this node'}`);
  for (const { name } of owners) kernel.advertise(name, target.address, count);
  return 0;
}

const FLAGS = {
  nud: 'nud',
  disabled: 'disabled',
  accept_rtadv: 'acceptRouterAdvertisements',
  prefer_source: 'preferSource',
} as const;
const NUMBERS = { basereachable: 'baseReachableTime', retrans: 'retransTimer', curhlim: 'hopLimit' } as const;

function nd(system: System, [name, ...words]: readonly string[]): number {
  if (name === undefined) throw new UsageError('');
  const change: { -readonly [K in keyof NdInterfaceInfo]?: NdInterfaceInfo[K] } = {};
  for (const word of words) {
    const flag = word.replace(/^-/, '');
    const [key, value] = word.split('=') as [string, string | undefined];
    if (Object.hasOwn(FLAGS, flag)) change[FLAGS[flag as keyof typeof FLAGS]] = flag === word;
    else if (Object.hasOwn(NUMBERS, key) && value !== undefined) {
      const field = NUMBERS[key as keyof typeof NUMBERS];
      change[field] = integer(value, key, field === 'hopLimit' ? 0 : 1, field === 'hopLimit' ? 255 : 0xffff_ffff);
    } else throw new UsageError(`${word}: not known`);
  }
  if (words.length > 0) system.kernel.setNd(name, change);
  else system.out(describeNd(system.kernel.nd(name), system.kernel.interface(name).mtu));
  return 0;
}

function describeNd(info: NdInterfaceInfo, maxMtu: number): string {
  const precise = (time: number): string => `${Math.floor(time / 1000)}s${Math.round(time % 1000)}ms`;
  const flags = (['disabled', 'nud', 'accept_rtadv', 'prefer_source'] as const).filter((flag) => info[FLAGS[flag]]);
  return (
    `linkmtu=${info.linkMtu}, maxmtu=${maxMtu}, curhlim=${info.hopLimit}, ` +
    `basereachable=${precise(info.baseReachableTime)}, reachable=${Math.floor(info.reachableTime / 1000)}s, ` +
    `retrans=${precise(info.retransTimer)}\n` +
    (flags.length === 0 ? '' : `Flags: ${flags.join(' ')}\n`)
  );
}

function defaultInterface(system: System, [name]: readonly string[]): number {
  const kernel = system.kernel;
  if (name === 'delete') kernel.setDefaultInterface('');
  else if (name !== undefined) kernel.setDefaultInterface(name);
  const now = kernel.defaultInterface();
  if (now === '') system.out('No default interface.\n');
  else system.out(`ND default interface = ${now}\n`);
  return 0;
}

function one(system: System, operands: readonly string[]): number {
  if (operands.length !== 1) throw new UsageError('');
  const to = parseAddress(system.kernel, operands[0]!);
  const rows = entries(system.kernel).filter(
    (entry) => Ip6.equal(entry.address, to.address) && (to.zone === '' || entry.interface === to.zone),
  );
  if (rows.length === 0) throw new ToolError(`${formatAddress(to)} -- no entry`);
  system.out(heading() + rows.map(row).join(''));
  return 0;
}

function repeat(system: System, wait: number, stamp: boolean): undefined {
  const timer = new Timer(() => later(system, 'ndp', show));
  const show = (): undefined => {
    system.out(`${table(system, stamp)}\n`);
    system.clock.arm(timer, wait * 1000);
  };
  system.onInterrupt(() => system.exit(0));
  show();
}

function table(system: System, stamp: boolean): string {
  const rows = entries(system.kernel).map(row);
  if (!stamp) return heading() + rows.join('');
  const time = new Date(system.date).toISOString().slice(11, 26).replace('Z', '');
  return rows.map((text) => `${time} ${text}`).join('');
}

function inOrder(a: NeighborInfo, b: NeighborInfo): number {
  return a.interface.localeCompare(b.interface) || compareAddresses(a.address, b.address);
}

/** The cache, and this node's own addresses, which BSD keeps as permanent entries. */
function entries(kernel: Kernel): NeighborInfo[] {
  const own = kernel
    .interfaces()
    .filter((info) => info.kind === 'ethernet' && info.up)
    .flatMap((info) =>
      info.addresses.map((entry) => ({
        address: entry.address,
        interface: info.name,
        linkAddress: info.mac,
        state: 'static' as const,
        router: false,
        proxy: false,
        expires: Number.POSITIVE_INFINITY,
        probes: 0,
      })),
    );
  return [...own, ...kernel.neighbors().sort(inOrder)];
}

function line(
  neighbor: string,
  mac: string,
  netif: string,
  expire: string,
  state: string,
  flags: string,
  probes: string,
) {
  const text =
    `${neighbor.padEnd(31)} ${mac.padEnd(17)} ${netif.padStart(6)} ` +
    `${expire.padEnd(9)} ${state.padStart(2)} ${flags.padStart(4)} ${probes.padStart(4)}`;
  return `${text.trimEnd()}\n`;
}

const heading = (): string => line('Neighbor', 'Linklayer Address', 'Netif', 'Expire', 'St', 'Flgs', 'Prbs');

function row(entry: NeighborInfo): string {
  const mac =
    entry.linkAddress === undefined
      ? '(incomplete)'
      : [...entry.linkAddress].map((byte) => byte.toString(16)).join(':');
  const address: ScopedAddress = { address: entry.address, zone: entry.interface };
  const expire =
    entry.expires === Number.POSITIVE_INFINITY ? 'permanent' : entry.expires <= 0 ? 'expired' : duration(entry.expires);
  const flags = (entry.router ? 'R' : '') + (entry.proxy ? 'p' : '');
  const probes = entry.probes > 0 ? String(entry.probes) : '';
  return line(formatAddress(address), mac, entry.interface, expire, LETTERS[entry.state], flags, probes);
}

/** On-link prefixes: those of addresses set by hand. */
function prefixes(kernel: Kernel): string {
  const seen = new Map<string, number>();
  for (const info of kernel.interfaces()) {
    if (info.kind === 'loopback') continue;
    for (const { address, prefixLength } of info.addresses) {
      const prefix = { address: Ip6.masked(address, prefixLength), zone: info.name };
      const text = `${formatPrefix(prefix, prefixLength)} if=${info.name}`;
      seen.set(text, (seen.get(text) ?? 0) + 1);
    }
  }
  return [...seen]
    .map(
      ([text, references]) =>
        `${text}\nflags=LO vltime=infinity, pltime=infinity, expire=Never, ref=${references}\n  No advertising router\n`,
    )
    .join('');
}
