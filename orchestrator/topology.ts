/**
 * A topology: the nodes of a lab and the links between them.
 *
 *   text --yaml--> document --zod--> TopologySource --resolve--> Topology
 *
 * Drivers see only the resolved form below: defaults, groups and kind sections are merged, every name, hardware
 * address and prefix is explicit and has been checked.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Document, LineCounter, parseDocument, type YAMLParseError } from 'yaml';
import type { Fault } from './faults/fault.ts';
import { danglingAliases, locateIn, type Position } from './source-position.ts';
import { didYouMean, expectedOneOf, type Path, type Problem, problemLine, problemsOf } from './topology-problems.ts';
import { resolve } from './topology-resolve.ts';
import { DEFAULT_KINDS, type TopologySource, topologySchema } from './topology-schema.ts';
import { UsageError } from './usage-error.ts';

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
  /** Names as the kind knows them (`net.inet6.ip6.hlim`); to be set when the interfaces exist and before they go up. */
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
  /** Carried by a wire in software, which can have faults. */
  readonly wire: boolean;
  /** In force from when the link is there; in this order, one behind the other. */
  readonly faults: readonly Fault[];
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
  readonly locate: (path: Path, at: Problem['at']) => Position | undefined;
  /** Kinds that `withKinds` gave to nodes. */
  readonly kinds: Readonly<Record<string, string>>;
}

/** Throws a UsageError that lists everything that is wrong with the text. */
export function parseTopology(text: string, file: string, options: TopologyOptions = {}): Topology {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const syntax = [
    ...document.errors.map((error) => ({ offset: error.pos[0], message: syntaxMessage(error, text) })),
    ...danglingAliases(document).map(({ name, offset }) => ({
      offset,
      message: `no anchor &${name} stands before this`,
    })),
  ];
  if (syntax.length > 0) {
    const at = (offset: number) => lines.linePos(offset);
    throw new UsageError(
      syntax.map(({ offset, message }) => `${file}:${at(offset).line}:${at(offset).col}: ${message}`).join('\n'),
    );
  }
  return check(plainValue(document, file), { file, options, locate: locateIn(document, lines) }, {});
}

/** Reads a topology file and the files that it names. */
export function loadTopology(path: string, options: Omit<TopologyOptions, 'read'> = {}): Topology {
  const folder = dirname(path);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path}: cannot read the topology: ${(error as Error).message}`);
  }
  return parseTopology(text, path, { ...options, read });
}

/** The same from code: an object of the file's shape. Errors name the field alone. */
export function topology(source: TopologySource, options: TopologyOptions = {}): Topology {
  return check(source, { file: 'topology', options, locate: () => undefined }, {});
}

/** The same lab with other kinds of node in some places, `withKinds(lab, { a: 'linux' })`; kind sections follow. */
export function withKinds({ origin, nodes }: Topology, kinds: Readonly<Record<string, string>>): Topology {
  const names = nodes.map(({ name }) => name);
  const registered = origin.options.kinds ?? DEFAULT_KINDS;
  const wrong = Object.entries(kinds).flatMap(([node, kind]) => {
    if (!names.includes(node))
      return `no node is named "${node}"${didYouMean(node, names) || `; nodes are ${names.join(', ')}`}`;
    return registered.includes(kind) ? [] : `node ${node}: ${expectedOneOf(registered)({ input: kind })}`;
  });
  if (wrong.length > 0) throw new UsageError(wrong.map((message) => `${origin.file}: ${message}`).join('\n'));
  return check(origin.source, origin, { ...origin.kinds, ...kinds });
}

function syntaxMessage({ code, message, pos }: YAMLParseError, text: string): string {
  if (code !== 'DUPLICATE_KEY') return message;
  return `"${/^[^:\s]*/.exec(text.slice(pos[0]))}" is written twice in one map; keep one`;
}

function plainValue(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`); // aliases that multiply without end
  }
}

function check(
  value: unknown,
  from: Omit<TopologyOrigin, 'source' | 'kinds'>,
  overrides: Readonly<Record<string, string>>,
): Topology {
  const { file, options, locate } = from;
  const kinds = options.kinds ?? DEFAULT_KINDS;
  const schema = topologySchema(kinds);
  const parsed = schema.safeParse(value);
  const problems: Problem[] = parsed.success ? [] : problemsOf(parsed.error.issues);
  const warnings: Problem[] = [];
  const sound = parsed.success ? parsed.data : soundPart(value, schema, problems);
  const resolved =
    sound &&
    resolve(sound, {
      kinds,
      overrides,
      read: options.read,
      written: { nodes: keysOf(value, 'nodes'), groups: keysOf(value, 'groups') },
      whole: parsed.success,
      problem: (problem) => problems.push(problem),
      warning: (warning) => warnings.push(warning),
    });
  const lines = (found: readonly Problem[]) => [
    ...new Set(
      found
        .map((problem) => ({ problem, at: locate(problem.path, problem.at) }))
        .sort((a, b) => (a.at && b.at ? a.at.line - b.at.line || a.at.column - b.at.column : 0))
        .map(({ problem, at }) => problemLine(file, problem, at)),
    ),
  ];
  if (problems.length > 0 || !parsed.success || !resolved) throw new UsageError(lines(problems).join('\n'));
  return {
    ...resolved,
    warnings: lines(warnings),
    origin: { file, options, locate, source: parsed.data, kinds: overrides },
  };
}

/**
 * What is left of a broken topology once the broken fields are cut out, so that the rest is checked in the same run.
 * A field in a list takes the list with it: the places of the others must not shift.
 */
function soundPart(
  value: unknown,
  schema: ReturnType<typeof topologySchema>,
  problems: readonly Problem[],
): TopologySource | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const copy = structuredClone(value) as Record<PropertyKey, unknown>;
  let broken: readonly Problem[] = problems;
  for (let round = 0; round < 8; round++) {
    for (const { path } of broken) cutOut(copy, path);
    copy['name'] ??= 'lab';
    const parsed = schema.safeParse(copy);
    if (parsed.success) return parsed.data;
    broken = problemsOf(parsed.error.issues);
  }
  return undefined;
}

/** Removes a field; one that is missing is removed by removing what needs it. */
function cutOut(root: Record<PropertyKey, unknown>, path: Path): void {
  const inList = path.findIndex((step) => typeof step === 'number');
  const whole = inList < 0 ? path : path.slice(0, inList);
  let parent = root;
  for (const [depth, step] of whole.entries()) {
    const child = parent[step];
    if (depth === whole.length - 1) {
      if (step in parent) delete parent[step];
      else cutOut(root, whole.slice(0, -1));
      return;
    }
    if (typeof child !== 'object' || child === null) return;
    parent = child as Record<PropertyKey, unknown>;
  }
}

function keysOf(value: unknown, field: string): string[] {
  const map = (value as Record<string, unknown> | null)?.[field];
  return typeof map === 'object' && map !== null && !Array.isArray(map) ? Object.keys(map) : [];
}
