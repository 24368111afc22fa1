/**
 * From what is written to what is meant: merges defaults, groups and kind sections, names every interface, and checks
 * all that takes two fields to see.
 *
 * A node's settings come in layers, each more particular than the one before:
 *
 *   defaults < defaults.<kind> < group < group.<kind> < node < node.<kind>
 *
 * Maps merge by key, lists add up in that order, and of single values the most particular wins.
 */
import { type Fault, resolveFault } from './faults/fault.ts';
import type { FaultSource } from './faults/fault-schema.ts';
import {
  formatIp,
  type Ip,
  isForLabs,
  isLinkLocal,
  isMulticast,
  network,
  parsePrefix,
  parseZoned,
  sameIp,
  within,
} from './ip-text.ts';
import type {
  Topology,
  TopologyAddress,
  TopologyEnd,
  TopologyFile,
  TopologyLimits,
  TopologyLink,
  TopologyNode,
  TopologyRoute,
} from './topology.ts';
import { didYouMean, type Path, type Problem, show } from './topology-problems.ts';
import { DEFAULT_MTU, type TopologySource } from './topology-schema.ts';

type NodeSource = NonNullable<TopologySource['nodes'][string]>;
type LinkSource = NonNullable<TopologySource['links']>[string];
type EndSource = NonNullable<NonNullable<LinkSource['ends']>[string]>;
type AddressSource = NonNullable<EndSource['addresses']>[number];
type GroupSource = NonNullable<TopologySource['groups']>[string];
type RouteSource = NonNullable<GroupSource['routes']>[number];
/** What a layer can hold; a node, a group, the defaults or a kind section. */
type Layer = { readonly settings: GroupSource; readonly path: Path };
type Placed<T> = { readonly value: T; readonly path: Path };

/** An address where it was written, with what the checks between addresses need. */
interface PlacedAddress extends TopologyAddress {
  readonly ip: Ip;
  readonly allowDuplicate: boolean;
  readonly zone: string | undefined;
  readonly path: Path;
}
interface PlacedEnd {
  readonly link: string;
  readonly node: string;
  readonly interface: string;
  readonly mac: string;
  readonly addresses: PlacedAddress[];
  readonly path: Path;
}
type PlacedLink = Omit<TopologyLink, 'ends'> & { readonly ends: readonly PlacedEnd[]; readonly path: Path };

interface PlacedNode {
  readonly name: string;
  readonly source: NodeSource;
  readonly path: Path;
  readonly ends: readonly PlacedEnd[];
  readonly loopback: readonly PlacedAddress[];
}

export interface ResolveContext {
  readonly kinds: readonly string[];
  /** Kinds a scenario gives to nodes, over what the file says. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly read: ((path: string) => string) | undefined;
  /** Every name that is written, also of nodes and groups that are broken themselves. */
  readonly written: { readonly nodes: readonly string[]; readonly groups: readonly string[] };
  /** False where broken parts were cut out; then nothing is reported as missing. */
  readonly whole: boolean;
  readonly problem: (problem: Problem) => void;
  readonly warning: (problem: Problem) => void;
}

/** Interface names that the kinds keep for themselves, or that have a meaning in the kernel's own trees. */
const RESERVED_INTERFACES = ['lo', 'lo0', 'all', 'default'];
const LOOPBACK = ['lo', 'lo0'];

export function resolve(source: TopologySource, context: ResolveContext): Omit<Topology, 'warnings' | 'origin'> {
  return new Resolver(source, context).resolve();
}

class Resolver {
  readonly #source: TopologySource;
  readonly #context: ResolveContext;

  constructor(source: TopologySource, context: ResolveContext) {
    this.#source = source;
    this.#context = context;
  }

  resolve(): Omit<Topology, 'warnings' | 'origin'> {
    const source = this.#source;
    const links = Object.entries(source.links ?? {}).map(([name, link]) => this.#link(name, link));
    const placed = Object.entries(source.nodes).map(([name, node]) => this.#place(name, node ?? {}, links));
    const nodes = placed.map((each) => this.#node(each, links));
    this.#checkHostnames(nodes);
    for (const link of links) this.#checkLink(link);
    this.#checkAddressesAcross(links);
    this.#checkGroupsUsed();
    const plainLinks = links.map(plainLink);
    const ends = plainLinks.flatMap((link) => link.ends);
    return {
      name: source.name,
      description: source.description ?? '',
      seed: source.seed ?? 1,
      nodes: nodes.map((node) => ({ ...node, interfaces: ends.filter((end) => end.node === node.name) })),
      links: plainLinks,
    };
  }

  #problem(path: Path, message: string, at: Problem['at'] = 'value'): void {
    this.#context.problem({ path, at, message });
  }

  #warning(path: Path, message: string, at: Problem['at'] = 'value'): void {
    this.#context.warning({ path, at, message });
  }

  // Links

  #link(name: string, link: LinkSource): PlacedLink {
    const path = ['links', name];
    const medium = link.type === 'p2p' ? (link.medium ?? this.#source.defaults?.medium ?? 'ethernet') : 'ethernet';
    if (link.nodes && link.ends)
      this.#problem([...path, 'nodes'], 'is written as well as "ends"; keep one of them', 'key');
    if (!link.nodes && !link.ends && this.#context.whole) {
      this.#problem(path, 'has no ends; add nodes: [a, b], or ends: { a: {...}, b: {...} }', 'key');
    }
    const ends = link.ends
      ? Object.entries(link.ends).map(([end, settings]) =>
          this.#end(name, end, settings ?? {}, [...path, 'ends', end], medium),
        )
      : (link.nodes ?? []).map((end, i) => this.#end(name, end, {}, [...path, 'nodes', i], medium));
    const faults = this.#faults(link.faults ?? [], ends, [...path, 'faults']);
    if (link.wire === false && faults.length > 0)
      this.#problem([...path, 'wire'], 'only a wire in software can have faults; remove wire, or the faults');
    const mtu = link.mtu ?? this.#source.defaults?.mtu ?? DEFAULT_MTU;
    return { name, type: link.type, medium, mtu, wire: link.wire ?? faults.length > 0, faults, ends, path };
  }

  #faults(sources: readonly FaultSource[], ends: readonly PlacedEnd[], path: Path): Fault[] {
    const problem = (found: Problem) => this.#context.problem(found);
    return sources.flatMap((source, at) => resolveFault(source, { ends, path: [...path, at], problem }) ?? []);
  }

  #end(link: string, text: string, settings: EndSource, path: Path, medium: TopologyLink['medium']): PlacedEnd {
    const [node, given] = text.split(':') as [string, string | undefined];
    const nodes = this.#context.written.nodes;
    if (!nodes.includes(node)) {
      const hint = didYouMean(node, nodes) || `; nodes are ${nodes.join(', ')}`;
      this.#problem(path, `no node is named "${node}"${hint}`, 'key');
    }
    const name = given ?? link;
    if (name.length > 15) {
      const fix = `name it, as in "${node}:eth0", or shorten the link's name`;
      this.#problem(
        path,
        `the interface would be "${name}", but names of interfaces have at most 15 characters; ${fix}`,
        'key',
      );
    }
    if (RESERVED_INTERFACES.includes(name)) {
      this.#problem(
        path,
        `the interface cannot be named "${name}", which the system keeps for itself; name it, as in "${node}:eth0"`,
        'key',
      );
    }
    if (settings.mac !== undefined) this.#checkMac(settings.mac, medium, [...path, 'mac']);
    return {
      link,
      node,
      interface: name,
      mac: settings.mac?.toLowerCase() ?? madeMac(`${this.#source.name}/${node}/${name}`),
      addresses: (settings.addresses ?? []).map((address, i) => this.#address(address, [...path, 'addresses', i])),
      path,
    };
  }

  #checkMac(mac: string, medium: TopologyLink['medium'], path: Path): void {
    if (medium === 'tun') this.#problem(path, 'a link of medium tun has no hardware addresses; remove it', 'key');
    const first = Number.parseInt(mac.slice(0, 2), 16);
    if (first & 1) {
      const fixed = ((first & 0xfe) | 2).toString(16).padStart(2, '0') + mac.slice(2).toLowerCase();
      this.#problem(
        path,
        `expected the hardware address of one interface, found the group address ${show(mac)}; "${fixed}" is one`,
      );
    } else if (/^00(:00){5}$/.test(mac)) {
      this.#problem(
        path,
        'expected the hardware address of one interface, found all zeros; "02:00:00:00:00:01" is one',
      );
    }
  }

  /** What the ends of one link must not have in common. */
  #checkLink(link: PlacedLink): void {
    const macs = new Map<string, PlacedEnd>();
    const addresses: { address: PlacedAddress; end: PlacedEnd }[] = [];
    for (const end of link.ends) {
      const other = macs.get(end.mac);
      if (other && (other.node !== end.node || other.interface !== end.interface)) {
        this.#problem(
          [...end.path, 'mac'],
          `${end.mac} is also the hardware address of node ${other.node} on this link`,
        );
      }
      macs.set(end.mac, end);
      for (const address of end.addresses) {
        const twin = addresses.find((earlier) => sameIp(earlier.address.ip, address.ip));
        if (twin?.end === end) {
          this.#problem(address.path, `${address.address} is written twice for this interface; remove one`);
        } else if (twin && !twin.address.allowDuplicate && !address.allowDuplicate) {
          const fix = 'change one, or say { address: ..., allowDuplicate: true }';
          this.#problem(
            address.path,
            `${address.address} is also the address of node ${twin.end.node} on this link; ${fix}`,
          );
        }
        addresses.push({ address, end });
      }
    }
  }

  #checkAddressesAcross(links: readonly PlacedLink[]): void {
    const seen: { address: PlacedAddress; link: string }[] = [];
    for (const { link, addresses } of links.flatMap((each) => each.ends)) {
      for (const address of addresses.filter(({ ip, allowDuplicate }) => !isLinkLocal(ip) && !allowDuplicate)) {
        const twin = seen.find((earlier) => earlier.link !== link && sameIp(earlier.address.ip, address.ip));
        if (twin) this.#warning(address.path, `${address.address} is also an address on link ${twin.link}`);
        seen.push({ address, link });
      }
    }
  }

  // Addresses

  #address(source: AddressSource, at: Path): PlacedAddress {
    const text = typeof source === 'string' ? source : source.address;
    const path = typeof source === 'string' ? at : [...at, 'address'];
    const ip = parsePrefix(text)!;
    const address = formatIp(ip);
    if (!isForLabs(ip)) {
      const instead = ip.family === 6 ? '2001:db8::/32' : '198.51.100.0/24';
      this.#warning(path, `${address} may belong to somebody; documentation addresses such as ${instead} are safe`);
    }
    const bits = 8 * ip.bytes.length;
    if (ip.length < bits - 1 && sameIp(ip, network(ip, ip.length))) {
      const is = ip.family === 6 ? 'the Subnet-Router anycast address' : 'the address of the network';
      this.#warning(path, `${address}/${ip.length} is ${is}, not one of a host`);
    }
    return {
      family: ip.family,
      address,
      prefixLength: ip.length,
      ip: { family: ip.family, bytes: ip.bytes },
      allowDuplicate: typeof source === 'object' && source.allowDuplicate === true,
      zone: ip.zone,
      path,
    };
  }

  /** Puts the addresses written in the node on its interfaces, and gives back those of the loopback. */
  #placeAddresses(source: NodeSource, path: Path, ends: readonly PlacedEnd[]): PlacedAddress[] {
    const loopback: PlacedAddress[] = [];
    const names = interfacesOf(ends);
    for (const [i, text] of (source.addresses ?? []).entries()) {
      const address = this.#address(text, [...path, 'addresses', i]);
      if (address.zone !== undefined && LOOPBACK.includes(address.zone)) {
        loopback.push(address);
        continue;
      }
      const end =
        address.zone === undefined && ends.length === 1
          ? ends[0]
          : ends.find((each) => each.interface === address.zone);
      if (end) {
        end.addresses.push(address);
      } else if (address.zone === undefined && this.#context.whole) {
        const example = `${address.address}%${names[0] ?? 'lo'}/${address.prefixLength}`;
        this.#problem(
          address.path,
          `does not say which interface, and the node has ${names.join(', ') || 'none'}; write "${example}"`,
        );
      } else if (address.zone !== undefined) {
        this.#unknownInterface(address.path, address.zone, names);
      }
    }
    return loopback;
  }

  #unknownInterface(path: Path, name: string, names: readonly string[]): void {
    if (!this.#context.whole) return;
    const hint =
      didYouMean(name, names) || (names.length > 0 ? `; its interfaces are ${names.join(', ')}` : '; it is on no link');
    this.#problem(path, `the node has no interface "${name}"${hint}`);
  }

  // Nodes

  /** Interfaces and addresses come first for every node: a route is checked against those of its neighbors. */
  #place(name: string, source: NodeSource, links: readonly PlacedLink[]): PlacedNode {
    const path = ['nodes', name];
    const ends = links.flatMap((link) => link.ends).filter((end) => end.node === name);
    this.#checkInterfaces(ends);
    if (ends.length === 0 && this.#context.whole) this.#warning(path, 'is on no link', 'key');
    return { name, source, path, ends, loopback: this.#placeAddresses(source, path, ends) };
  }

  #node({ name, source, path, ends, loopback }: PlacedNode, links: readonly PlacedLink[]): TopologyNode {
    const { kind, layers } = this.#layers(name, source, path);
    const last = <K extends keyof GroupSource>(key: K): GroupSource[K] =>
      layers.map(({ settings }) => settings[key]).findLast((value) => value !== undefined);
    return {
      name,
      kind,
      hostname: source.hostname ?? name,
      forwarding: last('forwarding') ?? false,
      interfaces: [],
      loopback: loopback.map(plainAddress),
      routes: list(layers, 'routes').flatMap((route) => this.#route(route, ends, links) ?? []),
      sysctls: Object.fromEntries(entries(layers, 'sysctls').map(([key, { value }]) => [key, String(value)])),
      files: entries(layers, 'files').flatMap(([file, placed]) => this.#file(file, placed) ?? []),
      commands: list(layers, 'commands').map(({ value }) => value),
      daemons: list(layers, 'daemons').map(({ value: { run, ready } }) => ({ run, ready })),
      limits: limitsOf(entries(layers, 'limits')),
    };
  }

  #layers(name: string, source: NodeSource, path: Path): { kind: string; layers: Layer[] } {
    const { groups = {}, defaults } = this.#source;
    const group = source.group === undefined ? undefined : groups[source.group];
    const lost = source.group !== undefined && !this.#context.written.groups.includes(source.group);
    if (lost) {
      const names = this.#context.written.groups;
      const hint =
        didYouMean(source.group, names) ||
        (names.length > 0 ? `; groups are ${names.join(', ')}` : '; there are no groups');
      this.#problem([...path, 'group'], `no group is named "${source.group}"${hint}`);
    }
    const { overrides } = this.#context;
    const override = Object.hasOwn(overrides, name) ? overrides[name] : undefined;
    const kind = override ?? source.kind ?? group?.kind ?? defaults?.kind;
    if (kind === undefined && !lost && this.#context.whole) {
      const kinds = this.#context.kinds;
      this.#problem(
        [...path, 'kind'],
        `missing; expected one of ${kinds.join(', ')}, here, in the node's group or in defaults`,
      );
    }
    const general: Layer[] = [
      { settings: defaults ?? {}, path: ['defaults'] },
      { settings: group ?? {}, path: ['groups', source.group ?? ''] },
      { settings: source, path },
    ];
    const layers = general.flatMap((layer) => {
      const section = kind === undefined ? undefined : (layer.settings as Record<string, unknown>)[kind];
      return section === undefined
        ? [layer]
        : [layer, { settings: section as GroupSource, path: [...layer.path, kind!] }];
    });
    return { kind: kind ?? '', layers };
  }

  #checkInterfaces(ends: readonly PlacedEnd[]): void {
    const seen = new Map<string, PlacedEnd>();
    for (const end of ends) {
      const other = seen.get(end.interface);
      if (other) {
        const where = other.link === end.link ? 'this link' : `link ${other.link}`;
        const fix = `name one of them, as in "${end.node}:eth1"`;
        this.#problem(
          end.path,
          `node ${end.node} already has an interface "${end.interface}" on ${where}; ${fix}`,
          'key',
        );
      }
      seen.set(end.interface, end);
    }
  }

  #file(
    path: string,
    { value, path: at }: Placed<NonNullable<GroupSource['files']>[string]>,
  ): TopologyFile | undefined {
    if (typeof value === 'string') return { path, content: value };
    if (!this.#context.read) {
      this.#problem(
        [...at, 'from'],
        'files can be taken only by a topology that is a file itself; write the text here',
      );
      return undefined;
    }
    try {
      return { path, content: this.#context.read(value.from) };
    } catch (error) {
      this.#problem([...at, 'from'], `cannot read ${show(value.from)}: ${(error as Error).message}`);
      return undefined;
    }
  }

  // Routes

  #route(
    { value, path }: Placed<RouteSource>,
    ends: readonly PlacedEnd[],
    links: readonly PlacedLink[],
  ): TopologyRoute | undefined {
    const via = value.via === undefined ? undefined : parseZoned(value.via)!;
    const to = this.#destination(value.to, via?.family ?? 6, [...path, 'to']);
    if (!to) return undefined;
    const dev = value.dev ?? via?.zone;
    const reject = value.reject === true;
    const field = (name: string): Path => [...path, name];
    if (via && isMulticast(via))
      this.#problem(field('via'), `expected the address of one router, found a multicast address`);
    if (reject && (via || dev !== undefined)) {
      this.#problem(field('reject'), `a route that rejects goes nowhere; remove ${via ? 'via' : 'dev'}`, 'key');
    }
    if (!reject && !via && dev === undefined) {
      this.#problem(path, 'goes nowhere; add via: an address, dev: an interface, or reject: true');
    }
    if (via && via.family !== to.family) {
      this.#problem(field('via'), `expected an IPv${to.family} address like the destination, found ${show(value.via)}`);
      return undefined;
    }
    if (value.dev !== undefined && via?.zone !== undefined && via.zone !== value.dev) {
      this.#problem(field('dev'), `contradicts the interface in via, "${via.zone}"; remove one`);
      return undefined;
    }
    if (via && isLinkLocal(via) && dev === undefined) {
      const example = `${formatIp(via)}%${ends[0]?.interface ?? 'eth0'}`;
      this.#problem(field('via'), `a link-local address needs its interface, as in "${example}"`);
    }
    const names = interfacesOf(ends);
    if (dev !== undefined && !names.includes(dev) && !LOOPBACK.includes(dev)) {
      this.#unknownInterface(field(value.dev === undefined ? 'via' : 'dev'), dev, names);
      return undefined;
    }
    return {
      family: to.family,
      to: to.text,
      via: via && formatIp(via),
      dev: via && !isLinkLocal(via) ? (this.#nextHop(via, dev, field('via'), ends, links) ?? dev) : dev,
      reject,
    };
  }

  #destination(text: string, family: 4 | 6, path: Path): { family: 4 | 6; text: string } | undefined {
    if (text === 'default') return { family, text: family === 6 ? '::/0' : '0.0.0.0/0' };
    const prefix = parsePrefix(text)!;
    const start = network(prefix, prefix.length);
    const canonical = `${formatIp(start)}/${prefix.length}`;
    if (!sameIp(prefix, start))
      this.#problem(path, `has bits set after the prefix; expected "${canonical}", found ${show(text)}`);
    return { family: prefix.family, text: canonical };
  }

  /** The interface that a next hop is on by the node's own prefixes. Warns where nothing would answer. */
  #nextHop(
    via: Ip,
    dev: string | undefined,
    path: Path,
    ends: readonly PlacedEnd[],
    links: readonly PlacedLink[],
  ): string | undefined {
    if (!this.#context.whole) return undefined;
    const on = ends
      .filter((end) => dev === undefined || end.interface === dev)
      .flatMap((end) =>
        end.addresses.filter(({ ip, prefixLength }) => within(via, ip, prefixLength)).map((on) => ({ end, on })),
      )
      .sort((a, b) => b.on.prefixLength - a.on.prefixLength)[0]?.end;
    if (!on) {
      if (dev === undefined) this.#warning(path, `${formatIp(via)} is in no prefix of the node's interfaces`);
      return undefined;
    }
    const neighbors = links.find((link) => link.name === on.link)!.ends.filter((end) => end !== on);
    if (!neighbors.some((end) => end.addresses.some(({ ip }) => sameIp(ip, via)))) {
      this.#warning(path, `no other node on link ${on.link} has the address ${formatIp(via)}`);
    }
    return on.interface;
  }

  // The lab

  #checkHostnames(nodes: readonly TopologyNode[]): void {
    const seen = new Map<string, string>();
    for (const { name, hostname } of nodes) {
      const other = seen.get(hostname);
      if (other !== undefined)
        this.#problem(['nodes', name, 'hostname'], `"${hostname}" is also the host name of node ${other}`);
      seen.set(hostname, name);
    }
  }

  #checkGroupsUsed(): void {
    if (!this.#context.whole) return;
    const used = new Set(Object.values(this.#source.nodes).map((node) => node?.group));
    for (const name of Object.keys(this.#source.groups ?? {})) {
      if (!used.has(name)) this.#warning(['groups', name], 'is taken by no node', 'key');
    }
  }
}

function list<K extends 'routes' | 'commands' | 'daemons'>(layers: readonly Layer[], key: K) {
  type Item = NonNullable<GroupSource[K]>[number];
  return layers.flatMap(({ settings, path }) =>
    ((settings[key] ?? []) as Item[]).map((value, i): Placed<Item> => ({ value, path: [...path, key, i] })),
  );
}

function entries<K extends 'sysctls' | 'files' | 'limits'>(layers: readonly Layer[], key: K) {
  type Value = Exclude<NonNullable<GroupSource[K]>[keyof NonNullable<GroupSource[K]>], undefined>;
  const merged = new Map<string, Placed<Value>>();
  for (const { settings, path } of layers) {
    for (const [name, value] of Object.entries((settings[key] ?? {}) as Record<string, Value>)) {
      merged.set(name, { value, path: [...path, key, name] });
    }
  }
  return [...merged];
}

const UNITS = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

function limitsOf(limits: readonly (readonly [string, Placed<string | number>])[]): TopologyLimits {
  const { memory, cpus } = Object.fromEntries(limits.map(([name, { value }]) => [name, value]));
  return {
    memory:
      typeof memory === 'string'
        ? Number(memory.slice(0, -1)) * UNITS[memory.slice(-1) as keyof typeof UNITS]
        : undefined,
    cpus: typeof cpus === 'number' ? cpus : undefined,
  };
}

/** Names of a node's interfaces, each once even where two collide. */
const interfacesOf = (ends: readonly PlacedEnd[]): string[] => [...new Set(ends.map((end) => end.interface))];

const plainAddress = ({ family, address, prefixLength }: TopologyAddress): TopologyAddress => ({
  family,
  address,
  prefixLength,
});

const plainLink = ({ name, type, medium, mtu, wire, faults, ends }: PlacedLink): TopologyLink => ({
  name,
  type,
  medium,
  mtu,
  wire,
  faults,
  ends: ends.map(
    (end): TopologyEnd => ({
      link: end.link,
      node: end.node,
      interface: end.interface,
      mac: end.mac,
      addresses: end.addresses.map(plainAddress),
    }),
  ),
});

/** The same name gives the same locally administered unicast address: 02, then 40 bits of two FNV-1a hashes. */
function madeMac(name: string): string {
  const hash = (text: string) => {
    let value = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
    return value.toString(16).padStart(8, '0');
  };
  return ['02', ...`${hash(name)}${hash(`.${name}`).slice(0, 2)}`.match(/../g)!].join(':');
}
