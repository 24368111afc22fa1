/** Shows and sets interfaces. KAME: ifconfig(8) of NetBSD, with its inet6 family. */
import * as Ip6 from '#stack/wire/address.ts';
import { formatMac, parseMac } from '#stack/wire/ethernet.ts';
import type { AddressInfo, AddressOptions, InterfaceInfo, Kernel } from '../system.ts';
import { formatAddress, parseAddress, parsePrefix } from './address-text.ts';
import { getopt, integer, ToolError, UsageError } from './options.ts';
import { tool } from './tool.ts';

const USAGE = `usage: ifconfig [-L] interface
       ifconfig [-L] -a [-u | -d]
       ifconfig -l
       ifconfig interface [inet6] [address[/prefixlen] [destination] [prefixlen n] [alias | -alias | delete] [anycast] [eui64]
                [pltime seconds] [vltime seconds]] [up | down] [mtu n] [lladdr mac]
`;

/** net/if.h. */
const IFF = [
  [0x1, 'UP'],
  [0x2, 'BROADCAST'],
  [0x8, 'LOOPBACK'],
  [0x10, 'POINTOPOINT'],
  [0x40, 'RUNNING'],
  [0x800, 'SIMPLEX'],
  [0x8000, 'MULTICAST'],
] as const;

const KIND_FLAGS = { ethernet: 0x8802, pointToPoint: 0x8010, loopback: 0x8008 } as const;
/** Infinite lifetime of in6_lifetime. */
const INFINITE = 'infty';

export const ifconfig = tool('ifconfig', USAGE, (system, argv) => {
  const kernel = system.kernel;
  const options = getopt(argv, 'aduLl');
  const [name, ...words] = options.operands;
  if (options.has('l')) {
    system.out(
      `${kernel
        .interfaces()
        .map((info) => info.name)
        .join(' ')}\n`,
    );
    return 0;
  }
  if (options.has('a')) {
    if (name !== undefined && name !== 'inet6') throw new UsageError('');
    for (const info of kernel.interfaces()) {
      if (options.has('u') && !info.up) continue;
      if (options.has('d') && info.up) continue;
      system.out(describe(info, options.has('L')));
    }
    return 0;
  }
  if (name === undefined) throw new UsageError('');
  const info = kernel.interface(name);
  if (words[0] === 'inet6') words.shift();
  if (words.length === 0) system.out(describe(info, options.has('L')));
  else change(kernel, info, words);
  return 0;
});

function change(kernel: Kernel, info: InterfaceInfo, words: string[]): void {
  const options: { -readonly [K in keyof AddressOptions]: AddressOptions[K] } = {};
  let target: ReturnType<typeof parsePrefix> | undefined;
  let prefixLength: number | undefined;
  let add = false;
  let remove = false;
  let upOrDown = false;
  const actions: (() => void)[] = [];
  while (words.length > 0) {
    const word = words.shift()!;
    const argument = (): string => {
      const next = words.shift();
      if (next === undefined) throw new UsageError(`'${word}' requires argument`);
      return next;
    };
    switch (word) {
      case 'up':
      case 'down':
        upOrDown = true;
        actions.push(() => kernel.setUp(info.name, word === 'up'));
        break;
      case 'mtu': {
        const mtu = integer(argument(), 'mtu', 1, 131_072);
        actions.push(() => kernel.setMtu(info.name, mtu));
        break;
      }
      case 'lladdr':
      case 'link':
      case 'ether': {
        const text = argument();
        const mac = parseMac(text);
        if (mac === undefined) throw new ToolError(`${text}: not a link-layer address`);
        actions.push(() => kernel.setLinkAddress(info.name, mac));
        break;
      }
      case 'prefixlen':
        prefixLength = integer(argument(), 'prefixlen', 0, 128);
        break;
      case 'alias':
      case 'add':
        add = true;
        break;
      case '-alias':
      case 'delete':
        remove = true;
        break;
      case 'anycast':
        options.anycast = true;
        break;
      case 'eui64':
        options.eui64 = true;
        break;
      case 'pltime':
        options.preferredLifetime = lifetime(argument(), word);
        break;
      case 'vltime':
        options.validLifetime = lifetime(argument(), word);
        break;
      default:
        if (target === undefined) target = parsePrefix(kernel, word);
        else if (info.kind === 'pointToPoint' && options.destination === undefined) {
          options.destination = parseAddress(kernel, word).address;
        } else throw new UsageError(`${word}: bad value`);
    }
  }
  if (target === undefined) {
    if (add || remove || prefixLength !== undefined || Object.keys(options).length > 0)
      throw new UsageError('no address given');
  } else {
    if (target.zone !== '' && target.zone !== info.name) {
      throw new ToolError(`${formatAddress(target)}: the zone is not ${info.name}`);
    }
    const { address } = target;
    const length = prefixLength ?? target.prefixLength ?? (options.destination === undefined ? 64 : 128);
    if (remove) actions.push(() => kernel.removeAddress(info.name, address));
    else {
      actions.push(() => {
        kernel.addAddress(info.name, address, length, options);
        // the first address brings a BSD interface up (SIOCSIFADDR)
        if (info.addresses.length === 0 && !upOrDown) kernel.setUp(info.name, true);
      });
    }
  }
  for (const action of actions) action();
}

function lifetime(text: string, what: string): number {
  return text === INFINITE ? Number.POSITIVE_INFINITY : integer(text, what);
}

export function describe(info: InterfaceInfo, lifetimes: boolean): string {
  let bits: number = KIND_FLAGS[info.kind];
  if (info.up) bits |= 0x1;
  if (info.up && info.running) bits |= 0x40;
  const names = IFF.filter(([bit]) => (bits & bit) !== 0).map(([, text]) => text);
  let text = `${info.name}: flags=${bits.toString(16)}<${names.join(',')}> mtu ${info.mtu}\n`;
  if (info.mac !== undefined) text += `\tether ${formatMac(info.mac)}\n`;
  for (const address of info.addresses) text += `\t${describeAddress(info, address, lifetimes)}\n`;
  if (info.kind !== 'loopback') text += `\tstatus: ${info.running ? 'active' : 'no carrier'}\n`;
  return text;
}

function describeAddress(info: InterfaceInfo, entry: AddressInfo, lifetimes: boolean): string {
  const zone = info.name;
  let text = `inet6 ${formatAddress({ address: entry.address, zone })}`;
  if (entry.destination !== undefined) text += ` --> ${formatAddress({ address: entry.destination, zone })}`;
  text += ` prefixlen ${entry.prefixLength}`;
  if (entry.anycast) text += ' anycast';
  if (entry.state !== 'preferred') text += ` ${entry.state}`;
  if (entry.autoconf) text += ' autoconf';
  if (entry.temporary) text += ' temporary';
  if (Ip6.isLinkLocal(Ip6.viewOf(entry.address), 0)) text += ` scopeid 0x${info.index.toString(16)}`;
  const finite = Number.isFinite(entry.validLifetime) || Number.isFinite(entry.preferredLifetime);
  if (lifetimes && finite) text += ` pltime ${seconds(entry.preferredLifetime)} vltime ${seconds(entry.validLifetime)}`;
  return text;
}

function seconds(left: number): string {
  return Number.isFinite(left) ? String(Math.max(0, Math.floor(left))) : INFINITE;
}
