/** Every error a topology can have: its exact text and place, beside the text that has it. */
import { expect, test } from 'vitest';
import { parseTopology } from '#orchestrator/topology.ts';
import { UsageError } from '#orchestrator/usage-error.ts';

function errorsOf(text: string): string[] {
  try {
    parseTopology(text, 't.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).exitCode).toBe(2);
    return (error as UsageError).message.split('\n');
  }
  return [];
}

const NODES = 'name: t\ndefaults: { kind: kame }\nnodes: { a: , b: }\n';
const AB = 'links: { ab: { type: p2p, nodes: [a, b] } }\n';
/** One node's settings on line 4, on a link with b. */
const a = (settings: string) =>
  `name: t\n${AB}nodes:\n  a: { kind: kame, ${settings} }\n  b: { kind: linux, addresses: ["2001:db8::2/64"] }\n`;
/** A link's settings on line 5. */
const ab = (settings: string) => `${NODES}links:\n  ab: { ${settings} }\n`;

test.each<[title: string, text: string, ...errors: string[]]>([
  ['an empty file', '', 't.yaml:1:1: expected a topology: a map with name, nodes and links, found nothing'],
  ['a list', '- a', 't.yaml:1:1: expected a topology: a map with name, nodes and links, found a list of 1'],
  [
    'YAML that does not end',
    'name: t\nnodes: [a',
    't.yaml:2:10: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  ['a key written twice', `${NODES}name: u\n`, 't.yaml:4:1: "name" is written twice in one map; keep one'],
  ['an alias without anchor', 'name: t\nnodes: *them\n', 't.yaml:2:8: no anchor &them stands before this'],

  [
    'a missing field',
    'nodes: { a: { kind: kame } }',
    't.yaml:1:1: name: missing; expected a lab name such as "r1": a small letter, then small letters, digits and -, at most 31',
  ],
  ['no nodes', 'name: t\nnodes: {}', 't.yaml:2:8: nodes: expected at least one node'],
  ['a misspelt key at the top', `${NODES}linkz: {}\n`, 't.yaml:4:1: linkz: unknown field; did you mean "links"?'],
  [
    'an unknown key',
    `${NODES}image: x\n`,
    't.yaml:4:1: image: unknown field; expected one of name, description, seed, defaults, groups, nodes, links',
  ],
  ['a bad seed', `${NODES}seed: -1\n`, 't.yaml:4:7: seed: expected a whole number from 0 to 4294967295, found -1'],
  [
    'a bad lab name',
    'name: My_Lab\nnodes: { a: { kind: kame } }',
    't.yaml:1:7: name: expected a lab name such as "r1": a small letter, then small letters, digits and -, at most 31, found "My_Lab"',
  ],
  [
    'a bad node name',
    'name: t\nnodes: { A: { kind: kame } }',
    't.yaml:2:10: nodes.A: expected a node name such as "r1": a small letter, then small letters, digits and -, at most 31, found "A"',
  ],

  [
    'a misspelt kind',
    'name: t\nnodes:\n  a:\n    kind: kaem',
    't.yaml:4:11: nodes.a.kind: expected one of kame, linux, found "kaem"; did you mean "kame"?',
  ],
  [
    'a kind nobody knows',
    'name: t\nnodes:\n  a:\n    kind: vax',
    't.yaml:4:11: nodes.a.kind: expected one of kame, linux, found "vax"',
  ],
  [
    'no kind anywhere',
    'name: t\nnodes:\n  a:\n    forwarding: true',
    "t.yaml:3:3: nodes.a.kind: missing; expected one of kame, linux, here, in the node's group or in defaults",
  ],
  [
    'a misspelt key of a node',
    a('adresses: []'),
    't.yaml:4:20: nodes.a.adresses: unknown field; did you mean "addresses"?',
  ],
  ['a wrong type', a('forwarding: yes'), 't.yaml:4:32: nodes.a.forwarding: expected true or false, found "yes"'],
  [
    'a value that is missing',
    a('commands: '),
    't.yaml:4:20: nodes.a.commands: expected a list of command lines, found nothing',
  ],
  [
    'a number for a node',
    'name: t\nnodes: { a: 5 }',
    't.yaml:2:13: nodes.a: expected node settings such as { kind: kame }, found 5',
  ],
  [
    'an unknown group',
    `${a('group: hots')}groups: { hosts: {} }\n`,
    't.yaml:4:27: nodes.a.group: no group is named "hots"; did you mean "hosts"?',
  ],
  [
    'a group where there are none',
    a('group: hosts'),
    't.yaml:4:27: nodes.a.group: no group is named "hosts"; there are no groups',
  ],
  ['two nodes of one host name', a('hostname: b'), 't.yaml:5:3: nodes.b.hostname: "b" is also the host name of node a'],
  [
    'a bad memory limit',
    a('limits: { memory: 128MB }'),
    't.yaml:4:38: nodes.a.limits.memory: expected an amount of memory such as 128M, in K, M or G, found "128MB"',
  ],
  [
    'a bad processor limit',
    a('limits: { cpus: 0 }'),
    't.yaml:4:36: nodes.a.limits.cpus: expected a number of processors above 0, such as 0.5, found 0',
  ],
  [
    'a bad sysctl value',
    a('sysctls: { net.inet6.ip6.hlim: [1] }'),
    't.yaml:4:51: nodes.a.sysctls["net.inet6.ip6.hlim"]: expected a text or a number, found a list of 1',
  ],
  [
    'a daemon that is a text',
    a('daemons: [radvd]'),
    't.yaml:4:30: nodes.a.daemons[0]: expected a daemon such as { run: "radvd -n" }, found "radvd"',
  ],
  [
    'a bad pattern for ready',
    a('daemons: [{ run: radvd, ready: "(" }]'),
    't.yaml:4:51: nodes.a.daemons[0].ready: expected a regular expression, found "("',
  ],
  [
    'a relative path in the node',
    a('files: { etc/x: y }'),
    't.yaml:4:29: nodes.a.files["etc/x"]: expected an absolute path such as /etc/radvd.conf, found "etc/x"',
  ],
  [
    "a file outside the topology's folder",
    a('files: { /x: { from: ../x } }'),
    't.yaml:4:41: nodes.a.files["/x"].from: expected a path in the topology\'s own folder, such as "r/radvd.conf", found "../x"',
  ],
  [
    'a file where none can be read',
    a('files: { /x: { from: x } }'),
    't.yaml:4:41: nodes.a.files["/x"].from: files can be taken only by a topology that is a file itself; write the text here',
  ],
  [
    'a misspelt key in a kind section',
    a('kame: { comands: [] }'),
    't.yaml:4:28: nodes.a.kame.comands: unknown field; did you mean "commands"?',
  ],

  [
    'an address without prefix length',
    a('addresses: ["2001:db8::1"]'),
    't.yaml:4:32: nodes.a.addresses[0]: expected a unicast address with its prefix length, such as "2001:db8::1%ab/64", found "2001:db8::1"; add the length, as in "2001:db8::1/64"',
  ],
  [
    'a prefix length that is too long',
    a('addresses: [198.51.100.1/33]'),
    't.yaml:4:32: nodes.a.addresses[0]: expected a unicast address with its prefix length, such as "2001:db8::1%ab/64", found "198.51.100.1/33"',
  ],
  [
    'a multicast address',
    a('addresses: [ff02::1/64]'),
    't.yaml:4:32: nodes.a.addresses[0]: expected a unicast address with its prefix length, such as "2001:db8::1%ab/64", found "ff02::1/64"',
  ],
  [
    'an address that is a number',
    a('addresses: [5]'),
    't.yaml:4:32: nodes.a.addresses[0]: expected a unicast address with its prefix length, such as "2001:db8::1%ab/64", or a map with "address" and "allowDuplicate", found 5',
  ],
  [
    'a misspelt key of an address',
    a('addresses: [{ adress: "2001:db8::1/64" }]'),
    't.yaml:4:32: nodes.a.addresses[0].address: missing; expected a unicast address with its prefix length, such as "2001:db8::1%ab/64"',
    't.yaml:4:34: nodes.a.addresses[0].adress: unknown field; did you mean "address"?',
  ],
  [
    'an address on an interface that is not there',
    a('addresses: [2001:db8::1%ba/64]'),
    't.yaml:4:32: nodes.a.addresses[0]: the node has no interface "ba"; did you mean "ab"?',
  ],
  [
    'an address of two interfaces',
    `name: t\ndefaults: { kind: kame }\nnodes:\n  a: { addresses: [2001:db8::1/64] }\n  b:\nlinks: { x: { type: p2p, nodes: [a, b] }, y: { type: p2p, nodes: [a, b] } }\n`,
    't.yaml:4:20: nodes.a.addresses[0]: does not say which interface, and the node has x, y; write "2001:db8::1%x/64"',
  ],
  [
    'one address on two nodes of a link',
    a('addresses: [2001:db8:0::2/64]'),
    't.yaml:5:33: nodes.b.addresses[0]: 2001:db8::2 is also the address of node a on this link; change one, or say { address: ..., allowDuplicate: true }',
  ],
  [
    'one address twice on an interface',
    a('addresses: [2001:db8::1/64, 2001:db8::1/64]'),
    't.yaml:4:48: nodes.a.addresses[1]: 2001:db8::1 is written twice for this interface; remove one',
  ],

  [
    'a route without destination',
    a('routes: [{ via: 2001:db8::2 }]'),
    't.yaml:4:29: nodes.a.routes[0].to: missing; expected a prefix such as "2001:db8:1::/48", or "default"',
  ],
  [
    'a destination that is an address',
    a('routes: [{ to: 2001:db8:1::1, via: 2001:db8::2 }]'),
    't.yaml:4:35: nodes.a.routes[0].to: expected a prefix such as "2001:db8:1::/48", or "default", found "2001:db8:1::1"',
  ],
  [
    'a destination with bits after the prefix',
    a('routes: [{ to: 2001:db8:1::1/48, dev: ab }]'),
    't.yaml:4:35: nodes.a.routes[0].to: has bits set after the prefix; expected "2001:db8:1::/48", found "2001:db8:1::1/48"',
  ],
  [
    'a route to nowhere',
    a('routes: [{ to: default }]'),
    't.yaml:4:29: nodes.a.routes[0]: goes nowhere; add via: an address, dev: an interface, or reject: true',
  ],
  [
    'a next hop that is no address',
    a('routes: [{ to: default, via: b }]'),
    't.yaml:4:49: nodes.a.routes[0].via: expected the address of the next hop, such as "2001:db8::1" or "fe80::1%eth0", found "b"',
  ],
  [
    'a multicast next hop',
    a('routes: [{ to: default, via: ff02::1, dev: ab }]'),
    't.yaml:4:49: nodes.a.routes[0].via: expected the address of one router, found a multicast address',
  ],
  [
    'a link-local next hop without interface',
    a('routes: [{ to: default, via: fe80::1 }]'),
    't.yaml:4:49: nodes.a.routes[0].via: a link-local address needs its interface, as in "fe80::1%ab"',
  ],
  [
    'a next hop on an interface that is not there',
    a('routes: [{ to: default, via: fe80::1%ac }]'),
    't.yaml:4:49: nodes.a.routes[0].via: the node has no interface "ac"; did you mean "ab"?',
  ],
  [
    "a route's interface that is not there",
    a('routes: [{ to: default, dev: eth0 }]'),
    't.yaml:4:49: nodes.a.routes[0].dev: the node has no interface "eth0"; its interfaces are ab',
  ],
  [
    'two interfaces for one route',
    a('routes: [{ to: default, via: fe80::1%ab, dev: lo }]'),
    't.yaml:4:66: nodes.a.routes[0].dev: contradicts the interface in via, "ab"; remove one',
  ],
  [
    'a next hop of the other family',
    a('routes: [{ to: 198.51.100.0/24, via: 2001:db8::2 }]'),
    't.yaml:4:57: nodes.a.routes[0].via: expected an IPv4 address like the destination, found "2001:db8::2"',
  ],
  [
    'a route that rejects and goes somewhere',
    a('routes: [{ to: default, reject: true, dev: ab }]'),
    't.yaml:4:44: nodes.a.routes[0].reject: a route that rejects goes nowhere; remove dev',
  ],

  ['a link without type', ab('nodes: [a, b]'), 't.yaml:5:3: links.ab.type: missing; expected one of p2p, lan'],
  [
    'a misspelt type',
    ab('type: lna, nodes: [a, b]'),
    't.yaml:5:15: links.ab.type: expected one of p2p, lan, found "lna"; did you mean "lan"?',
  ],
  [
    'a list for a link',
    'name: t\nnodes: { a: { kind: kame } }\nlinks: { ab: [a, b] }',
    't.yaml:3:14: links.ab: expected a link such as { type: p2p, nodes: [a, b] }, found a list of 2',
  ],
  [
    'a link without ends',
    ab('type: lan'),
    't.yaml:5:3: links.ab: has no ends; add nodes: [a, b], or ends: { a: {...}, b: {...} }',
  ],
  [
    'a link with nodes and ends',
    ab('type: p2p, nodes: [a, b], ends: { a:x: , b:x: }'),
    't.yaml:5:20: links.ab.nodes: is written as well as "ends"; keep one of them',
  ],
  [
    'a p2p link of three',
    ab('type: p2p, nodes: [a, b, a:x]'),
    't.yaml:5:27: links.ab.nodes: expected two ends; more need a link of type lan, found a list of 3',
  ],
  [
    'a p2p link of one',
    ab('type: p2p, ends: { a: }'),
    't.yaml:5:26: links.ab.ends: expected two ends; more need a link of type lan, found a map',
  ],
  [
    'a LAN of none',
    ab('type: lan, nodes: []'),
    't.yaml:5:27: links.ab.nodes: expected at least one end, found an empty list',
  ],
  [
    'a medium on a LAN',
    ab('type: lan, medium: tun, nodes: [a, b]'),
    't.yaml:5:20: links.ab.medium: unknown field; expected one of type, nodes, ends, mtu, wire, faults',
  ],
  [
    'an unknown medium',
    ab('type: p2p, medium: tap, nodes: [a, b]'),
    't.yaml:5:28: links.ab.medium: expected one of ethernet, tun, found "tap"',
  ],
  [
    'an MTU too small for IPv6',
    ab('type: p2p, nodes: [a, b], mtu: 1000'),
    't.yaml:5:40: links.ab.mtu: expected a whole number from 1280 to 65521, found 1000',
  ],
  [
    'an MTU too large for a TAP',
    ab('type: p2p, nodes: [a, b], mtu: 65535'),
    't.yaml:5:40: links.ab.mtu: expected a whole number from 1280 to 65521, found 65535',
  ],
  [
    'an unknown node',
    ab('type: lan, nodes: [a, b, router]'),
    't.yaml:5:34: links.ab.nodes[2]: no node is named "router"; nodes are a, b',
  ],
  [
    'an unknown node among ends',
    `name: t\nnodes: { host: { kind: kame } }\nlinks:\n  ab: { type: p2p, ends: { host: , hosts: } }`,
    't.yaml:4:36: links.ab.ends.hosts: no node is named "hosts"; did you mean "host"?',
  ],
  [
    'two ends of one name in a node',
    ab('type: p2p, nodes: [a, a]'),
    't.yaml:5:31: links.ab.nodes[1]: node a already has an interface "ab" on this link; name one of them, as in "a:eth1"',
  ],
  [
    'one interface on two links',
    `${ab('type: p2p, nodes: [a, b]')}  cd: { type: p2p, nodes: [a:ab, b] }\n`,
    't.yaml:6:28: links.cd.nodes[0]: node a already has an interface "ab" on link ab; name one of them, as in "a:eth1"',
  ],
  [
    'an interface name that is too long',
    `${NODES}links:\n  from-here-to-there: { type: p2p, nodes: [a:eth0, b] }\n`,
    't.yaml:5:52: links.from-here-to-there.nodes[1]: the interface would be "from-here-to-there", but names of interfaces have at most 15 characters; name it, as in "b:eth0", or shorten the link\'s name',
  ],
  [
    "an interface name that is the system's",
    ab('type: p2p, nodes: [a:lo, b]'),
    't.yaml:5:28: links.ab.nodes[0]: the interface cannot be named "lo", which the system keeps for itself; name it, as in "a:eth0"',
  ],
  [
    'a malformed end',
    ab('type: p2p, nodes: [a/eth0, b]'),
    't.yaml:5:28: links.ab.nodes[0]: expected a node such as "a", or node and interface "a:eth0", found "a/eth0"',
  ],
  [
    'a malformed hardware address',
    ab('type: p2p, ends: { a: { mac: 02-00-00-00-00-01 }, b: }'),
    't.yaml:5:38: links.ab.ends.a.mac: expected a hardware address such as "02:00:00:00:00:01", found "02-00-00-00-00-01"',
  ],
  [
    'a group hardware address',
    ab('type: p2p, ends: { a: { mac: 01:00:5E:00:00:01 }, b: }'),
    't.yaml:5:38: links.ab.ends.a.mac: expected the hardware address of one interface, found the group address "01:00:5E:00:00:01"; "02:00:5e:00:00:01" is one',
  ],
  [
    'a hardware address of zeros',
    ab('type: p2p, ends: { a: { mac: 00:00:00:00:00:00 }, b: }'),
    't.yaml:5:38: links.ab.ends.a.mac: expected the hardware address of one interface, found all zeros; "02:00:00:00:00:01" is one',
  ],
  [
    'one hardware address twice',
    ab('type: p2p, ends: { a: { mac: 02:00:00:00:00:01 }, b: { mac: 02:00:00:00:00:01 } }'),
    't.yaml:5:69: links.ab.ends.b.mac: 02:00:00:00:00:01 is also the hardware address of node a on this link',
  ],
  [
    'a hardware address on tun',
    ab('type: p2p, medium: tun, ends: { a: { mac: 02:00:00:00:00:01 }, b: }'),
    't.yaml:5:46: links.ab.ends.a.mac: a link of medium tun has no hardware addresses; remove it',
  ],
])('%s is an error with its place', (_, text, ...errors) => expect(errorsOf(text)).toEqual(errors));

test('all errors are told at once, in the order of the text, those between fields among them', () => {
  const text = `name: t
seed: many
nodes:
  a: { kind: kaem }
  b: { kind: kame, group: hosts }
links:
  ab: { type: p2p, nodes: [a, c] }
  cd: { type: p2p, ends: { a: { mac: 01:00:00:00:00:01 }, b: }, mtu: 10 }
`;
  expect(errorsOf(text)).toEqual([
    't.yaml:2:7: seed: expected a whole number from 0 to 4294967295, found "many"',
    't.yaml:4:14: nodes.a.kind: expected one of kame, linux, found "kaem"; did you mean "kame"?',
    't.yaml:5:27: nodes.b.group: no group is named "hosts"; there are no groups',
    't.yaml:7:31: links.ab.nodes[1]: no node is named "c"; nodes are a, b',
    't.yaml:8:38: links.cd.ends.a.mac: expected the hardware address of one interface, found the group address "01:00:00:00:00:01"; "02:00:00:00:00:01" is one',
    't.yaml:8:70: links.cd.mtu: expected a whole number from 1280 to 65521, found 10',
  ]);
});

test('what hangs on a broken field is not reported as missing', () => {
  const text = `name: t
defaults: { kind: kame }
nodes:
  a: { routes: [{ to: default, dev: ab }], addresses: [2001:db8::1%ab/64] }
  b:
links: { ab: { type: ppp, nodes: [a, b] } }
`;
  expect(errorsOf(text)).toEqual([
    't.yaml:6:22: links.ab.type: expected one of p2p, lan, found "ppp"; did you mean "p2p"?',
  ]);
});

test('an error behind an alias or a merge key shows the text that is wrong', () => {
  const text = `name: t
groups: { g: &base { kind: kaem } }
nodes:
  a: { <<: *base, forwarding: 3 }
`;
  expect(errorsOf(text)).toEqual([
    't.yaml:2:28: groups.g.kind: expected one of kame, linux, found "kaem"; did you mean "kame"?',
    't.yaml:2:28: nodes.a.kind: expected one of kame, linux, found "kaem"; did you mean "kame"?',
    't.yaml:4:31: nodes.a.forwarding: expected true or false, found 3',
  ]);
});

test('aliases that multiply without end are refused', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefg'.replace(/./g, (c) => `${c}: &${c} [${Array(9).fill(`*${String.fromCharCode(c.charCodeAt(0) - 1)}`)}]\n`)}`;
  expect(errorsOf(bomb)).toEqual(['t.yaml: Excessive alias count indicates a resource exhaustion attack']);
});
