/** What a topology means: merging, names, kinds, warnings, and the same from code. */
import { globSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadTopology, parseTopology, type Topology, topology, withKinds } from '#orchestrator/topology.ts';
import { UsageError } from '#orchestrator/usage-error.ts';

const parse = (text: string) => parseTopology(text, 't.yaml');
const node = (lab: Topology, name: string) => lab.nodes.find((each) => each.name === name)!;
const link = (lab: Topology, name: string) => lab.links.find((each) => each.name === name)!;

describe('the resolved form', () => {
  const lab = parse(`
name: lab
seed: 7
defaults: { kind: kame, mtu: 1400 }
nodes:
  a:
    addresses: ["2001:db8::1%ab/64", "fe80::1/64%ab", "2001:db8:f::1%lo/128"]
    routes:
      - { to: default, via: "2001:db8::2" }
      - { to: "2001:db8:1::/48", via: fe80::2%ab }
      - { to: "2001:db8:2::/48", reject: true }
      - { to: default, via: 198.51.100.2 }
  b: { addresses: ["2001:DB8:0::2/64"] }
  c: { kind: linux, forwarding: true, hostname: gate, limits: { memory: 128M, cpus: 0.5 } }
links:
  ab: { type: p2p, medium: tun, nodes: [a, b] }
  lan0: { type: lan, mtu: 1280, ends: { a:eth0: { addresses: [198.51.100.1/24], mac: 02:00:00:00:00:0A }, c: { addresses: [198.51.100.2/24] } } }
`);

  test('links have explicit ends, mtu and medium', () => {
    expect(link(lab, 'ab')).toMatchObject({ type: 'p2p', medium: 'tun', mtu: 1400 });
    expect(link(lab, 'lan0')).toMatchObject({ type: 'lan', medium: 'ethernet', mtu: 1280 });
    expect(link(lab, 'lan0').ends.map((end) => `${end.node} ${end.interface}`)).toEqual(['a eth0', 'c lan0']);
  });

  test('an address of a node lies on the end it names, or on the only one', () => {
    expect(link(lab, 'ab').ends.map((end) => end.addresses)).toEqual([
      [
        { family: 6, address: '2001:db8::1', prefixLength: 64 },
        { family: 6, address: 'fe80::1', prefixLength: 64 },
      ],
      [{ family: 6, address: '2001:db8::2', prefixLength: 64 }],
    ]);
    expect(node(lab, 'a').loopback).toEqual([{ family: 6, address: '2001:db8:f::1', prefixLength: 128 }]);
  });

  test("a node's interfaces are the ends of its links", () => {
    expect(node(lab, 'a').interfaces).toEqual([link(lab, 'ab').ends[0], link(lab, 'lan0').ends[0]]);
    expect(node(lab, 'a').interfaces[0]).toBe(link(lab, 'ab').ends[0]);
  });

  test('routes are canonical and know their interface', () => {
    expect(node(lab, 'a').routes).toEqual([
      { family: 6, to: '::/0', via: '2001:db8::2', dev: 'ab', reject: false },
      { family: 6, to: '2001:db8:1::/48', via: 'fe80::2', dev: 'ab', reject: false },
      { family: 6, to: '2001:db8:2::/48', via: undefined, dev: undefined, reject: true },
      { family: 4, to: '0.0.0.0/0', via: '198.51.100.2', dev: 'eth0', reject: false },
    ]);
  });

  test('what is not written has its default', () => {
    expect(lab).toMatchObject({ name: 'lab', description: '', seed: 7, warnings: [] });
    expect(node(lab, 'b')).toMatchObject({ kind: 'kame', hostname: 'b', forwarding: false, sysctls: {}, files: [] });
    expect(node(lab, 'c')).toMatchObject({ kind: 'linux', hostname: 'gate', forwarding: true });
    expect(node(lab, 'c').limits).toEqual({ memory: 128 * 2 ** 20, cpus: 0.5 });
    expect(parse('name: t\nnodes: { a: { kind: kame } }').seed).toBe(1);
  });

  test('a hardware address not written is unicast, local, and the same in every run', () => {
    const [a, b] = link(lab, 'ab').ends;
    expect(a!.mac).toBe('02:9f:cf:35:22:de');
    expect(b!.mac).toMatch(/^02(:[0-9a-f]{2}){5}$/);
    expect(b!.mac).not.toBe(a!.mac);
    expect(link(lab, 'lan0').ends[0]!.mac).toBe('02:00:00:00:00:0a');
  });
});

describe('layers', () => {
  const text = `
name: t
defaults: { kind: kame, commands: [d], sysctls: { one: 1, two: 1, three: 1 }, kame: { commands: [dk] } }
groups:
  g: { commands: [g], sysctls: { two: 2, three: 2 }, kame: { commands: [gk] }, linux: { commands: [gl], forwarding: true } }
nodes:
  a: { group: g, commands: [a], sysctls: { three: 3 }, kame: { commands: [ak] }, linux: { files: { /x: y } } }
  b:
links: { ab: { type: p2p, nodes: [a, b] } }
`;
  const lab = parse(text);

  test('lists add up from defaults over the group to the node, each with its kind section after it', () => {
    expect(node(lab, 'a').commands).toEqual(['d', 'dk', 'g', 'gk', 'a', 'ak']);
  });

  test('maps merge by key and the most particular value wins', () => {
    expect(node(lab, 'a').sysctls).toEqual({ one: '1', two: '2', three: '3' });
  });

  test('another kind brings its own sections and leaves those of the former', () => {
    const other = withKinds(lab, { a: 'linux' });
    expect(node(other, 'a')).toMatchObject({ kind: 'linux', forwarding: true, files: [{ path: '/x', content: 'y' }] });
    expect(node(other, 'a').commands).toEqual(['d', 'g', 'gl', 'a']);
    expect(node(other, 'b').kind).toBe('kame');
    expect(other.links).toEqual(lab.links);
    expect(node(lab, 'a').kind).toBe('kame');
  });

  test('kinds given one after the other add up', () => {
    const both = withKinds(withKinds(lab, { a: 'linux' }), { b: 'linux' });
    expect(both.nodes.map(({ kind }) => kind)).toEqual(['linux', 'linux']);
  });

  test('a kind or node that is not there is an error', () => {
    expect(() => withKinds(lab, { a: 'linx', c: 'kame' })).toThrow(
      new UsageError(
        't.yaml: node a: expected one of kame, linux, found "linx"; did you mean "linux"?\nt.yaml: no node is named "c"; nodes are a, b',
      ),
    );
  });

  test('registered kinds widen the schema with their name and their section', () => {
    const more = { kinds: ['kame', 'linux', 'frr'] };
    const lab = parseTopology('name: t\nnodes: { a: { kind: frr, frr: { commands: [x] } } }', 't.yaml', more);
    expect(node(lab, 'a')).toMatchObject({ kind: 'frr', commands: ['x'] });
  });
});

describe('warnings', () => {
  const base = 'name: t\ndefaults: { kind: kame }\nnodes: { a: , b: }\n';
  test.each<[title: string, text: string, warning: string]>([
    [
      'an address of somebody',
      `${base}links: { ab: { type: p2p, ends: { a: { addresses: [2600::1/64] }, b: } } }`,
      't.yaml:4:52: links.ab.ends.a.addresses[0]: 2600::1 may belong to somebody; documentation addresses such as 2001:db8::/32 are safe',
    ],
    [
      'a prefix in place of an address',
      `${base}links: { ab: { type: p2p, ends: { a: { addresses: ["2001:db8::/64"] }, b: } } }`,
      't.yaml:4:52: links.ab.ends.a.addresses[0]: 2001:db8::/64 is the Subnet-Router anycast address, not one of a host',
    ],
    [
      'one address on two links',
      `${base}links:\n  x: { type: p2p, ends: { a: { addresses: [198.51.100.1/24] }, b: } }\n  y: { type: p2p, ends: { b: { addresses: [198.51.100.1/24] }, a: } }`,
      't.yaml:6:44: links.y.ends.b.addresses[0]: 198.51.100.1 is also an address on link x',
    ],
    [
      'a next hop in no prefix',
      'name: t\ndefaults: { kind: kame }\nnodes:\n  a: { routes: [{ to: default, via: "2001:db8::2" }] }\n  b:\nlinks: { ab: { type: p2p, nodes: [a, b] } }',
      "t.yaml:4:37: nodes.a.routes[0].via: 2001:db8::2 is in no prefix of the node's interfaces",
    ],
    [
      'a next hop that nobody has',
      'name: t\ndefaults: { kind: kame }\nnodes:\n  a: { addresses: ["2001:db8::1/64"], routes: [{ to: default, via: "2001:db8::9" }] }\n  b:\nlinks: { ab: { type: p2p, nodes: [a, b] } }',
      't.yaml:4:68: nodes.a.routes[0].via: no other node on link ab has the address 2001:db8::9',
    ],
    ['a node on no link', 'name: t\nnodes:\n  a: { kind: kame }', 't.yaml:3:3: nodes.a: is on no link'],
    [
      'a group without node',
      `${base}links: { ab: { type: p2p, nodes: [a, b] } }\ngroups: { hosts: {} }`,
      't.yaml:5:11: groups.hosts: is taken by no node',
    ],
  ])('%s is a warning', (_, text, warning) => expect(parse(text).warnings).toEqual([warning]));

  test('documentation, link-local, unique local and loopback addresses are silent', () => {
    const addresses = ['2001:db8::1/64', '3fff::1/64', 'fe80::1/64', 'fd00::1/64', '::1/128', '127.0.0.1/8'];
    const v4 = ['192.0.2.1/24', '198.51.100.1/24', '203.0.113.1/24'];
    const ends = { a: { addresses: [...addresses, ...v4] }, b: {} };
    const lab = topology({
      name: 't',
      defaults: { kind: 'kame' },
      nodes: { a: {}, b: {} },
      links: { ab: { type: 'p2p', ends } },
    });
    expect(lab.warnings).toEqual([]);
  });
});

test('an address may be there twice where that is said, for duplicate address detection', () => {
  const lab = topology({
    name: 'dad',
    defaults: { kind: 'kame' },
    nodes: { a: {}, b: {} },
    links: {
      ab: {
        type: 'p2p',
        ends: {
          a: { addresses: ['2001:db8::1/64'] },
          b: { addresses: [{ address: '2001:db8::1/64', allowDuplicate: true }] },
        },
      },
    },
  });
  expect(lab.links[0]!.ends.map((end) => end.addresses[0]!.address)).toEqual(['2001:db8::1', '2001:db8::1']);
});

test('a topology from code is checked like a file, and errors name the field', () => {
  expect(() =>
    topology({
      name: 't',
      nodes: { a: { kind: 'kaem', routes: [{ to: 'default' }] } },
      links: { ab: { type: 'p2p', nodes: ['a', 'c'] } },
    }),
  ).toThrow(
    new UsageError(
      [
        'topology: nodes.a.kind: expected one of kame, linux, found "kaem"; did you mean "kame"?',
        'topology: links.ab.nodes[1]: no node is named "c"; nodes are a',
        'topology: nodes.a.routes[0]: goes nowhere; add via: an address, dev: an interface, or reject: true',
      ].join('\n'),
    ),
  );
});

test('names that JavaScript objects are born with mean nothing special', () => {
  const lab = parse(
    'name: t\ndefaults: { kind: kame }\nnodes: { constructor: }\nlinks: { valueof: { type: lan, nodes: [constructor] } }',
  );
  expect(node(lab, 'constructor').kind).toBe('kame');
  expect(() => withKinds(lab, { constructor: 'linux' })).not.toThrow();
});

test("files are read from the topology's folder, and one that cannot be read is an error with its place", () => {
  const text =
    'name: t\nnodes:\n  a: { kind: kame, files: { /etc/x: { from: a/x }, /etc/y: text } }\nlinks: { l: { type: lan, nodes: [a] } }';
  const lab = parseTopology(text, 't.yaml', { read: (path) => `content of ${path}` });
  expect(node(lab, 'a').files).toEqual([
    { path: '/etc/x', content: 'content of a/x' },
    { path: '/etc/y', content: 'text' },
  ]);
  const read = () => {
    throw new Error('no such file');
  };
  expect(() => parseTopology(text, 't.yaml', { read })).toThrow(
    new UsageError('t.yaml:3:45: nodes.a.files["/etc/x"].from: cannot read "a/x": no such file'),
  );
});

test('a topology that is not there is an error', () => {
  expect(() => loadTopology('topologies/none.yaml')).toThrow(
    /^topologies\/none\.yaml: cannot read the topology: ENOENT/,
  );
});

test.each(globSync('topologies/**/topology.yaml'))('%s has neither errors nor warnings, with any kinds', (path) => {
  const lab = loadTopology(path);
  expect(lab.warnings).toEqual([]);
  for (const kind of ['kame', 'linux']) {
    const all = withKinds(lab, Object.fromEntries(lab.nodes.map(({ name }) => [name, kind])));
    expect(new Set(all.nodes.map((node) => node.kind))).toEqual(new Set([kind]));
  }
});
