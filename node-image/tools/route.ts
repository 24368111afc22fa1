/** Shows and changes the routing table. KAME: route(8), inet6 alone. */
import type { TraceEvent } from '#stack/env/trace.ts';
import type { Kernel, RouteInfo, RouteRequest, ScopedAddress, System } from '../system.ts';
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from './address-text.ts';
import { netstat } from './netstat.ts';
import { integer, ToolError, UsageError } from './options.ts';
import { tool } from './tool.ts';

const USAGE = `usage: route [-nqv] add [-inet6] [-net | -host] destination [-prefixlen n] gateway [-mtu n]
       route [-nqv] add [-inet6] destination [-prefixlen n] -interface interface [-mtu n]
       route [-nqv] add [-inet6] destination [-prefixlen n] [::1] -reject | -blackhole
       route [-nqv] change | delete | get [-inet6] destination [-prefixlen n] [gateway] ...
       route [-nqv] flush | show | monitor
`;

export const route = tool('route', USAGE, (system, argv) => {
  const words = [...argv];
  const quiet = takeFlags(words);
  const command = words.shift();
  switch (command) {
    case 'add':
    case 'change':
    case 'delete':
    case 'del':
    case 'get':
      return change(system, command === 'del' ? 'delete' : command, words, quiet);
    case 'flush': {
      const count = system.kernel.flushRoutes();
      if (!quiet) system.out(`${count} route${count === 1 ? '' : 's'} flushed\n`);
      return 0;
    }
    case 'show':
      netstat(system, ['-rn']);
      return undefined;
    case 'monitor':
      return monitor(system);
    default:
      throw new UsageError(command === undefined ? '' : `${command}: no such command`);
  }
});

/** Takes leading flags off; true for -q. */
function takeFlags(words: string[]): boolean {
  let quiet = false;
  while (words[0]?.startsWith('-')) {
    const word = words.shift()!;
    if (!/^-(inet6|[nqvt]+)$/.test(word)) throw new UsageError(`${word}: not known`);
    if (word !== '-inet6' && word.includes('q')) quiet = true;
  }
  return quiet;
}

function change(system: System, command: 'add' | 'change' | 'delete' | 'get', words: string[], quiet: boolean): number {
  const kernel = system.kernel;
  const request = parseRequest(kernel, words, command);
  const text = formatPrefix(request.destination, request.prefixLength);
  if (command === 'get') {
    const found = kernel.getRoute(request.destination);
    if (found === undefined) throw new ToolError(`${text}: not in table`);
    system.out(describe(found, request.destination));
    return 0;
  }
  if (command === 'add') kernel.addRoute(request);
  else if (command === 'change') kernel.changeRoute(request);
  else kernel.deleteRoute(request.destination, request.prefixLength);
  if (quiet) return 0;
  const kind = request.prefixLength === 128 ? 'host' : 'net';
  const gateway = request.gateway === undefined ? (request.interface ?? '') : formatAddress(request.gateway);
  system.out(`${command} ${kind} ${text}${gateway === '' ? '' : `: gateway ${gateway}`}\n`);
  return 0;
}

function parseRequest(kernel: Kernel, words: string[], command: string): RouteRequest {
  const request: { -readonly [K in keyof RouteRequest]?: RouteRequest[K] } = {};
  let prefixLength: number | undefined;
  let host = false;
  let toInterface = false;
  while (words.length > 0) {
    const word = words.shift()!;
    const argument = (): string => {
      const next = words.shift();
      if (next === undefined) throw new UsageError(`${word} wants an argument`);
      return next;
    };
    switch (word) {
      case '-inet6':
      case '-net':
      case '-static':
        break;
      case '-host':
        host = true;
        break;
      case '-prefixlen':
        prefixLength = integer(argument(), 'prefixlen', 0, 128);
        break;
      case '-interface':
      case '-iface':
        toInterface = true;
        if (request.destination !== undefined && words[0] !== undefined)
          request.interface = kernel.interface(words.shift()!).name;
        break;
      case '-ifp':
        request.interface = kernel.interface(argument()).name;
        break;
      case '-mtu':
        request.mtu = integer(argument(), 'mtu', 1280, 131_072);
        break;
      case '-reject':
        request.reject = true;
        break;
      case '-blackhole':
        request.blackhole = true;
        break;
      default:
        if (word.startsWith('-')) throw new UsageError(`${word}: not known`);
        if (request.destination === undefined) {
          const target = destination(kernel, word);
          request.destination = target;
          prefixLength ??= target.prefixLength;
        } else if (toInterface && request.interface === undefined) request.interface = kernel.interface(word).name;
        else if (request.gateway === undefined) request.gateway = parseAddress(kernel, word);
        else throw new UsageError(`${word}: one gateway will do`);
    }
  }
  if (request.destination === undefined) throw new UsageError('no destination given');
  if (request.reject || request.blackhole) request.gateway ??= parseAddress(kernel, '::1');
  if (command === 'add' && request.gateway === undefined && request.interface === undefined)
    throw new UsageError('no gateway given');
  return { ...request, destination: request.destination, prefixLength: host ? 128 : (prefixLength ?? 128) };
}

function destination(kernel: Kernel, word: string): ScopedAddress & { prefixLength: number | undefined } {
  return word === 'default' ? { ...parseAddress(kernel, '::'), prefixLength: 0 } : parsePrefix(kernel, word);
}

const FLAG_NAMES: readonly (readonly [letter: string, name: string])[] = [
  ['U', 'UP'],
  ['G', 'GATEWAY'],
  ['H', 'HOST'],
  ['R', 'REJECT'],
  ['D', 'DYNAMIC'],
  ['M', 'MODIFIED'],
  ['C', 'CLONING'],
  ['L', 'LLINFO'],
  ['S', 'STATIC'],
  ['B', 'BLACKHOLE'],
];

function describe(found: RouteInfo, asked: ScopedAddress): string {
  const zone = found.interface;
  const names = FLAG_NAMES.filter(([letter]) => found.flags.includes(letter)).map(([, name]) => name);
  const rows: [string, string][] = [
    ['route to', formatAddress(asked)],
    ['destination', formatPrefix({ address: found.destination, zone: found.zone }, found.prefixLength)],
  ];
  if (found.gateway !== undefined) rows.push(['gateway', formatAddress({ address: found.gateway, zone })]);
  rows.push(['interface', zone], ['flags', `<${names.join(',')}>`], ['mtu', String(found.mtu)]);
  return rows.map(([name, value]) => `${name.padStart(11)}: ${value}\n`).join('');
}

function monitor(system: System): undefined {
  system.kernel.openEvents((event) => {
    const text = eventText(event);
    if (text !== undefined)
      system.out(`got message at ${new Date(system.date).toISOString().slice(11, 23)}\n${text}\n`);
  });
  system.onInterrupt(() => system.exit(0));
}

/** In the names of route(4)'s messages. */
function eventText(event: TraceEvent): string | undefined {
  switch (event.type) {
    case 'route': {
      const name = {
        added: 'RTM_ADD: Add Route',
        removed: 'RTM_DELETE: Delete Route',
        changed: 'RTM_CHANGE: Change Metrics or flags',
      };
      return `${name[event.change]}: ${event.destination}${event.gateway === '' ? '' : ` gateway ${event.gateway}`} interface ${event.interface}`;
    }
    case 'address': {
      const name = {
        added: 'RTM_NEWADDR: address being added to iface',
        removed: 'RTM_DELADDR: address being removed from iface',
        deprecated: 'RTM_CHGADDR: address deprecated on iface',
      };
      return `${name[event.change]}: ${event.address} interface ${event.interface}`;
    }
    case 'interface':
      return `RTM_IFINFO: iface status change: ${event.interface} ${event.change}`;
    case 'neighbor':
      return `RTM_CHANGE: Neighbor: ${event.address} interface ${event.interface} ${event.from} -> ${event.to}`;
    case 'dad':
    case 'log':
      return undefined;
  }
}
