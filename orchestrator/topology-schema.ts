/**
 * The shape of a topology file, as zod checks it and as editors see it (JSON Schema). What one field alone can tell is
 * checked here; what needs two fields or more is in topology-resolve.ts.
 */
import { z } from 'zod';
import { faultSchema } from './faults/fault-schema.ts';
import { isMulticast, isUnspecified, parsePrefix, parseZoned } from './ip-text.ts';
import { fields, flag, list, map, named, number, text } from './schema-forms.ts';
import { expected, expectedOneOf } from './topology-problems.ts';

export const DEFAULT_KINDS: readonly string[] = ['kame', 'linux'];
export const DEFAULT_MTU = 1500;
/** IPv6 needs 1280 (RFC 8200 §5); a TAP device takes 65521, so that any kind of node can be at either end. */
export const MTU = { least: 1280, most: 65_521 } as const;

const NAME = /^[a-z][a-z0-9-]{0,30}$/;
const LINK_NAME = /^[a-z][a-z0-9_.-]{0,30}$/;
const END = /^[a-z][a-z0-9-]{0,30}(:[a-z][a-z0-9_.-]{0,14})?$/;
const INTERFACE = /^[a-z][a-z0-9_.-]{0,14}$/;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;
const MEMORY = /^[1-9][0-9]{0,6}[KMG]$/;
const ADDRESS = '[0-9A-Fa-f:.]+';
const ZONE = '%[a-z][a-z0-9_.-]{0,14}';

const unicastPrefix = (text: string, zoned: boolean): boolean => {
  const prefix = parsePrefix(text);
  return !!prefix && prefix.length > 0 && !isMulticast(prefix) && !isUnspecified(prefix) && (zoned || !prefix.zone);
};

/** The commonest slip. */
function missingLength(written: unknown): string {
  const ip = typeof written === 'string' ? parseZoned(written) : undefined;
  return ip ? `; add the length, as in "${written}/${ip.family === 6 ? 64 : 24}"` : '';
}

const allowDuplicate = flag()
  .describe('Let another node have the same address, on purpose: for scenarios of duplicate address detection.')
  .optional();

function address(example: string, zoned: boolean) {
  const what = `a unicast address with its prefix length, such as "${example}"`;
  const pattern = zoned ? `^${ADDRESS}(${ZONE})?/[0-9]{1,3}(${ZONE})?$` : `^${ADDRESS}/[0-9]{1,3}$`;
  const error = (issue: { readonly input?: unknown }) => expected(what)(issue) + missingLength(issue.input);
  const prefix = z
    .string({ error })
    .refine((value) => unicastPrefix(value, zoned), { error })
    .meta({ pattern });
  return z
    .union([prefix, fields('a map with the address and its settings', { address: prefix, allowDuplicate })], {
      error: expected(`${what}, or a map with "address" and "allowDuplicate"`),
    })
    .meta({ examples: [example] });
}

const isRegularExpression = (source: string): boolean => {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
};

const commandLine = (what: string) => text(what, /\S/);

const route = named(
  'route',
  fields('a route such as { to: default, via: "2001:db8::1" }', {
    to: text(
      'a prefix such as "2001:db8:1::/48", or "default"',
      (value) => value === 'default' || (parsePrefix(value) !== undefined && parsePrefix(value)?.zone === undefined),
      `^(default|${ADDRESS}/[0-9]{1,3})$`,
    ).describe('Destination: a prefix, or `default`.'),
    via: text(
      'the address of the next hop, such as "2001:db8::1" or "fe80::1%eth0"',
      (value) => parseZoned(value) !== undefined,
      `^${ADDRESS}(${ZONE})?$`,
    )
      .describe('Next hop. A link-local one needs its interface: `fe80::1%ab`.')
      .optional(),
    dev: text("the name of one of the node's interfaces", INTERFACE)
      .describe('Interface of the node. Follows from `via` where that is on one of its prefixes.')
      .optional(),
    reject: flag().describe('Answer what goes there with an ICMP error.').optional(),
  }),
);

const daemon = named(
  'daemon',
  fields('a daemon such as { run: "radvd -n" }', {
    run: commandLine('a command line').describe('Command line of a program that stays in the foreground.'),
    ready: text('a regular expression', isRegularExpression)
      .describe('Regular expression; the daemon is ready when a line of its output matches. Without it, at once.')
      .optional(),
  }),
);

const file = named(
  'file',
  z.union(
    [
      text('the text of the file'),
      fields('a map with "from"', {
        from: text(
          'a path in the topology\'s own folder, such as "r/radvd.conf"',
          (path) => path !== '' && !path.startsWith('/') && !path.split('/').includes('..'),
        ).describe("A file in the topology's folder."),
      }),
    ],
    { error: expected('the text of the file, or { from: path }') },
  ),
);

const limits = named(
  'limits',
  fields('limits such as { memory: 128M, cpus: 0.5 }', {
    memory: text('an amount of memory such as 128M, in K, M or G', MEMORY)
      .describe('Most memory the node may use: `128M`, in K, M or G.')
      .optional(),
    cpus: z
      .number({ error: expected('a number of processors such as 0.5') })
      .gt(0, { error: expected('a number of processors above 0, such as 0.5') })
      .describe('Most processor time: 0.5 is half of one processor.')
      .optional(),
  }),
);

/** Settings that count whichever place they are written in: defaults, a group, a node, or a section for one kind. */
const common = {
  forwarding: flag().describe('true: a router; false, the default: a host.').optional(),
  routes: list(route, 'a list of routes').describe('Added in this order, once the addresses are set.').optional(),
  sysctls: map(
    text('the name of a sysctl such as net.inet6.ip6.hlim', /^[a-z][A-Za-z0-9_./*-]*$/),
    z.union([text('a value'), z.number()], { error: expected('a text or a number') }),
    'a map from sysctl to value',
  )
    .describe("Sysctls by the names of the node's kind.")
    .optional(),
  files: map(
    text('an absolute path such as /etc/radvd.conf', /^\/(?!.*\/\.\.(\/|$)).*[^/]$/),
    file,
    'a map from path to file',
  )
    .describe('Files in the node: the text itself, or { from: path }.')
    .optional(),
  commands: list(commandLine('a command line'), 'a list of command lines')
    .describe('Run once links, addresses and routes are up, in order.')
    .optional(),
  daemons: list(daemon, 'a list of daemons such as [{ run: "radvd -n" }]')
    .describe('Started after the commands, in order.')
    .optional(),
  limits: limits.optional(),
};

const anyName = (what: string) =>
  text(`${what} such as "r1": a small letter, then small letters, digits and -, at most 31`, NAME);
const mtu = number(MTU.least, MTU.most).describe('Largest IP packet of the link, 1500 unless given.').optional();
const medium = z
  .enum(['ethernet', 'tun'], { error: expectedOneOf(['ethernet', 'tun']) })
  .describe('ethernet: frames with link-layer addresses; tun: bare packets.')
  .optional();

const end = named(
  'end',
  fields('an end\'s settings such as { addresses: ["2001:db8::1/64"] }', {
    addresses: list(address('2001:db8::1/64', false), 'a list of addresses such as ["2001:db8::1/64"]').optional(),
    mac: text('a hardware address such as "02:00:00:00:00:01"', MAC)
      .describe('Hardware address. Made from the names of lab, node and interface unless given.')
      .optional(),
  }),
);

const endName = (what: string) => text(what, END);
const ENDS = 'a node such as "a", or node and interface "a:eth0"';
const nodesOfLink = list(endName(ENDS), 'a list of nodes such as [a, b]').describe(
  'The nodes, or `node:interface`; instead of `ends`.',
);
const endsOfLink = map(endName(ENDS), end.nullable(), 'a map from node to its end').describe(
  "Each node's end of the link: `a` or `a:eth0`. The interface is named like the link unless given.",
);

const TWO = 'two ends; more need a link of type lan';
const linkFields = {
  mtu,
  wire: flag()
    .describe('true: carried by a wire in software, so that a scenario can put faults on it. Follows from `faults`.')
    .optional(),
  faults: list(faultSchema, 'a list of faults such as [{ drop: { icmp6: neighborAdvertisement, nth: 1 } }]')
    .describe('What goes wrong on the link, one behind the other in this order.')
    .optional(),
};
const p2p = named(
  'p2p',
  fields('a link', {
    type: z.literal('p2p').describe('Two ends.'),
    nodes: nodesOfLink.length(2, { error: expected(TWO) }).optional(),
    ends: endsOfLink
      .refine((ends) => Object.keys(ends).length === 2, { error: expected(TWO) })
      .meta({ minProperties: 2, maxProperties: 2 })
      .optional(),
    ...linkFields,
    medium,
  }),
);
const lan = named(
  'lan',
  fields('a link', {
    type: z.literal('lan').describe('Any number of ends on a bridge.'),
    nodes: nodesOfLink.min(1, { error: expected('at least one end') }).optional(),
    ends: endsOfLink
      .refine((ends) => Object.keys(ends).length > 0, { error: expected('at least one end') })
      .meta({ minProperties: 1 })
      .optional(),
    ...linkFields,
  }),
);
const linkType = expectedOneOf(['p2p', 'lan']);
const link = z.discriminatedUnion('type', [p2p, lan], {
  error: (issue) =>
    typeof issue.input === 'object' && issue.input !== null && !Array.isArray(issue.input)
      ? linkType({ input: (issue.input as { type?: unknown }).type })
      : expected('a link such as { type: p2p, nodes: [a, b] }')(issue),
});

export type TopologySource = z.input<ReturnType<typeof topologySchema>>;

/** The schema for the kinds of node there are: each kind may have its own section wherever node settings are. */
export function topologySchema(kinds: readonly string[] = DEFAULT_KINDS) {
  const sections = Object.fromEntries(
    kinds.map((kind) => [
      kind,
      named(`${kind}-section`, fields(`settings for ${kind} nodes`, common))
        .describe(`Counts only while the node's kind is ${kind}.`)
        .optional(),
    ]),
  ) as Record<'kame' | 'linux', z.ZodOptional<z.ZodObject<typeof common, z.core.$strict>>>;
  const kind = z
    .enum(kinds, { error: expectedOneOf(kinds) })
    .describe('Which implementation the node runs.')
    .optional();
  const settings = { kind, ...common, ...sections };
  const group = named('group', fields('node settings', settings));
  const node = named(
    'node',
    fields('node settings such as { kind: kame }', {
      ...settings,
      group: anyName('the name of a group').describe('Takes the settings of one of the `groups`.').optional(),
      addresses: list(address('2001:db8::1%ab/64', true), 'a list of addresses such as ["2001:db8::1%ab/64"]')
        .describe(
          'Addresses by interface, `2001:db8::1%ab/64`; `%lo` is the loopback. Or write them on the ends of links.',
        )
        .optional(),
      hostname: text('a host name of small letters, digits and -', /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
        .describe("The node's name unless given.")
        .optional(),
    }),
  );
  return fields('a topology: a map with name, nodes and links', {
    name: anyName('a lab name').describe('Name of the lab.'),
    description: text('a text').optional(),
    seed: number(0, 2 ** 32 - 1)
      .describe('For everything that is random, 1 unless given.')
      .optional(),
    defaults: fields('settings for nodes and links', { ...settings, mtu, medium: medium.describe('For p2p links.') })
      .describe('Settings of every node and link that does not say otherwise.')
      .optional(),
    groups: map(anyName('a group name'), group, 'a map from group name to node settings')
      .describe('Named node settings; a node takes one with `group`.')
      .optional(),
    nodes: map(anyName('a node name'), node.nullable(), 'a map from node name to settings')
      .refine((nodes) => Object.keys(nodes).length > 0, { error: 'expected at least one node' })
      .meta({ minProperties: 1 }),
    links: map(
      text('a link name of small letters, digits, and - _ ., at most 31', LINK_NAME),
      link,
      'a map from link name to link',
    ).optional(),
  });
}

/** The schema for editors; topologies/topology.schema.json holds it. */
export function topologyJsonSchema(kinds: readonly string[] = DEFAULT_KINDS): Record<string, unknown> {
  return { title: 'kamelab topology', ...z.toJSONSchema(topologySchema(kinds), { io: 'input' }) };
}
