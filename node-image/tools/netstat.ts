/** Statistics, routes, interfaces and groups. KAME: netstat(1) with inet6. */
import { type Protocol, sentence, text } from '#stack/counters.ts';
import * as Ip6 from '#stack/wire/address.ts';
import { formatMac } from '#stack/wire/ethernet.ts';
import type { Kernel, RouteInfo, System } from '../system.ts';
import { compareAddresses, formatAddress, formatPrefix } from './address-text.ts';
import { duration } from './duration.ts';
import { getopt, type Options, ToolError, UsageError } from './options.ts';
import { icmp6TypeName, nextHeaderName } from './protocol-names.ts';
import { tool } from './tool.ts';

const USAGE = `usage: netstat -s[s] [-n] [-p protocol]
       netstat -r [-n] [-f inet6]
       netstat -i [-n] [-b] [-I interface]
       netstat -g [-n]
`;

export const netstat = tool('netstat', USAGE, (system, argv) => {
  const options = getopt(argv, 'f:nsrigbI:p:al');
  const family = options.value('f');
  if (family !== undefined && family !== 'inet6') throw new ToolError(`${family}: unknown address family`);
  if (options.operands.length > 0) throw new UsageError('');
  const protocol = options.value('p');
  if (options.has('s') || protocol !== undefined) statistics(system, protocol, options.count('s') > 1);
  else if (options.has('r')) routes(system);
  else if (options.has('i') || options.has('I')) interfaces(system, options);
  else if (options.has('g')) groups(system);
  else throw new UsageError('');
  return 0;
});

// ---- -s

/** `quiet` (-ss) leaves out counters that are zero. */
function statistics(system: System, wanted: string | undefined, quiet: boolean): void {
  const protocols = Object.keys(text) as Protocol[];
  if (wanted !== undefined && !protocols.includes(wanted as Protocol)) {
    throw new ToolError(`${wanted}: unknown or uninstrumented protocol`);
  }
  for (const protocol of protocols) {
    if (wanted === undefined || wanted === protocol)
      system.out(`${protocol}:\n${section(system.kernel, protocol, quiet)}`);
  }
}

/** Counters that stand together under a heading: netstat's histogram of errors by what they say. */
const ERROR_COUNTER = /^out[A-Z]/;

function section(kernel: Kernel, protocol: Protocol, quiet: boolean): string {
  const sentences: Readonly<Record<string, string>> = text[protocol];
  const counters: Readonly<Record<string, number>> = kernel.counters[protocol];
  const histograms = kernel.histograms;
  const errors = protocol === 'icmp6';
  let out = '';
  const heading = '\tHistogram of error messages to be generated:\n';
  for (const [name, template] of Object.entries(sentences)) {
    const count = counters[name]!;
    const indented = errors && ERROR_COUNTER.test(name);
    if (count !== 0 || !quiet) {
      if (indented && !out.includes(heading)) out += heading;
      out += `${indented ? '\t\t' : '\t'}${sentence(count, template)}\n`;
    }
    if (errors && name === 'tooFrequent') out += histogram('Output', histograms.icmp6Out, icmp6TypeName);
    if (errors && name === 'badLength') out += histogram('Input', histograms.icmp6In, icmp6TypeName);
    if (protocol === 'ip6' && name === 'notMember') out += histogram('Input', histograms.ip6NextHeader, nextHeaderName);
  }
  return out;
}

function histogram(which: string, counts: Float64Array, name: (value: number) => string): string {
  const lines = [...counts].map((count, value) => (count === 0 ? '' : `\t\t${name(value)}: ${count}\n`)).join('');
  return lines === '' ? '' : `\t${which} histogram:\n${lines}`;
}

// ---- -r

function routes(system: System): void {
  const sorted = system.kernel.routes().sort(inOrder);
  const rows = sorted.map((route) => routeRow(system.kernel, route));
  const table = [['Destination', 'Gateway', 'Flags', 'Use', 'Mtu', 'Netif', 'Expire'], ...rows];
  const widths = [33, 29, 6, 8, 6, 6, 0];
  const right = (column: number): boolean => column === 3 || column === 4 || column === 5;
  system.out('Routing tables\n\nInternet6:\n');
  for (const row of table) {
    const cells = row.map((cell, column) =>
      right(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    );
    system.out(`${cells.join(' ').trimEnd()}\n`);
  }
}

/** By address, then the shorter prefix: the order of BSD's radix tree. */
function inOrder(a: RouteInfo, b: RouteInfo): number {
  const byAddress = compareAddresses(a.destination, b.destination);
  return byAddress || a.prefixLength - b.prefixLength || a.zone.localeCompare(b.zone);
}

function routeRow(kernel: Kernel, route: RouteInfo): string[] {
  const { destination: address, zone, prefixLength } = route;
  const own = route.interface;
  const gateway =
    route.gateway === undefined ? linkName(kernel, own) : formatAddress({ address: route.gateway, zone: own });
  const expire = Number.isFinite(route.expires) ? duration(route.expires) : '';
  return [
    formatPrefix({ address, zone }, prefixLength),
    gateway,
    route.flags,
    String(route.use),
    String(route.mtu),
    own,
    expire,
  ];
}

/** BSD's name of a link-level next hop. */
const linkName = (kernel: Kernel, name: string): string => `link#${kernel.interface(name).index}`;

// ---- -i

function interfaces(system: System, options: Options): void {
  const bytes = options.has('b');
  const counts = bytes
    ? ['Ipkts', 'Ierrs', 'Ibytes', 'Opkts', 'Oerrs', 'Obytes']
    : ['Ipkts', 'Ierrs', 'Opkts', 'Oerrs', 'Drop'];
  const table: string[][] = [['Name', 'Mtu', 'Network', 'Address', ...counts]];
  const only = options.value('I');
  for (const info of only === undefined ? system.kernel.interfaces() : [system.kernel.interface(only)]) {
    const name = info.up ? info.name : `${info.name}*`;
    const figures = bytes
      ? [info.inPackets, info.inErrors, info.inBytes, info.outPackets, info.outErrors, info.outBytes]
      : [info.inPackets, info.inErrors, info.outPackets, info.outErrors, info.inDropped];
    const mac = info.mac === undefined ? '' : formatMac(info.mac);
    table.push([name, String(info.mtu), `<Link#${info.index}>`, mac, ...figures.map(String)]);
    for (const { address, prefixLength } of info.addresses) {
      const network = formatPrefix({ address: Ip6.masked(address, prefixLength), zone: info.name }, prefixLength);
      table.push([
        name,
        String(info.mtu),
        network,
        formatAddress({ address, zone: info.name }),
        ...counts.map(() => '-'),
      ]);
    }
  }
  print(system, table, 4);
}

// ---- -g

function groups(system: System): void {
  const table: string[][] = [['Group', 'Netif', 'Refs']];
  for (const { name } of system.kernel.interfaces()) {
    for (const { group, joins } of system.kernel.groups(name)) {
      table.push([formatAddress({ address: group, zone: name }), name, String(joins)]);
    }
  }
  system.out('IPv6 multicast group memberships:\n');
  print(system, table, 2);
}

/** Columns as wide as they need; those from `numbers` on are set right. */
function print(system: System, table: readonly (readonly string[])[], numbers: number): void {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table) {
    const cells = row.map((cell, column) =>
      column < numbers ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    system.out(`${cells.join(' ').trimEnd()}\n`);
  }
}
