/**
 * A topology: the nodes of a lab and the links between them.
 *
 *   text --yaml--> document --zod--> TopologySource --resolve--> Topology
 *
 * Drivers see only the resolved form below: defaults, groups and kind sections are merged, every name, hardware
 * address and prefix is explicit and has been checked.
 */
import type { TopologySource } from './topology-schema.ts';

export interface Topology {
  readonly name: string;
  readonly description: string;
  readonly seed: number;
  readonly nodes: readonly TopologyNode[];
  readonly links: readonly TopologyLink[];
  /** Things that work but look wrong, one line each, in the form of an error. */
  readonly warnings: readonly string[];
  /** What this was resolved from, for `withKinds`. Drivers don't read it. */
  readonly origin: TopologyOrigin;
}

export interface TopologyNode {
  readonly name: string;
  readonly kind: string;
  readonly hostname: string;
  /** Router or host. */
  readonly forwarding: boolean;
  /** The node's ends of links, in the order of the links in the file; the same objects as in `TopologyLink.ends`. */
  readonly interfaces: readonly TopologyEnd[];
  /** Addresses on the loopback interface beyond the usual ones. */
  readonly loopback: readonly TopologyAddress[];
  /** To be added in this order once addresses are set. */
  readonly routes: readonly TopologyRoute[];
  /** Names as the kind knows them (`net.inet6.ip6.hlim`, `net.ipv6.conf.all.hop_limit`). */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly files: readonly TopologyFile[];
  /** Shell command lines to run once links, addresses and routes are up, in order. */
  readonly commands: readonly string[];
  /** Started after the commands, in order. */
  readonly daemons: readonly TopologyDaemon[];
  readonly limits: TopologyLimits;
}

export interface TopologyLink {
  readonly name: string;
  readonly type: 'p2p' | 'lan';
  /** `tun` carries bare IP packets without link-layer addresses; only a p2p link can be one. */
  readonly medium: 'ethernet' | 'tun';
  readonly mtu: number;
  /** Exactly two on a p2p link. */
  readonly ends: readonly TopologyEnd[];
}

export interface TopologyEnd {
  readonly link: string;
  readonly node: string;
  /** The interface's name inside the node, at most 15 characters, unique in the node. */
  readonly interface: string;
  /** `02:00:5e:10:00:01`. Made from lab, node and interface names unless given, so the same in every run. Unused on `tun`. */
  readonly mac: string;
  readonly addresses: readonly TopologyAddress[];
}

export interface TopologyAddress {
  readonly family: 4 | 6;
  /** Canonical text (RFC 5952), no zone. */
  readonly address: string;
  readonly prefixLength: number;
}

export interface TopologyRoute {
  readonly family: 4 | 6;
  /** Canonical prefix `2001:db8:1::/48`; the default route is `::/0` or `0.0.0.0/0`. */
  readonly to: string;
  /** Next hop without zone; undefined when the destination is on the link itself or rejected. */
  readonly via: string | undefined;
  /** Interface name; always set when `via` is link-local or undefined, and wherever it follows from the addresses. */
  readonly dev: string | undefined;
  readonly reject: boolean;
}

export interface TopologyDaemon {
  /** Shell command line that stays in the foreground. */
  readonly run: string;
  /** Source of a regular expression; the daemon is ready when a line of its output matches. Undefined: ready at once. */
  readonly ready: string | undefined;
}

export interface TopologyFile {
  /** Absolute path in the node. */
  readonly path: string;
  readonly content: string;
}

export interface TopologyLimits {
  /** Bytes. */
  readonly memory: number | undefined;
  /** Processors; 0.5 is half of one. */
  readonly cpus: number | undefined;
}

export interface TopologyOptions {
  /** The kinds of node that can be started here. */
  readonly kinds?: readonly string[];
  /** Reads what `from:` names, relative to the topology's folder. `loadTopology` sets it. */
  readonly read?: (path: string) => string;
}

export interface TopologyOrigin {
  readonly file: string;
  readonly source: TopologySource;
  readonly options: TopologyOptions;
  /** Line and column of a field, where the topology came from text. */
  readonly locate: (path: readonly PropertyKey[], at: 'key' | 'value') => { line: number; column: number } | undefined;
}

/** Throws a UsageError that lists every error in the text. */
export declare function parseTopology(text: string, file: string, options?: TopologyOptions): Topology;
/** Reads a topology file, and the files it names. */
export declare function loadTopology(path: string, options?: Omit<TopologyOptions, 'read'>): Topology;
/** The same from code: an object of the file's shape. */
export declare function topology(source: TopologySource, options?: TopologyOptions): Topology;
/** The same lab with other kinds of node in some places: `withKinds(lab, { a: 'linux' })`. */
export declare function withKinds(topology: Topology, kinds: Readonly<Record<string, string>>): Topology;
