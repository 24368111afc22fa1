/** The JSON Schema that editors use: current, described, and of one mind with the checks of the orchestrator. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { fromJSONSchema } from 'zod';
import { topologyJsonSchema, topologySchema } from '#orchestrator/topology-schema.ts';

const FILE = 'topologies/topology.schema.json';
const published = JSON.parse(readFileSync(FILE, 'utf8'));

test('the published schema is the one in the code; `node topologies/write-schema.ts` writes it anew', () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(topologyJsonSchema())));
});

test.each(globSync('topologies/**/topology.yaml'))('%s tells editors where the schema is', (path) => {
  const [first] = readFileSync(path, 'utf8').split('\n');
  expect(first).toBe(`# yaml-language-server: $schema=${relative(dirname(path), FILE)}`);
});

const ab = (link: string) => `name: t\nnodes: { a: { kind: kame }, b: { kind: linux } }\nlinks: { ab: { ${link} } }`;
const a = (settings: string) => `name: t\nnodes: { a: { kind: kame, ${settings} } }`;

test.each<[text: string, accepted: boolean]>([
  [ab('type: p2p, nodes: [a, b]'), true],
  [ab('type: p2p, nodes: [a, b:eth0], medium: tun, mtu: 1280'), true],
  [ab('type: lan, ends: { a: , b: { addresses: ["2001:db8::1/64"], mac: 02:00:00:00:00:01 } }'), true],
  [ab('type: p2p, nodes: [a]'), false],
  [ab('type: p2p, nodes: [a, b], mtu: 1279'), false],
  [ab('type: lan, nodes: [a, b], medium: tun'), false],
  [ab('type: ring, nodes: [a, b]'), false],
  [ab('nodes: [a, b]'), false],
  [ab('type: lan, ends: { a: { addresses: ["2001:db8::1"] } }'), false],
  [ab('type: lan, ends: { a: { mac: 02-00 } }'), false],
  [a('addresses: ["2001:db8::1%ab/64", { address: 198.51.100.1/24, allowDuplicate: true }]'), true],
  [a('routes: [{ to: default, via: fe80::1%ab }, { to: "2001:db8::/32", reject: true }]'), true],
  [a('sysctls: { net.inet6.ip6.hlim: 64 }, linux: { commands: [x] }, limits: { memory: 1G, cpus: 2 }'), true],
  [a('daemons: [{ run: radvd -n, ready: ok }], files: { /a: b, /c: { from: d } }'), true],
  [a('daemons: [radvd]'), false],
  [a('routes: [{ via: fe80::1%ab }]'), false],
  [a('limits: { memory: 1T }'), false],
  [a('linux: { kind: kame }'), false],
  [a('colour: red'), false],
  ['name: T\nnodes: { a: { kind: kame } }', false],
  ['name: t\nnodes: { a: { kind: vax } }', false],
  ['nodes: { a: { kind: kame } }', false],
  ['name: t', false],
])('editor and orchestrator agree on %j', (text, accepted) => {
  expect(topologySchema().safeParse(parse(text)).success).toBe(accepted);
  expect(fromJSONSchema(published).safeParse(parse(text)).success).toBe(accepted);
});

test('fields say what they mean', () => {
  const { node, route } = published.$defs;
  expect(node.properties.forwarding.description).toBe('true: a router; false, the default: a host.');
  expect(route.properties.via.description).toContain('fe80::1%ab');
});
