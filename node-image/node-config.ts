/** The configuration file of a node that runs by itself: what `kame-node --config` reads. */
import { isMap, LineCounter, parseDocument, type Node as YamlNode } from 'yaml';
import { z } from 'zod';
import { findTunable } from '#stack/sysctl.ts';
import { parsePrefix, parseScoped, type Scoped } from '#stack/wire/address.ts';
import { parseMac } from '#stack/wire/ethernet.ts';

/** The file is wrong: one line a problem, `file:line:column: field: what is expected`. */
export class ConfigError extends Error {}

const expected = (what: string) => ({ error: () => `expected ${what}` });
const text = (what: string, good: (text: string) => boolean) => z.string(expected(what)).refine(good, expected(what));

/** `2001:db8::1/64` or `fe80::1%tap0`, without length. */
const isScoped = (value: string): boolean => parseScoped(value) !== undefined;
const isPrefix = (value: string): boolean => parsePrefix(value) !== undefined;

const ADDRESS = 'an address with its prefix length, such as "2001:db8::1/64"';
const address = z.union(
  [
    text(ADDRESS, isPrefix),
    z.strictObject({
      address: text(ADDRESS, isPrefix),
      anycast: z.boolean(expected('true or false')).default(false),
      eui64: z.boolean(expected('true or false')).default(false),
      /** Of a tun device's other end. */
      destination: text('an address', isScoped).optional(),
    }),
  ],
  expected(`${ADDRESS}, or a map with "address" and "anycast", "eui64" or "destination"`),
);

const NAME = 'an interface name: a letter, then up to 14 letters, digits or one of "_.-"';
const name = text(NAME, (value) => /^[A-Za-z][A-Za-z0-9_.-]{0,14}$/.test(value));

const networkInterface = z.strictObject({
  name,
  /** Of the kernel; made if it is not there. */
  device: name.optional(),
  mode: z.enum(['tap', 'tun'], expected('"tap" (Ethernet) or "tun" (IP packets)')).default('tap'),
  mtu: z
    .int(expected('a whole number from 1280 to 65521'))
    .min(1280, expected('1280 or more (RFC 8200 section 5)'))
    .max(65_521, expected('65521 or less'))
    .default(1500),
  mac: text('a unicast link-layer address, such as "02:00:00:00:00:01"', (value) => {
    const mac = parseMac(value);
    return mac !== undefined && (mac[0]! & 1) === 0;
  }).optional(),
  /** TCP and UDP checksums and segments of up to 64 KB cross the device unfinished. */
  offload: z.boolean(expected('true or false')).default(false),
  up: z.boolean(expected('true or false')).default(true),
  addresses: z.array(address, expected('a list of addresses')).default([]),
});

const route = z.strictObject({
  to: text('"default" or a prefix, such as "2001:db8:1::/48"', (value) => value === 'default' || isPrefix(value)),
  via: text(
    'the address of a next hop; a link-local one with its interface, as in "fe80::1%tap0"',
    isScoped,
  ).optional(),
  interface: name.optional(),
  reject: z.boolean(expected('true or false')).default(false),
  blackhole: z.boolean(expected('true or false')).default(false),
  mtu: z.int(expected('a whole number')).min(1280, expected('1280 or more')).optional(),
});

const schema = z.strictObject({
  hostname: text('a name', (value) => value !== '' && value.length < 256).optional(),
  /** For runs that draw the same random numbers each time; absent: the system's randomness. */
  seed: z.int(expected('a whole number')).optional(),
  /** Interfaces have no carrier until the control socket is told that they are connected. */
  hold: z.boolean(expected('true or false')).default(false),
  sysctls: z.record(z.string(), z.int(expected('a whole number')), expected('a map of names and numbers')).default({}),
  loopback: z.array(address, expected('a list of addresses')).default([]),
  interfaces: z.array(networkInterface, expected('a list of interfaces')).default([]),
  routes: z.array(route, expected('a list of routes')).default([]),
  /** Command lines of the node's tools, run in order at the end. */
  commands: z.array(z.string(expected('a command line')), expected('a list of command lines')).default([]),
  /** Content by path, for programs that read files. */
  files: z
    .record(z.string(), z.string(expected('the text of the file')), expected('a map of paths and texts'))
    .default({}),
});

export type NodeConfig = z.infer<typeof schema>;
export type InterfaceConfig = NodeConfig['interfaces'][number];
export type AddressConfig = NodeConfig['loopback'][number];

export const EMPTY: NodeConfig = schema.parse({});

/** Throws ConfigError with all that is wrong. */
export function parseConfig(source: string, file: string): NodeConfig {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map((error) => `${at(error.pos[0])}: ${error.message}`).join('\n'));
  }
  const problems: { path: readonly PropertyKey[]; message: string }[] = [];
  const parsed = schema.safeParse(document.toJS() ?? {});
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      if (issue.code === 'unrecognized_keys') {
        for (const key of issue.keys) problems.push({ path: [...issue.path, key], message: 'no such field' });
      } else problems.push({ path: issue.path, message: issue.message });
    }
  } else problems.push(...contradictions(parsed.data));
  if (problems.length === 0 && parsed.success) return parsed.data;
  const place = (path: readonly PropertyKey[]): string => {
    for (let length = path.length; length > 0; length--) {
      const offset = offsetOf(document.contents, document, path.slice(0, length));
      if (offset !== undefined) return at(offset);
    }
    return `${file}:1:1`;
  };
  throw new ConfigError(
    problems.map(({ path, message }) => `${place(path)}: ${fieldName(path)}: ${message}`).join('\n'),
  );
}

/** What needs two fields to be seen. */
function contradictions(config: NodeConfig): { path: PropertyKey[]; message: string }[] {
  const problems: { path: PropertyKey[]; message: string }[] = [];
  const names = new Set(['lo0']);
  for (const [index, { name, mode, mac }] of config.interfaces.entries()) {
    if (names.has(name)) problems.push({ path: ['interfaces', index, 'name'], message: `${name} is there already` });
    names.add(name);
    if (mode === 'tun' && mac !== undefined) {
      problems.push({ path: ['interfaces', index, 'mac'], message: 'a tun device has no link-layer address' });
    }
  }
  for (const [index, { via, interface: by, reject, blackhole }] of config.routes.entries()) {
    const path = ['routes', index];
    if (via === undefined && by === undefined && !reject && !blackhole) {
      problems.push({ path, message: 'expected "via", "interface", "reject" or "blackhole"' });
    }
    if (by !== undefined && !names.has(by))
      problems.push({ path: [...path, 'interface'], message: `no interface ${by}` });
    const zone = via === undefined ? undefined : (parseScoped(via) as Scoped).zone;
    if (zone !== undefined && !names.has(zone))
      problems.push({ path: [...path, 'via'], message: `no interface ${zone}` });
  }
  for (const [name, value] of Object.entries(config.sysctls)) {
    const tunable = findTunable(name)?.tunable;
    const least = tunable?.min ?? -0x8000_0000;
    const most = tunable?.max ?? 0x7fff_ffff;
    if (tunable === undefined)
      problems.push({ path: ['sysctls', name], message: 'no such sysctl; `sysctl -a` lists them' });
    else if (value < least || value > most) {
      problems.push({ path: ['sysctls', name], message: `expected a whole number from ${least} to ${most}` });
    }
  }
  return problems;
}

function fieldName(path: readonly PropertyKey[]): string {
  return (
    path
      .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${String(step)}`))
      .join('') || 'the file'
  );
}

/** Where a field starts: its key in a map, its value in a list. */
function offsetOf(
  contents: unknown,
  document: { getIn(path: Iterable<unknown>, keep: boolean): unknown },
  path: readonly PropertyKey[],
) {
  const parent = path.length === 1 ? contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => String(key) === String(last));
    return (pair?.key as YamlNode | undefined)?.range?.[0];
  }
  return (document.getIn(path, true) as YamlNode | undefined)?.range?.[0];
}
