/**
 * The kame stack seen by somebody else: scapy sends frames to kame nodes over TAPs and judges every answer with its own dissector.
 * Each table row is a rule: what is sent, all that must come back, and the counters that rise by one (or as told).
 *
 * Expressions are scapy's, with the words of scapy/tester.py: T is the tester, D the node, DL and TL their link-local addresses.
 * Beside what a row says, every frame must have good checksums, lengths and addresses, and an ICMPv6 error must quote, byte by
 * byte, what was sent.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createNamespace, deleteNamespace, link, writeSysctl } from 'tun-tap';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeState } from '#node/node-state.ts';
import { KameProcess } from './kame-process.ts';
import { Tester } from './tester.ts';
import { dissect } from './tshark.ts';

const WORDS = {
  D: '2001:db8:1::1',
  T: '2001:db8:1::2',
  DL: 'fe80::5eff:fe00:201',
  TL: 'fe80::2',
  DM: '02:00:5e:00:02:01',
  TM: '02:00:5e:00:02:02',
  ANY: '2001:db8:1::a',
  FAR: '2001:db8:ff::2',
  FAR2: '2001:db8:fe::2',
  // the router's other side
  D2: '2001:db8:2::1',
  T2: '2001:db8:2::2',
  DM2: '02:00:5e:00:02:11',
  TM2: '02:00:5e:00:02:12',
  OTHER: '02:00:5e:00:02:03',
} as const;
const { D, T, TL, DM, TM, DM2, TM2 } = WORDS;

const able =
  process.getuid?.() === 0 && existsSync('/dev/net/tun') && existsSync('/usr/lib/python3/dist-packages/scapy');

const NAMESPACE = `interop-blackbox-${process.pid}`;
const nodes = new Map<string, KameProcess>();
const folder = mkdtempSync(join(tmpdir(), 'kamelab-blackbox-'));
let tester: Tester;

const QUIET = { 'net.inet6.ip6.dad_count': 0, 'net.inet6.icmp6.errppslimit': -1 };

/** Each has links of its own to the tester, so that all may have one and the same address. */
const CONFIGS: Record<string, object> = {
  host: {
    sysctls: QUIET,
    interfaces: [{ name: 'host', mac: DM, addresses: [`${D}/64`, { address: `${WORDS.ANY}/64`, anycast: true }] }],
    routes: [{ to: 'default', via: `${TL}%host` }],
    commands: [`ndp -s ${T} ${TM}`, `ndp -s ${TL}%host ${TM}`, 'ndp -i host -nud'],
  },
  router: {
    sysctls: { ...QUIET, 'net.inet6.ip6.forwarding': 1 },
    interfaces: [
      { name: 'left', mac: DM, addresses: [`${D}/64`, { address: '2001:db8:1::/64', anycast: true }] },
      { name: 'right', mac: DM2, mtu: 1280, addresses: [`${WORDS.D2}/64`] },
    ],
    routes: [{ to: '2001:db8:3::/64', via: 'fe80::22%left' }],
    commands: [
      `ndp -s ${T} ${TM}`,
      `ndp -s ${TL}%left ${TM}`,
      `ndp -s fe80::22%left ${WORDS.OTHER}`,
      `ndp -s ${WORDS.T2} ${TM2}`,
      `ndp -s ${TL}%right ${TM2}`,
      'ndp -i left -nud',
      'ndp -i right retrans=250',
    ],
  },
  big: {
    sysctls: QUIET,
    interfaces: [{ name: 'big', mac: DM, mtu: 65_521, addresses: [`${D}/64`] }],
    commands: [`ndp -s ${T} ${TM}`],
  },
  nud: {
    sysctls: { ...QUIET, 'net.inet6.icmp6.nd6_delay': 1 },
    interfaces: [{ name: 'nud', mac: DM, addresses: [`${D}/64`] }],
    commands: [`ndp -s ${T} ${TM}`, 'ndp -i nud basereachable=200 retrans=200'],
  },
  fuzzed: {
    sysctls: QUIET,
    interfaces: [{ name: 'fuzzed', mac: DM, addresses: [`${D}/64`] }],
    commands: [`ndp -s ${T} ${TM}`, `ndp -s ${TL}%fuzzed ${TM}`],
  },
  claimed: { interfaces: [{ name: 'claimed', mac: DM, addresses: [`${D}/64`] }] },
  contested: { interfaces: [{ name: 'contested', mac: DM, addresses: [`${D}/64`] }] },
  looped: { interfaces: [{ name: 'looped', mac: DM, addresses: [`${D}/64`] }] },
  disguised: { interfaces: [{ name: 'disguised', mac: DM, addresses: [`${D}/64`] }] },
  late: { interfaces: [{ name: 'late', mac: DM, addresses: [`${D}/64`] }] },
};
/** What the tester does on a link by itself. */
const PARTS: Record<string, string> = {
  claimed: 'claim by NA',
  contested: 'claim global by NS',
  looped: 'echo',
  disguised: 'echo disguised',
};

const node = (name: string): KameProcess => nodes.get(name)!;

beforeAll(async () => {
  if (!able) return;
  createNamespace(NAMESPACE);
  for (const which of ['all', 'default']) writeSysctl(NAMESPACE, `net.ipv6.conf.${which}.disable_ipv6`, 1);
  tester = new Tester(NAMESPACE, WORDS);
  await Promise.all(
    Object.entries(CONFIGS).map(async ([name, config]) => {
      nodes.set(name, await KameProcess.start({ namespace: NAMESPACE, config, hold: name !== 'late' }));
    }),
  );
  link.setMtu('big', 65_521, NAMESPACE);
  for (const device of [
    'host',
    'left',
    'big',
    'nud',
    'fuzzed',
    'claimed',
    'contested',
    'looped',
    'disguised',
    'late',
  ]) {
    await tester.open({ device, mac: TM, peer: DM, address: D });
  }
  await tester.open({ device: 'right', mac: TM2, peer: DM2, address: WORDS.D2 });
  for (const [device, part] of Object.entries(PARTS)) await tester.play(device, part);
  for (const { name } of link.list(NAMESPACE)) if (name !== 'lo' && name !== 'late') link.setUp(name, NAMESPACE);
  await Promise.all([...nodes].map(([name, one]) => (name === 'late' ? undefined : one.connected())));
});

afterAll(async () => {
  await tester?.end();
  await Promise.all([...nodes.values()].map((one) => one.end()));
  if (able) deleteNamespace(NAMESPACE);
  rmSync(folder, { recursive: true });
});

/** What rises with every good packet, and by errors that a row names by the answer that it wants. */
const FLOW =
  /^(ip6\.(received|delivered|localOut|forwarded|fragments|fragmented|fragmentsCreated|rawOut)|icmp6\.(reflected|errors|out\w+)|nd6\.\w+(Sent|Received)|mld6\.\w+|udp6\.received)$/;

type Counted = string | readonly string[] | Readonly<Record<string, number>>;
/** Counters that rose, beside those of FLOW; `undefined` where a row leaves them open. */
type Row = readonly [
  title: string,
  sent: string | readonly string[],
  wanted: string | readonly string[],
  counted?: Counted | undefined,
];
const NOTHING: readonly string[] = [];
/** Neither a protocol of the stack nor a raw socket wants it. */
const UNKNOWN = ['ip6.noProtocol', 'rip6.noSocket'] as const;

const many = (one: string | readonly string[]): readonly string[] => (typeof one === 'string' ? [one] : one);

function counts(counted: Counted): Record<string, number> {
  if (typeof counted === 'object' && !Array.isArray(counted)) return { ...counted } as Record<string, number>;
  return Object.fromEntries(many(counted as string).map((name) => [name, 1]));
}

function risen(before: NodeState, after: NodeState): Record<string, number> {
  const rises: Record<string, number> = {};
  for (const [protocol, counters] of Object.entries(after.counters)) {
    for (const [name, count] of Object.entries(counters as Record<string, number>)) {
      const rise = count - (before.counters as Record<string, Record<string, number>>)[protocol]![name]!;
      if (rise !== 0) rises[`${protocol}.${name}`] = rise;
    }
  }
  return rises;
}

interface Place {
  readonly node: string;
  readonly device: string;
  readonly settle: readonly string[];
}
const HOST: Place = { node: 'host', device: 'host', settle: ['host'] };
const ROUTER: Place = { node: 'router', device: 'left', settle: ['left', 'right'] };

async function holds(
  place: Place,
  [, sent, wanted, counted = []]: Row,
  more: { quoted?: string[]; mtu?: number } = {},
) {
  const before = await node(place.node).state();
  const { device, settle } = place;
  const judged = await tester.exchange({ device, settle, sent: many(sent), wanted: many(wanted), ...more });
  const after = await node(place.node).state();
  expect(judged.problems).toEqual([]);
  const expected = counts(counted);
  const rises = Object.entries(risen(before, after)).filter(([name]) => name in expected || !FLOW.test(name));
  expect(Object.fromEntries(rises)).toEqual(expected);
}

function table(place: Place, rows: readonly Row[]): void {
  test.for(rows.map((row) => [row[0], row] as const))('%s', ([, row]) => holds(place, row));
}

describe.runIf(able)('the IPv6 header', () => {
  table(HOST, [
    ...[0, 4, 5, 7, 15].map(
      (version): Row => [
        `IP-01 version ${version} is dropped`,
        `ip(version=${version})/echo()`,
        NOTHING,
        'ip6.badVersion',
      ],
    ),
    ...[1, 8, 39].map(
      (length): Row => [
        `IP-01 ${length} bytes of a header are dropped`,
        `cut(ip()/echo(), ${length})`,
        NOTHING,
        'ip6.tooSmall',
      ],
    ),
    ['IP-01 a frame shorter than its payload length is dropped', 'cut(ip()/echo(), 60)', NOTHING, 'ip6.tooShort'],
    ['IP-01 what the link padded is left behind', 'Raw(raw(ip()/echo()) + bytes(20))', 'reply()'],
    ['IP-02 a host takes what arrives with hop limit 0', 'ip(hlim=0)/echo()', 'reply()'],
    ['IP-02 replies have hop limit 64', 'ip(hlim=1)/echo()', 'reply(hlim=64)'],
    ['IP-01 traffic class and flow label are no concern', 'ip(tc=255, fl=0xfffff)/echo()', 'reply()'],
    ['IP-14 a frame to another station is dropped', 'Ether(src=TM, dst=OTHER)/ip()/echo()', NOTHING],
    ['IP-14 a packet to another host is dropped', 'ip(dst="2001:db8:1::77")/echo()', NOTHING, 'ip6.notForUs'],
    ['IP-14 a group that nobody joined is dropped', 'ip(dst="ff02::77")/echo()', NOTHING, 'ip6.notMember'],
  ]);
  table(ROUTER, [
    ...[0, 1].map(
      (hlim): Row => [
        `IP-02 a router returns hop limit ${hlim} with Time Exceeded`,
        `ip(dst=T2, hlim=${hlim})/echo()`,
        'exceeded(0)',
        'ip6.cannotForward',
      ],
    ),
    ['IP-02 a router counts the hop limit down', 'ip(dst=T2, hlim=2)/echo()', 'right: ip(dst=T2, hlim=1)/echo()'],
    ['IP-03 what fits the next link goes on', 'ip(dst=T2)/echo(1232)', 'right: ip(dst=T2, hlim=63)/echo(1232)'],
    [
      'IP-03 a router never fragments: Packet Too Big with the MTU of the next link',
      'ip(dst=T2)/echo(1233)',
      'too_big(1280)',
      'ip6.cannotForward',
    ],
    [
      'IP-03 no route: Destination Unreachable',
      'ip(dst=FAR)/echo()',
      'unreachable(0)',
      ['ip6.noRoute', 'ip6.cannotForward'],
    ],
  ]);
});

describe.runIf(able)('extension headers', () => {
  table(HOST, [
    ...(['hop', 'dest'] as const).flatMap((header): Row[] => [
      [`IP-06 unknown option 00 in ${header} is skipped`, `ip()/${header}(option(0x1e))/echo()`, 'reply()'],
      [`IP-06 unknown option 01 in ${header} drops`, `ip()/${header}(option(0x5e))/echo()`, NOTHING, 'ip6.badOptions'],
      ...['0x9e', '0xde'].map(
        (kind): Row => [
          `IP-06 unknown option ${kind} in ${header} is a Parameter Problem that points at it`,
          `ip()/${header}(option(${kind}))/echo()`,
          'problem(2, 42)',
          'ip6.badOptions',
        ],
      ),
      [
        `IP-06 the second option of ${header} is pointed at`,
        `ip()/${header}(option(0x1e), option(0x9e))/echo()`,
        'problem(2, 48)',
        'ip6.badOptions',
      ],
      [
        `IP-06 unknown option 10 in ${header} to a group is answered`,
        `ip(dst="ff02::1")/${header}(option(0x9e))/echo()`,
        'problem(2, 42)',
        'ip6.badOptions',
      ],
      [
        `IP-06 unknown option 11 in ${header} to a group is not`,
        `ip(dst="ff02::1")/${header}(option(0xde))/echo()`,
        NOTHING,
        'ip6.badOptions',
      ],
      [
        `IP-06 an option longer than its ${header} header drops`,
        `ip()/${header}(HBHOptUnknown(otype=0x1e, optlen=40, optdata=b"1234"))/echo()`,
        NOTHING,
        'ip6.badOptions',
      ],
      [
        `IP-06 a ${header} header longer than the packet drops`,
        `ip()/${header}(option(0x1e), len=200)/echo()`,
        NOTHING,
        'ip6.tooShort',
      ],
    ]),
    ['IP-05 Hop-by-Hop options behind others', 'ip()/dest()/hop()/echo()', 'problem(1, 40)', 'ip6.noProtocol'],
    ['IP-05 Hop-by-Hop options twice', 'ip()/hop()/hop()/echo()', 'problem(1, 40)', 'ip6.noProtocol'],
    [
      'IP-05 headers in an unusual order',
      'ip()/dest()/IPv6ExtHdrFragment()/dest()/dest()/echo()',
      'reply()',
      'ip6.fragmentsAtomic',
    ],
    ['IP-07 an unknown next header', 'ip(nh=253)/Raw(data(8))', 'problem(1, 6)', UNKNOWN],
    ['IP-07 an unknown next header behind others', 'ip()/dest(nh=253)/Raw(data(8))', 'problem(1, 40)', UNKNOWN],
    ['IP-07 no next header is the end of it', 'ip(nh=59)/Raw(data(8))', NOTHING],
    ['IP-07 no next header, and nothing behind', 'ip(nh=59)', NOTHING],
    ['IP-07 no next header behind options', 'ip()/dest(nh=59)', NOTHING],
    [
      'IP-08 a type 0 routing header is refused (RFC 5095)',
      'ip()/IPv6ExtHdrRouting(type=0, segleft=1, addresses=[FAR])/echo()',
      'problem(0, 42)',
      'ip6.routingHeaderRefused',
    ],
    [
      'IP-08 a routing header of unknown type with segments left is refused',
      'ip()/IPv6ExtHdrRouting(type=99, segleft=1, addresses=[FAR])/echo()',
      'problem(0, 42)',
      'ip6.routingHeaderRefused',
    ],
    ...[0, 99].map(
      (type): Row => [
        `IP-08 a routing header of type ${type} with no segments left is passed by`,
        `ip()/IPv6ExtHdrRouting(type=${type}, segleft=0, addresses=[FAR])/echo()`,
        'reply()',
      ],
    ),
    ['IP-12 a router alert is taken', 'ip()/hop(RouterAlert())/echo()', 'reply()'],
    [
      'IP-12 a router alert whose length is not 2',
      'ip()/hop(HBHOptUnknown(otype=5, optlen=1, optdata=b"a"))/echo()',
      'problem(0, 43)',
      'ip6.badOptions',
    ],
    [
      'JB-02 a jumbogram in a short frame is dropped without a word',
      'ip(plen=0)/hop(Jumbo(jumboplen=70000))/echo()',
      NOTHING,
      'ip6.tooShort',
    ],
    [
      'JB-06 a jumbogram of 2^32 - 1 bytes as well',
      'ip(plen=0)/hop(Jumbo(jumboplen=2**32 - 1))/echo()',
      NOTHING,
      'ip6.tooShort',
    ],
    [
      'JB-04 a jumbo option with a payload length',
      'ip()/hop(Jumbo(jumboplen=70000))/echo()',
      'problem(0, 42)',
      'ip6.badOptions',
    ],
    [
      'JB-04 a jumbo option of a length that needs none',
      'ip(plen=0)/hop(Jumbo(jumboplen=65535))/echo()',
      'problem(0, 44)',
      'ip6.badOptions',
    ],
    ['JB-04 neither length', 'ip(plen=0)/hop()/echo()', 'problem(0, 4)', 'ip6.badOptions'],
    ['HL-02 49 headers behind the first are taken', 'behind_dests(49, ip()/echo())', 'reply()'],
    ['HL-02 51 are not', 'behind_dests(51, ip()/echo())', NOTHING, 'ip6.tooManyHeaders'],
  ]);

  test('HL-01 HL-02 without a limit 8000 headers are walked without a fall', async () => {
    const place = { node: 'big', device: 'big', settle: ['big'] };
    const sent = 'behind_dests(8000, ip()/echo())';
    await holds(place, ['', sent, NOTHING, 'ip6.tooManyHeaders']);
    await node('big').sysctl('ip6.hdrnestlimit', 0);
    await holds(place, ['', sent, 'reply()']);
  });

  test('IV-07 IP-08 with type 0 routing headers on, hops that can be no destination are refused', async () => {
    await node('router').sysctl('ip6.rthdr0', 1);
    const through = (hop: string) => `ip()/IPv6ExtHdrRouting(type=0, segleft=1, addresses=["${hop}"])/echo()`;
    for (const hop of ['ff02::1', 'ff0e::1', '::', '::1', '::ffff:198.51.100.1', '::198.51.100.1', 'fe80:1::2']) {
      await holds(ROUTER, ['', through(hop), NOTHING, 'ip6.badOptions']);
    }
    const passed = 'right: ip(dst=T2, hlim=63)/IPv6ExtHdrRouting(type=0, segleft=0, addresses=[D])/echo()';
    await holds(ROUTER, ['', through(WORDS.T2), passed]);
    await node('router').sysctl('ip6.rthdr0', 0);
  });
});

describe.runIf(able)('fragments', () => {
  table(HOST, [
    ['IP-04 two in order', 'fragments(ip()/echo(100), (0, 64), (64, 108), id=1)', 'reply(100)', 'ip6.reassembled'],
    [
      'IP-04 three backwards',
      'fragments(ip()/echo(100), (0, 8), (8, 64), (64, 108), id=2)[::-1]',
      'reply(100)',
      'ip6.reassembled',
    ],
    [
      'IP-04 of two packets at once',
      '[piece for pair in zip(fragments(ip()/echo(100), (0, 64), (64, 108), id=3), fragments(ip()/echo(50), (0, 40), (40, 58), id=4)) for piece in pair]',
      ['reply(100)', 'reply(50)'],
      { 'ip6.reassembled': 2 },
    ],
    [
      'IP-04 one of a length that is no multiple of 8, with more to come',
      'fragment(ip()/echo(100), 0, 60, True, id=5)',
      'problem(0, 4)',
      'ip6.fragmentsDropped',
    ],
    [
      'IP-04 one that reaches beyond 65,535 bytes',
      'ip()/IPv6ExtHdrFragment(nh=58, offset=8191, m=0, id=6)/Raw(data(16))',
      'problem(0, 42)',
      'ip6.fragmentsDropped',
    ],
    [
      'IP-04 overlapping ones end their packet, with what comes later (RFC 5722)',
      'fragments(ip()/echo(100), (0, 64), (56, 104), (64, 108), id=7)',
      NOTHING,
      { 'ip6.fragmentsOverlap': 3 },
    ],
    [
      'IP-04 one within another overlaps',
      'fragments(ip()/echo(100), (0, 64), (8, 16), (64, 108), id=8)',
      NOTHING,
      { 'ip6.fragmentsOverlap': 3 },
    ],
    [
      'IP-04 the same one twice is no overlap (RFC 8200)',
      'fragments(ip()/echo(100), (0, 64), (0, 64), (64, 108), id=9)',
      'reply(100)',
      ['ip6.fragmentsDropped', 'ip6.reassembled'],
    ],
    [
      'IP-04 a first one that has not all headers (RFC 7112)',
      'fragment(ip()/dest(option(0x1e, 20))/echo(100), 0, 16, id=10)',
      'problem(3, 0)',
      'ip6.headersTooLong',
    ],
    ['IP-04 one that is a whole packet', 'ip()/IPv6ExtHdrFragment(id=11)/echo()', 'reply()', 'ip6.fragmentsAtomic'],
    [
      'IP-04 one that is a whole packet does not disturb others of its number (RFC 6946)',
      [
        'fragment(ip()/echo(100), 0, 64, id=12)',
        'ip()/IPv6ExtHdrFragment(id=12)/echo()',
        'fragment(ip()/echo(100), 64, 108, id=12)',
      ],
      ['reply()', 'reply(100)'],
      ['ip6.fragmentsAtomic', 'ip6.reassembled'],
    ],
    [
      'IP-04 behind options of the unfragmentable part',
      'fragments(ip()/hop(option(0x1e))/echo(100), (0, 64), (64, 108), id=13, headers=48)',
      'reply(100)',
      'ip6.reassembled',
    ],
    ['IP-04 half a fragment header', 'ip(nh=44)/Raw(bytes(4))', NOTHING, 'ip6.tooShort'],
  ]);

  test('IP-04 an error about a reassembled packet quotes it whole', async () => {
    const row: Row = [
      '',
      'fragments(ip()/udp(100), (0, 64), (64, 108), id=20)',
      'unreachable(4)',
      ['ip6.reassembled', 'udp6.noPort'],
    ];
    await holds(HOST, row, { quoted: ['ip()/udp(100)'] });
  });

  test('IP-04 with maxfragpackets 0 none is taken', async () => {
    await node('host').sysctl('ip6.maxfragpackets', 0);
    await holds(HOST, [
      '',
      'fragments(ip()/echo(100), (0, 64), (64, 108), id=21)',
      NOTHING,
      { 'ip6.fragmentsOverflow': 2 },
    ]);
    await node('host').sysctl('ip6.maxfragpackets', 200);
  });

  test('IP-09 a Packet Too Big lowers the path MTU to its destination only, and never below 1280', async () => {
    const tell = (mtu: number) => `ip(src=FAR)/ICMPv6PacketTooBig(mtu=${mtu})/cut(reply(1440, dst=FAR), 1000)`;
    await holds(HOST, ['', [tell(1000), 'ip(src=FAR)/echo(1440)'], 'reply(1440, dst=FAR)']);
    await holds(HOST, ['', tell(1400), NOTHING, 'icmp6.pathMtuChanges']);
    await holds(HOST, ['', 'ip(src=FAR)/echo(1440)', 'reply(1440, dst=FAR)'], { mtu: 1400 });
    const { counters } = await node('host').state();
    expect(counters.ip6.fragmented).toBe(1);
    await holds(HOST, ['', 'ip(src=FAR2)/echo(1440)', 'reply(1440, dst=FAR2)']);
    expect((await node('host').state()).counters.ip6.fragmented).toBe(1);
  });
});

describe.runIf(able)('addresses that must not be on the wire', () => {
  const refused: [title: string, address: string, counter: string][] = [
    ['IV-01 an IPv4-mapped', '::ffff:127.0.0.1', 'ip6.badScope'],
    ['IV-01 an IPv4-mapped', '::ffff:198.51.100.1', 'ip6.badScope'],
    ['IV-02 an IPv4-compatible', '::198.51.100.1', 'ip6.badAddress'],
    ['IV-06 a loopback', '::1', 'ip6.badAddress'],
    ['SC-03 an embedded-zone', 'fe80:1::2', 'ip6.badScope'],
  ];
  table(HOST, [
    ...refused.flatMap(([title, address, counter]): Row[] => [
      [`${title} source (${address})`, `ip(src="${address}")/echo()`, NOTHING, counter],
      [`${title} destination (${address})`, `ip(dst="${address}")/echo()`, NOTHING, counter],
    ]),
    ['MA-10 a mapped source does not reach UDP', 'ip(src="::ffff:198.51.100.1")/udp()', NOTHING, 'ip6.badScope'],
    ['SC-03 an embedded zone in a group', 'ip(dst="ff02:1::1")/echo()', NOTHING, 'ip6.badScope'],
    ['SC-10 an interface-local group', 'ip(dst="ff01::1")/echo()', NOTHING, 'ip6.badScope'],
    ['SC-10 a group of the reserved scope 0', 'ip(dst="ff00::1")/echo()', NOTHING, 'ip6.badScope'],
    ['IV-04 an echo from ::', 'ip(src="::")/echo()', NOTHING, 'ip6.badAddress'],
    ['IV-04 UDP from ::', 'ip(src="::")/udp()', NOTHING, 'ip6.badAddress'],
    ['IV-05 TCP from ::', 'ip(src="::")/TCP(sport=4000, dport=80)', NOTHING, 'ip6.badAddress'],
    ['IV-06 a group as source', 'ip(src="ff02::1")/echo()', NOTHING, 'ip6.badAddress'],
    ['IV-06 a global group as source', 'ip(src="ff0e::1")/udp()', NOTHING, 'ip6.badAddress'],
    ['IV-06 :: as destination', 'ip(dst="::")/echo()', NOTHING, 'ip6.badAddress'],
    ['IV-06 TCP from a group', 'ip(src="ff02::1")/TCP(sport=4000, dport=80)', NOTHING, 'ip6.badAddress'],
  ]);
  test('IV-06 TCP to a group is not answered', async () => {
    const judged = await tester.exchange({
      device: 'host',
      sent: ['ip(dst="ff02::1")/TCP(sport=4000, dport=80)'],
      wanted: [],
      settle: ['host'],
    });
    expect(judged.problems).toEqual([]);
  });
  table(ROUTER, [
    ['IV-04 nothing from :: is forwarded', 'ip(src="::", dst=T2)/echo()', NOTHING, 'ip6.badAddress'],
    [
      'IV-04 not even what may come from ::',
      'ip(src="::", dst=T2, hlim=255)/ICMPv6ND_NS(tgt=T2)',
      NOTHING,
      'ip6.cannotForward',
    ],
    ['IV-06 nothing from loopback is forwarded', 'ip(src="::1", dst=T2)/echo()', NOTHING, 'ip6.badAddress'],
    [
      'IV-01 nothing from a mapped address is forwarded',
      'ip(src="::ffff:198.51.100.1", dst=T2)/echo()',
      NOTHING,
      'ip6.badScope',
    ],
    ['IV-09 6to4 of loopback is rejected', 'ip(dst="2002:7f00:1::1")/echo()', 'unreachable(6)', 'ip6.cannotForward'],
    [
      'SC-11 a link-local source does not cross: Destination Unreachable, beyond scope',
      'ip(src=TL, dst=T2)/echo()',
      'unreachable(2, src=DL, dst=TL)',
      ['ip6.badScope', 'ip6.cannotForward'],
    ],
    ['SC-11 a link-local destination is not forwarded', 'ip(dst="fe80::77")/echo()', NOTHING, 'ip6.cannotForward'],
    ['SC-11 a group of the link stays on it', 'ip(dst="ff02::1")/echo()', 'reply()'],
  ]);

  test('IV-09 the routing table rejects them, too', async () => {
    const lines = (await node('host').output('netstat -rn')).split('\n');
    for (const prefix of [
      '::/96',
      '::ffff:0.0.0.0/96',
      '2002::/24',
      '2002:7f00::/24',
      '2002:e000::/20',
      '2002:ff00::/24',
    ]) {
      const line = lines.find((text) => text.split(/\s+/)[0] === prefix || text.startsWith(`${prefix} `));
      expect(line, prefix).toMatch(/\s\w*R\w*\s/);
    }
  });
});

describe.runIf(able)('ICMPv6', () => {
  table(HOST, [
    ...[0, 1, 8, 1440].map(
      (length): Row => [`IC-05 ${length} bytes come back as they were`, `ip()/echo(${length})`, `reply(${length})`],
    ),
    ['IC-05 extension headers do not come back', 'ip()/hop(option(0x1e))/dest(option(0x1e))/echo()', 'reply()'],
    ['IC-05 a group is answered from a unicast address', 'ip(dst="ff02::1")/echo()', 'reply()'],
    ['IC-05 link-local asked, link-local answered', 'ip(src=TL, dst="ff02::1")/echo()', 'reply(src=DL, dst=TL)'],
    ['IC-05 an anycast address is answered from a unicast one', 'ip(dst=ANY)/echo()', 'reply()'],
    ['IC-05 another prefix is answered by the default route', 'ip(src=FAR)/echo()', 'reply(dst=FAR)'],
    ['IC-05 an echo request with a code', 'ip()/echo(code=1)', NOTHING, 'icmp6.badCode'],
    ['IC-05 a bad checksum', 'ip()/echo(cksum=0x1234)', NOTHING, 'icmp6.badChecksum'],
    ['IC-05 two bytes of ICMPv6', 'ip(nh=58)/Raw(bytes([128, 0]))', NOTHING, 'icmp6.tooShort'],
    ['IC-05 a reply to nobody', 'ip()/ICMPv6EchoReply(id=99)', NOTHING],
    ['IC-01 a closed port', 'ip()/udp()', 'unreachable(4)', 'udp6.noPort'],
    ['IC-01 an error has at most 1280 bytes', 'ip()/udp(1440)', 'unreachable(4)', 'udp6.noPort'],
    [
      'IN-01 IN-02 the checksum of UDP holds behind any headers, and they are quoted as they were',
      'ip()/hop(option(0x1e))/dest(option(0x1e))/IPv6ExtHdrRouting(type=0, segleft=0, addresses=[FAR])/udp()',
      'unreachable(4)',
      'udp6.noPort',
    ],
    [
      'IC-01 extension headers are quoted',
      'ip()/hop(option(0x1e))/dest(option(0x1e))/udp()',
      'unreachable(4)',
      'udp6.noPort',
    ],
    [
      'IC-01 UDP without a checksum',
      'ip()/UDP(sport=4000, dport=9, chksum=0)/Raw(data(8))',
      NOTHING,
      'udp6.noChecksum',
    ],
    [
      'IC-02 no error about an error',
      'ip()/dest(option(0x9e))/unreachable(0)[ICMPv6DestUnreach]',
      NOTHING,
      ['ip6.badOptions', 'icmp6.cannotError'],
    ],
    [
      'IC-02 no error about an error of unknown type',
      'ip()/dest(option(0x9e))/ICMPv6Unknown(type=100)/Raw(data(8))',
      NOTHING,
      ['ip6.badOptions', 'icmp6.cannotError'],
    ],
    [
      'ND-20 no error about a redirect',
      'ip(src=TL, hlim=255)/dest(option(0x9e))/ICMPv6ND_Redirect(tgt=TL, dst=FAR)',
      NOTHING,
      ['ip6.badOptions', 'icmp6.cannotError'],
    ],
    [
      'IC-02 no error about what went to a group',
      'ip(dst="ff02::1", nh=253)/Raw(data(8))',
      NOTHING,
      [...UNKNOWN, 'icmp6.cannotError'],
    ],
    ['IC-02 nor about UDP to a group', 'ip(dst="ff02::1")/udp()', NOTHING, 'udp6.noPortMulticast'],
    [
      'IC-02 nor about what the link sent to all',
      'Ether(src=TM, dst="33:33:00:00:00:01")/ip(nh=253)/Raw(data(8))',
      NOTHING,
      [...UNKNOWN, 'icmp6.cannotError'],
    ],
    ['IC-02 nor to an anycast address', 'ip(src=ANY, nh=253)/Raw(data(8))', NOTHING, [...UNKNOWN, 'icmp6.cannotError']],
    [
      'IC-08 an error of unknown type',
      'ip()/ICMPv6Unknown(type=100)/ip(src=D, dst=T)/udp()',
      NOTHING,
      'icmp6.unknownType',
    ],
    ['IC-08 information of unknown type', 'ip()/ICMPv6Unknown(type=200)/Raw(data(8))', NOTHING, 'icmp6.unknownType'],
  ]);

  test('IC-04 of 1000 bad packets in a second 200 are answered', async () => {
    await node('host').sysctl('icmp6.errppslimit', 200);
    const before = await node('host').state();
    const { answers, milliseconds } = await tester.flood('host', 'ip(nh=253)/Raw(data(8))', 1000, 100);
    const rises = risen(before, await node('host').state());
    expect(rises['ip6.noProtocol']).toBe(1000);
    expect(answers + rises['icmp6.tooFrequent']!).toBe(1000);
    expect(answers).toBeGreaterThanOrEqual(200);
    expect(answers).toBeLessThanOrEqual(200 * Math.ceil(milliseconds / 1000));
    await node('host').sysctl('icmp6.errppslimit', -1);
  });

  test('IC-03 with errratelimit there is an interval between errors', async () => {
    const bad = 'ip(nh=253)/Raw(data(8))';
    await holds(HOST, ['', bad, 'problem(1, 6)', UNKNOWN]);
    await node('host').sysctl('icmp6.errratelimit', 10_000_000);
    await holds(HOST, ['', bad, NOTHING, [...UNKNOWN, 'icmp6.tooFrequent']]);
    await node('host').sysctl('icmp6.errratelimit', 0);
    await holds(HOST, ['', bad, 'problem(1, 6)', UNKNOWN]);
  });
});

describe.runIf(able)('Neighbor Discovery messages', () => {
  const NS = 'icmp6.badNeighborSolicitation';
  const NA = 'icmp6.badNeighborAdvertisement';
  const RS = 'icmp6.badRouterSolicitation';
  const RA = 'icmp6.badRouterAdvertisement';
  const REDIRECT = 'icmp6.badRedirect';
  const rs = (fields = '', icmp = '') => `ip(dst="ff02::2", ${fields || 'hlim=255'})/ICMPv6ND_RS(${icmp})`;
  const ra = (fields = 'src=TL, hlim=255', icmp = '') => `ip(dst="ff02::1", ${fields})/ICMPv6ND_RA(${icmp})`;
  table(HOST, [
    ['RQ-02 RQ-03 a solicitation to the group of an address is answered from it', 'ns()', 'advertised()'],
    ['RQ-02 the link-local one, too', 'ns(DL, src=TL)', 'advertised(DL, dst=TL)'],
    ['ND-09 a solicitation to the address itself needs no link-layer address', 'ns(dst=D, slla=None)', 'advertised()'],
    [
      'ND-04 the owner answers duplicate detection to all',
      'ns(src="::", slla=None)',
      'advertised(dst="ff02::1", icmp={"S": 0})',
    ],
    ["ND-17 a solicitation for another's address", 'ns("2001:db8:1::77")', NOTHING, 'ip6.notMember'],
    ['ND-17 NS: hop limit 254', 'ns(hlim=254)', NOTHING, NS],
    ['ND-17 NS: bad checksum', 'ns(icmp={"cksum": 1})', NOTHING, 'icmp6.badChecksum'],
    ['ND-17 NS: code 1', 'ns(icmp={"code": 1})', NOTHING, NS],
    ['ND-17 NS: target is a group', 'ns("ff02::1", dst=D)', NOTHING, NS],
    [
      'ND-17 NS: too short',
      'ip(hlim=255, nh=58)/Raw((lambda m: m[:2] + in6_chksum(58, ip(hlim=255), m[:2] + b"\\0\\0" + m[4:20]).to_bytes(2, "big") + m[4:20])(raw(ip()/ICMPv6ND_NS(tgt=D))[40:]))',
      NOTHING,
      'icmp6.badLength',
    ],
    ['ND-17 NS: from :: with a link-layer address', 'ns(src="::")', NOTHING, NS],
    ['ND-17 NS: from :: to the address itself', 'ns(src="::", slla=None, dst=D)', NOTHING, NS],
    [
      'ND-17 NS: option of length 0',
      'ns(slla=None)/ICMPv6NDOptSrcLLAddr(len=0, lladdr=TM)',
      NOTHING,
      'icmp6.badOptions',
    ],
    [
      'ND-17 NS: option longer than the packet',
      'ns(slla=None)/ICMPv6NDOptSrcLLAddr(len=2, lladdr=TM)',
      NOTHING,
      'icmp6.badOptions',
    ],
    [
      'ND-17 NS: a link-layer address of another length',
      'ns(slla=None)/ICMPv6NDOptUnknown(type=1, len=2, data=data(14))',
      NOTHING,
      NS,
    ],
    ['ND-17 NS: source off-link', 'ns(src="2001:db8:77::1")', NOTHING, NS],
    [
      'ND-17 NS: a whole fragment (RFC 6980)',
      'ip(hlim=255)/IPv6ExtHdrFragment()/ICMPv6ND_NS(tgt=D)',
      NOTHING,
      ['ip6.fragmentsAtomic', NS],
    ],
    [
      'ND-17 NS: fragmented (RFC 6980)',
      'fragments(ns(dst=D), (0, 16), (16, 32), id=30)',
      NOTHING,
      ['ip6.reassembled', NS],
    ],
    ['ND-17 NA: hop limit 254', 'na(hlim=254)', NOTHING, NA],
    ['ND-17 NA: bad checksum', 'na(icmp={"cksum": 1})', NOTHING, 'icmp6.badChecksum'],
    ['ND-17 NA: code 1', 'na(icmp={"code": 1})', NOTHING, NA],
    ['ND-17 NA: target is a group', 'na("ff02::1")', NOTHING, NA],
    ['ND-17 NA: solicited, to a group', 'na(dst="ff02::1")', NOTHING, NA],
    [
      'ND-17 NA: option of length 0',
      'na(tlla=None)/ICMPv6NDOptDstLLAddr(len=0, lladdr=TM)',
      NOTHING,
      'icmp6.badOptions',
    ],
    ['ND-17 NA: fragmented (RFC 6980)', 'fragments(na(), (0, 16), (16, 32), id=31)', NOTHING, ['ip6.reassembled', NA]],
    ['ND-17 RS: to a host, which is in no group of routers', rs(), NOTHING, 'ip6.notMember'],
    ['ND-17 RA: hop limit 254', ra('src=TL, hlim=254'), NOTHING, RA],
    ['ND-17 RA: code 1', ra('src=TL, hlim=255', 'code=1'), NOTHING, RA],
    ['ND-17 RA: source is not link-local', ra('hlim=255'), NOTHING, RA],
    ['ND-17 RA: bad checksum', ra('src=TL, hlim=255', 'cksum=1'), NOTHING, 'icmp6.badChecksum'],
    ['ND-17 RA: option of length 0', `${ra()}/ICMPv6NDOptSrcLLAddr(len=0, lladdr=TM)`, NOTHING, 'icmp6.badOptions'],
    ['ND-17 redirect: hop limit 254', 'redirect(FAR, "fe80::3", hlim=254)', NOTHING, REDIRECT],
    ['ND-17 redirect: code 1', 'redirect(FAR, "fe80::3", icmp={"code": 1})', NOTHING, REDIRECT],
    ['ND-17 redirect: bad checksum', 'redirect(FAR, "fe80::3", icmp={"cksum": 1})', NOTHING, 'icmp6.badChecksum'],
    ['ND-19 redirect: source is not link-local', 'redirect(FAR, "fe80::3", src=T)', NOTHING, REDIRECT],
    ['ND-19 redirect: not from the first hop', 'redirect(FAR, "fe80::3", src="fe80::4")', NOTHING, REDIRECT],
    ['ND-19 redirect: destination is a group', 'redirect("ff0e::1", "fe80::3")', NOTHING, REDIRECT],
    ['ND-19 redirect: target is neither a router nor the destination', 'redirect(FAR, FAR2)', NOTHING, REDIRECT],
    [
      'ND-17 redirect: option of length 0',
      'redirect(FAR, "fe80::3", tlla=None)/ICMPv6NDOptDstLLAddr(len=0, lladdr=TM)',
      NOTHING,
      'icmp6.badOptions',
    ],
  ]);
  table(ROUTER, [
    ['ND-22 a router says that it is one', 'ns()', 'advertised(icmp={"R": 1})'],
    ['ND-17 RS: hop limit 254', rs('hlim=254'), NOTHING, RS],
    ['ND-17 RS: code 1', rs('hlim=255', 'code=1'), NOTHING, RS],
    [
      'ND-17 RS: from :: with a link-layer address',
      `${rs('src="::", hlim=255')}/ICMPv6NDOptSrcLLAddr(lladdr=TM)`,
      NOTHING,
      RS,
    ],
    ['ND-17 RS: option of length 0', `${rs()}/ICMPv6NDOptSrcLLAddr(len=0, lladdr=TM)`, NOTHING, 'icmp6.badOptions'],
  ]);

  test('ND-22 the router flag follows forwarding', async () => {
    await node('router').sysctl('ip6.forwarding', 0);
    await holds(ROUTER, ['', 'ns()', 'advertised(icmp={"R": 0})']);
    await node('router').sysctl('ip6.forwarding', 1);
    await holds(ROUTER, ['', 'ns()', 'advertised(icmp={"R": 1})']);
  });

  const neighbors = async (name: string) => (await node(name).state()).neighbors.map(({ address }) => address);

  test('ND-09 an advertisement for an unknown neighbor makes no entry', async () => {
    await holds(HOST, ['', 'na("2001:db8:1::66")', NOTHING]);
    await holds(HOST, ['', 'na("2001:db8:1::66", dst="ff02::1", icmp={"S": 0})', NOTHING]);
    expect(await neighbors('host')).not.toContain('2001:db8:1::66');
  });

  test('ND-09 nor does a solicitation for another, or one from :: or a router solicitation', async () => {
    await holds(HOST, ['', 'ns("2001:db8:1::77", src="2001:db8:1::67", dst="ff02::1")', NOTHING]);
    await holds(HOST, ['', 'ns(src="::", slla=None)', 'advertised(dst="ff02::1", icmp={"S": 0})']);
    await holds(ROUTER, ['', `ip(src="2001:db8:1::68", dst="ff02::2", hlim=255)/ICMPv6ND_RS()`, NOTHING]);
    expect(await neighbors('host')).not.toContain('2001:db8:1::67');
    expect(await neighbors('host')).not.toContain('::');
    expect(await neighbors('router')).not.toContain('2001:db8:1::68');
  });

  test('ND-11 the eleventh option is not looked at', async () => {
    const unknown = 'ICMPv6NDOptUnknown(type=200, len=1, data=bytes(6))';
    const options = (count: number) => Array.from({ length: count }, () => `/${unknown}`).join('');
    const ask = (source: string, before: number) =>
      `ns(src="${source}", slla=None)${options(before)}/ICMPv6NDOptSrcLLAddr(lladdr=OTHER)`;
    const answer = (to: string) => `Ether(dst=OTHER)/advertised(dst="${to}")[IPv6]`;
    await holds(HOST, ['', ask('2001:db8:1::87', 9), answer('2001:db8:1::87')]);
    await tester.play('host', 'answer NS');
    await tester.send('host', ask('2001:db8:1::88', 10));
    const resolved = 'Ether(dst="33:33:ff:00:00:88")/IPv6(src=D)/ICMPv6ND_NS(tgt="2001:db8:1::88")';
    expect((await tester.await('host', resolved, 1000)).problems).toEqual([]);
    expect(
      (await tester.await('host', `Ether(dst=TM)/${'advertised(dst="2001:db8:1::88")[IPv6]'}`, 1000)).problems,
    ).toEqual([]);
    expect((await node('host').state()).counters.icmp6.tooManyOptions).toBe(1);
    await tester.play('host');
  });

  test('ND-13 a proxy answers at once for another, without override', async () => {
    const proxied = '2001:db8:1::70';
    await tester.forget();
    await node('host').output(`ndp -s ${proxied} ${WORDS.OTHER} proxy`);
    const { interfaces } = await node('host').state();
    expect(interfaces.find(({ name }) => name === 'host')!.groups).toContain('ff02::1:ff00:70');
    // nothing was said unasked
    await holds(HOST, ['', `ns("${proxied}")`, `advertised("${proxied}", mac=OTHER, icmp={"O": 0}, src=D)`]);
    await holds(HOST, [
      '',
      `ns("${proxied}", dst="${proxied}")`,
      `advertised("${proxied}", mac=OTHER, icmp={"O": 0}, src=D)`,
    ]);
    await holds(HOST, ['', `ip(dst="${proxied}")/echo()`, NOTHING, 'ip6.notForUs']);
    await node('host').output(`ndp -d ${proxied}`);
    await holds(HOST, ['', `ns("${proxied}")`, NOTHING, 'ip6.notMember']);
    const refused = await node('host').run(`ndp -s 2001:db8:77::70 ${WORDS.OTHER} proxy`);
    expect(refused.code).not.toBe(0);
  });

  test('ND-14 static entries come and go', async () => {
    await node('host').output(`ndp -s 2001:db8:1::71 ${WORDS.OTHER}`);
    expect(await node('host').output('ndp -a')).toMatch(/2001:db8:1::71\s+0?2:0?0:5e:0?0:0?2:0?3\s+host\s+permanent/);
    await holds(HOST, ['', 'ip(src="2001:db8:1::71")/echo()', 'Ether(dst=OTHER)/reply(dst="2001:db8:1::71")']);
    await node('host').output('ndp -d 2001:db8:1::71');
    expect(await neighbors('host')).not.toContain('2001:db8:1::71');
  });

  test('ND-18 IN-07 with nd6_debug a bad message is told in one line, and a flood as well', async () => {
    const quiet = node('host').log.length;
    await holds(HOST, ['', 'na(hlim=254)', NOTHING, NA]);
    await node('host').sysctl('icmp6.nd6_debug', 1);
    await holds(HOST, ['', '[na(hlim=254)] * 50', NOTHING, { [NA]: 50 }]);
    await node('host').logLine(/hop limit/);
    expect(node('host').log.length).toBe(quiet + 1);
    await node('host').sysctl('icmp6.nd6_debug', 0);
  });

  test('ND-19 a host takes a redirect from its router', async () => {
    await holds(HOST, ['', 'ip(src=FAR2)/echo()', 'Ether(dst=TM)/reply(dst=FAR2)']);
    await holds(HOST, ['', 'redirect(FAR2, "fe80::3", quoted=reply(dst=FAR2))', NOTHING]);
    await holds(HOST, ['', 'ip(src=FAR2)/echo()', 'Ether(dst=OTHER)/reply(dst=FAR2)']);
    await holds(HOST, ['', 'ip(src="2001:db8:fe::3")/echo()', 'Ether(dst=TM)/reply(dst="2001:db8:fe::3")']);
    await node('host').output(`route delete -inet6 ${WORDS.FAR2}`);
  });

  test('ND-19 a router tells its neighbor of a better first hop, and forwards', async () => {
    await holds(ROUTER, [
      '',
      'ip(dst="2001:db8:3::9")/echo(1400)',
      [
        'ip(src=DL, dst=T, hlim=255)/ICMPv6ND_Redirect(tgt="fe80::22", dst="2001:db8:3::9")/ICMPv6NDOptDstLLAddr(lladdr=OTHER)/ICMPv6NDOptRedirectedHdr()',
        'Ether(dst=OTHER)/ip(dst="2001:db8:3::9", hlim=63)/echo(1400)',
      ],
      'ip6.redirectSent',
    ]);
    await holds(ROUTER, [
      '',
      'ip(src=FAR, dst="2001:db8:3::9")/echo()',
      'ip(src=FAR, dst="2001:db8:3::9", hlim=63)/echo()',
    ]);
  });

  test('ND-21 an advertisement is sent unasked on command', async () => {
    await tester.forget();
    await node('host').output(`ndp -u ${D} -C 1`);
    const told = await tester.await('host', 'advertised(dst="ff02::1", icmp={"S": 0})', 1000);
    expect(told.problems).toEqual([]);
  });

  test('RQ-03 ND-22 an anycast address is advertised without override', async () => {
    await tester.forget();
    await tester.send('host', 'ns(ANY)');
    // after a random delay of up to a second
    const told = await tester.await('host', 'advertised(ANY, icmp={"O": 0}, src=D)', 1500);
    expect(told.problems).toEqual([]);
  });

  test("RQ-04 a router's subnet-router anycast address", async () => {
    await holds(ROUTER, ['', 'ip(dst="2001:db8:1::")/echo()', 'reply()']);
    await tester.send('left', 'ns("2001:db8:1::")');
    const told = await tester.await('left', 'advertised("2001:db8:1::", icmp={"O": 0, "R": 1}, src=D)', 1500);
    expect(told.problems).toEqual([]);
  });

  test('RQ-05 an anycast address is no source', async () => {
    const refused = await node('host').run(`ping6 -c 1 -S ${WORDS.ANY} ${T}`);
    expect(refused.code).not.toBe(0);
  });

  test('RQ-01 RQ-02 PP-05 the groups that every node is in', async () => {
    const { interfaces } = await node('host').state();
    const groups = (name: string) => interfaces.find((one) => one.name === name)!.groups;
    expect(groups('lo0')).toEqual(expect.arrayContaining(['ff01::1', 'ff02::1']));
    expect(groups('host')).toEqual(
      expect.arrayContaining(['ff02::1', 'ff02::1:ff00:1', 'ff02::1:ff00:201', 'ff02::1:ff00:a']),
    );
    const router = await node('router').state();
    expect(router.interfaces.find(({ name }) => name === 'left')!.groups).toContain('ff02::2');
  });
});

describe.runIf(able)('group membership', () => {
  test.each(['ff02::1:ff00:1', 'ff02::1:ff00:201', 'ff02::1:ff00:a'])(
    'IP-11 a query for %s is answered, and one for all',
    async (group) => {
      const report = `IPv6(src=DL, dst="${group}", hlim=1)/IPv6ExtHdrHopByHop()/ICMPv6MLReport(mladdr="${group}")`;
      for (const query of [`query(0, "${group}")`, 'query(0)']) {
        await tester.forget();
        await tester.send('host', query);
        expect((await tester.await('host', report, 1000)).problems).toEqual([]);
      }
    },
  );

  test('IP-11 nobody reports the group of all nodes', async () => {
    await tester.forget();
    await tester.send('host', 'query(0, "ff02::1")', 'query(0)');
    const last = await tester.await('host', 'IPv6(dst="ff02::1:ff00:a")/IPv6ExtHdrHopByHop()/ICMPv6MLReport()', 1000);
    expect(last.problems).toEqual([]);
    expect(last.passed.join()).not.toContain('ff02::1 ');
  });

  test('IP-11 joining is reported, leaving as well', async () => {
    await tester.forget();
    await node('host').output('ifconfig host inet6 2001:db8:1::b:b/64 alias');
    const joined = await tester.await(
      'host',
      'ip(src=DL, dst="ff02::1:ff0b:b", hlim=1)/IPv6ExtHdrHopByHop()/ICMPv6MLReport()',
      1000,
    );
    expect(joined.problems).toEqual([]);
    await node('host').output('ifconfig host inet6 2001:db8:1::b:b delete');
    const left = await tester.await(
      'host',
      'ip(src=DL, dst="ff02::2", hlim=1)/IPv6ExtHdrHopByHop()/ICMPv6MLDone(mladdr="ff02::1:ff0b:b")',
      1000,
    );
    expect(left.problems).toEqual([]);
  });
});

describe.runIf(able)('what a node sends', () => {
  test('SC-01 SC-14 one link-local address on two links is two neighbors', async () => {
    await tester.forget();
    await tester.play('left', 'answer echo');
    await tester.play('right', 'answer echo');
    for (const [device, other] of [
      ['right', 'left'],
      ['left', 'right'],
    ] as const) {
      await node('router').output(`ping6 -c 1 -o ${TL}%${device}`);
      const asked = await tester.await(device, 'IPv6(dst=TL)/ICMPv6EchoRequest()', 100);
      expect(asked.problems).toEqual([]);
      expect((await tester.heard(other)).answers).toEqual([]);
    }
    await tester.play('left');
    await tester.play('right');
  });

  test('SC-08 an address without its zone has no default link, until there is one', async () => {
    const refused = await node('host').run(`ping6 -c 1 ${TL}`);
    expect(refused.code).not.toBe(0);
    await tester.play('host', 'answer echo');
    await node('host').sysctl('ip6.use_defaultzone', 1);
    await node('host').output('ndp -I host');
    await node('host').output(`ping6 -c 1 -o ${TL}`);
    await node('host').output('ndp -I delete');
    await node('host').sysctl('ip6.use_defaultzone', 0);
    await tester.play('host');
  });

  test.each(['fe80:2::1', 'ff02:1::1'])('SC-15 %s is refused on a command line', async (address) => {
    expect((await node('host').run(`ping6 -c 1 ${address}`)).code).not.toBe(0);
  });

  test('SC-13 SC-02 routes and neighbors are shown with their links', async () => {
    const shown = (await node('host').output('netstat -rn')) + (await node('host').output('ndp -an'));
    expect(shown).toContain(`${TL}%host`);
    expect(shown).not.toMatch(/fe80:[1-9]|ff0[12]:[1-9]/);
  });

  test('ND-12 without a default router nothing is on-link by guess, with a default interface everything is', async () => {
    const refused = await node('nud').run('ping6 -c 1 2001:db8:99::9');
    expect(refused.code).not.toBe(0);
    await tester.forget();
    await tester.play('nud', 'answer NS', 'answer echo');
    await node('nud').output('ndp -I nud');
    await node('nud').output('ping6 -c 1 -o 2001:db8:99::9');
    const asked = await tester.await(
      'nud',
      'ip(src=D, dst=solicited("2001:db8:99::9"), hlim=255)/ICMPv6ND_NS(tgt="2001:db8:99::9")',
      100,
    );
    expect(asked.problems).toEqual([]);
    await tester.play('nud');
    await node('nud').output('ndp -I delete');
  });

  test('IP-10 IP-14 multicast goes out in pieces of 1280 bytes, to the group of the link', async () => {
    await tester.forget();
    await node('host').run('ping6 -c 1 -X 1 -s 1400 -I host ff0e::1');
    const first = await tester.await(
      'host',
      'Ether(dst="33:33:00:00:00:01")/ip(src=D, dst="ff0e::1", hlim=1)/IPv6ExtHdrFragment(m=1, offset=0)',
      1000,
    );
    expect(first.problems).toEqual([]);
    const second = await tester.await('host', 'ip(src=D, dst="ff0e::1", hlim=1)/IPv6ExtHdrFragment(m=0)', 1000);
    expect(second.problems).toEqual([]);
  });

  test('ND-01 a router that finds nobody after three tries says so', async () => {
    await tester.forget();
    await tester.send('left', 'ip(dst="2001:db8:2::99")/echo()');
    const tries: number[] = [];
    for (let number = 0; number < 3; number++) {
      const ns =
        'ip(src=D2, dst=solicited("2001:db8:2::99"), hlim=255)/ICMPv6ND_NS(tgt="2001:db8:2::99")/ICMPv6NDOptSrcLLAddr(lladdr=DM2)';
      const asked = await tester.await('right', ns, 1000);
      expect(asked.problems).toEqual([]);
      tries.push(asked.at!);
    }
    const told = await tester.await('left', 'unreachable(3)', 1000);
    expect(told.problems).toEqual([]);
    for (const [earlier, later] of [
      [tries[0]!, tries[1]!],
      [tries[1]!, tries[2]!],
      [tries[2]!, told.at!],
    ] as const) {
      expect(later - earlier).toBeGreaterThan(240);
    }
    expect((await tester.heard('right')).problems).toEqual([]);
  });

  test('ND-02 a neighbor that went silent is asked three times by name, then everybody is', async () => {
    const neighbor = '2001:db8:1::33';
    const multicast = `ip(src=D, dst=solicited("${neighbor}"), hlim=255)/ICMPv6ND_NS(tgt="${neighbor}")`;
    const unicast = `Ether(dst=TM)/ip(src=D, dst="${neighbor}", hlim=255)/ICMPv6ND_NS(tgt="${neighbor}")`;
    const state = async () => (await node('nud').state()).neighbors.find(({ address }) => address === neighbor)?.state;
    await tester.forget();
    await tester.play('nud', 'answer NS');
    await tester.send('nud', `ip(src="${neighbor}")/echo()`);
    expect((await tester.await('nud', multicast, 1000)).problems).toEqual([]);
    expect((await tester.await('nud', `reply(dst="${neighbor}")`, 1000)).problems).toEqual([]);
    await tester.play('nud');
    while ((await state()) === 'reachable') await pause(20);
    expect(await state()).toBe('stale');
    const used = await tester
      .send('nud', `ip(src="${neighbor}")/echo()`)
      .then(() => tester.await('nud', `reply(dst="${neighbor}")`, 1000));
    const times = [used.at!];
    for (let number = 0; number < 3; number++) {
      const asked = await tester.await('nud', unicast, 2000);
      expect(asked.problems).toEqual([]);
      times.push(asked.at!);
    }
    expect(times[1]! - times[0]!).toBeGreaterThan(990);
    expect(times[2]! - times[1]!).toBeGreaterThan(190);
    while ((await state()) === 'probe') await pause(20);
    expect((await tester.heard('nud')).problems).toEqual([]);
    await tester.send('nud', `ip(src="${neighbor}")/echo()`);
    expect((await tester.await('nud', multicast, 1000)).problems).toEqual([]);
  });
});

describe.runIf(able)('duplicate address detection', () => {
  const PROBE = 'ip(src="::", dst=solicited(DL), hlim=255)/ICMPv6ND_NS(tgt=DL)';
  const address = async (name: string, which: string) =>
    (await node(name).state()).interfaces
      .find((one) => one.name === name)!
      .addresses.find((one) => one.address === which)!;
  /** All detections began with the file; the last of them has at most some seconds to go. */
  async function settled(name: string): Promise<NodeState> {
    for (;;) {
      const state = await node(name).state();
      const { addresses, nd } = state.interfaces.find((one) => one.name === name)!;
      if (nd.disabled || addresses.every((one) => one.state !== 'tentative')) return state;
      await pause(50);
    }
  }

  test('ND-08 ND-04 it waits for the link, joins the group, asks once from :: without a link-layer address', async () => {
    expect((await node('late').state()).counters.nd6.solicitationsSent).toBe(0);
    link.setUp('late', NAMESPACE);
    const asked = await tester.await('late', PROBE, 3000);
    expect(asked.problems).toEqual([]);
    expect(asked.summary).not.toMatch(/Source Link-Layer/);
    expect(asked.passed.join('\n')).toMatch(/ICMPv6MLReport/);
    expect((await settled('late')).counters.nd6.dadDuplicate).toBe(0);
    expect((await address('late', D)).state).toBe('preferred');
    expect((await node('late').state()).counters.nd6.solicitationsSent).toBe(2);
  });

  test('ND-06 who finds his own link-local address taken is silent and deaf on that link', async () => {
    const state = await settled('claimed');
    expect(state.interfaces.find(({ name }) => name === 'claimed')!.nd.disabled).toBe(true);
    expect((await address('claimed', WORDS.DL)).state).toBe('duplicated');
    expect(await node('claimed').output('ndp -i claimed')).toMatch(/disabled/);
    await tester.play('claimed');
    await tester.forget();
    const inPackets = async () =>
      (await node('claimed').state()).interfaces.find(({ name }) => name === 'claimed')!.inPackets;
    const before = await inPackets();
    const deafBefore = (await node('claimed').state()).counters.ip6.disabled;
    await tester.send(
      'claimed',
      'ns(DL, src=TL)',
      'ns()',
      'ip(dst="ff02::1")/echo()',
      'ip(src=TL, dst=DL)/echo()',
      'ip(nh=253)/Raw(data(8))',
      'query(0)',
    );
    while ((await inPackets()) < before + 6) await pause(10);
    const pinged = await node('claimed').run(`ping6 -c 1 -X 1 ${TL}%claimed`);
    expect(pinged.code).not.toBe(0);
    const after = await node('claimed').state();
    expect(after.counters.ip6.disabled - deafBefore).toBe(6);
    expect((await tester.heard('claimed')).answers).toEqual([]);
  });

  test('ND-05 another address that is taken is not used, and told', async () => {
    await settled('contested');
    expect((await address('contested', D)).state).toBe('duplicated');
    expect((await address('contested', WORDS.DL)).state).toBe('preferred');
    expect(await node('contested').output('ifconfig contested')).toMatch(/2001:db8:1::1.*duplicated/);
    expect((await node('contested').run(`ping6 -c 1 -S ${D} ${T}`)).code).not.toBe(0);
    expect(node('contested').log.filter((line) => line.includes('duplicate'))).toHaveLength(1);
    await node('contested').output(`ndp -s ${TL}%contested ${TM}`);
    await tester.forget();
    await tester.send('contested', 'ip()/echo()', 'ip(src=TL, dst=DL)/echo()');
    const answered = await tester.await('contested', 'reply(src=DL, dst=TL)', 1000);
    expect(answered).toMatchObject({ problems: [], passed: [] });
  });

  test.each(['looped', 'disguised'])('ND-07 on a link that brings back own frames (%s) it succeeds', async (name) => {
    const state = await settled(name);
    expect(state.counters.nd6.dadDuplicate).toBe(0);
    expect(state.counters.nd6.ownEcho).toBeGreaterThan(0);
    expect((await address(name, D)).state).toBe('preferred');
    expect((await address(name, WORDS.DL)).state).toBe('preferred');
  });
});

test.runIf(able)('1500 random packets do no harm, and every answer to them is sound (seed 1)', async () => {
  const { answers, problems } = await tester.fuzz('fuzzed', 1, 1500, 50);
  expect(problems).toEqual([]);
  expect(answers).toBeGreaterThan(50);
  const { counters } = await node('fuzzed').state();
  expect(counters.ip6.internalError).toBe(0);
  await holds({ node: 'fuzzed', device: 'fuzzed', settle: ['fuzzed'] }, ['', 'ip()/echo(100)', 'reply(100)']);
});

test.runIf(able)('tshark finds nothing malformed and no bad checksum in all that the nodes sent', async () => {
  const path = join(folder, 'sent.pcap');
  const { frames } = await tester.save(path);
  expect(frames).toBeGreaterThan(200);
  expect((await dissect(path)).complaints).toEqual([]);
});
