import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { link, PacketSocket } from '../index.ts';
import { batchOf, frame, hear, OwnNamespace, thrownBy } from './lab.ts';

const ip = (namespace: string, ...words: string[]): string => {
  const { status, stdout, stderr } = spawnSync('ip', ['-n', namespace, ...words], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
};

test('a veth joins two namespaces under the names, MACs and MTU asked for', async () => {
  using a = new OwnNamespace();
  using b = new OwnNamespace();
  link.createVeth({
    name: 'eth0',
    namespace: a.name,
    peerName: 'eth7',
    peerNamespace: b.name,
    mtu: 9000,
    mac: '02:00:00:00:00:01',
    peerMac: '02:00:00:00:00:02',
  });
  expect(link.get('eth0', a.name)).toMatchObject({ kind: 'veth', mtu: 9000, mac: '02:00:00:00:00:01', up: false });
  expect(link.get('eth7', b.name)).toMatchObject({
    kind: 'veth',
    mtu: 9000,
    mac: '02:00:00:00:00:02',
    operState: 'down',
  });
  link.setUp('eth0', a.name);
  expect(link.get('eth0', a.name)).toMatchObject({ up: true, carrier: false });
  await expect(link.whenUp('eth0', a.name, 0)).rejects.toThrow(
    /^wait for eth0 in namespace \S+: it has no carrier \((lowerlayer)?down\) after 0 ms$/,
  );
  link.setUp('eth7', b.name);
  expect(await link.whenUp('eth0', a.name)).toMatchObject({ up: true, carrier: true, operState: 'up' });
  link.remove('eth0', a.name);
  expect(link.list(b.name).map(({ name }) => name)).toEqual(['lo']);
});

test('both ends of a veth may live in one namespace', () => {
  using own = new OwnNamespace();
  link.createVeth({ name: 'a', namespace: own.name, peerName: 'b' });
  expect(
    link
      .list(own.name)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['a', 'b', 'lo']);
});

test('a bridge is a plain switch, and its ports come and go', () => {
  using own = new OwnNamespace();
  const namespace = own.name;
  link.createBridge({ name: 'br0', namespace, mac: '02:00:00:00:00:0b', mtu: 1400 });
  link.createVeth({ name: 'a', namespace, peerName: 'b' });
  link.setMaster('a', 'br0', namespace);
  expect(link.get('a', namespace).master).toBe(link.indexOf('br0', namespace));
  const detail = ip(namespace, '-d', 'link', 'show', 'br0');
  expect(detail).toContain('forward_delay 0 ');
  expect(detail).toContain('stp_state 0 ');
  expect(detail).toContain('mcast_snooping 0 ');
  expect(detail).toContain('ageing_time 30000 ');
  expect(detail).toContain('02:00:00:00:00:0b');
  link.setMaster('a', undefined, namespace);
  expect(link.get('a', namespace).master).toBe(0);
});

test('MTU, MAC, name and namespace of a device can be changed', () => {
  using a = new OwnNamespace();
  using b = new OwnNamespace();
  link.createVeth({ name: 'v0', namespace: a.name, peerName: 'v1' });
  link.setMtu('v0', 1280, a.name);
  link.setMac('v0', '02:00:00:00:00:77', a.name);
  link.rename('v0', 'lan', a.name);
  link.move('lan', a.name, b.name, 'eth0');
  expect(link.get('eth0', b.name)).toMatchObject({ mtu: 1280, mac: '02:00:00:00:00:77', up: false });
  link.setUp('eth0', b.name);
  link.setDown('eth0', b.name);
  expect(link.get('eth0', b.name).up).toBe(false);
});

test('addresses of both families are added, listed and removed', () => {
  using own = new OwnNamespace({ ipv6: true });
  const device = { device: 'lo', namespace: own.name };
  link.setUp('lo', own.name);
  link.addAddress({ ...device, address: '2001:db8::1/64', noDad: true });
  link.addAddress({ ...device, address: '198.51.100.1', prefixLength: 24 });
  const shown = ip(own.name, '-o', 'addr');
  expect(shown).toContain('2001:db8::1/64 scope global nodad');
  expect(shown).toContain('198.51.100.1/24');
  expect(link.listAddresses('lo', own.name)).toContainEqual({
    address: '2001:db8::1',
    prefixLength: 64,
    tentative: false,
    dadFailed: false,
  });
  link.removeAddress({ ...device, address: '2001:db8::1/64' });
  link.removeAddress({ ...device, address: '198.51.100.1/24' });
  expect(link.listAddresses('lo', own.name).map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
  expect(thrownBy(() => link.removeAddress({ ...device, address: '2001:db8::1/64' })).code).toBe('EADDRNOTAVAIL');
});

test('an address whose duplicate detection runs is tentative', () => {
  using own = new OwnNamespace({ ipv6: true });
  link.createVeth({ name: 'a', namespace: own.name, peerName: 'b' });
  for (const name of ['a', 'b']) link.setUp(name, own.name);
  link.addAddress({ device: 'a', namespace: own.name, address: '2001:db8::1/64' });
  const listed = link.listAddresses('a', own.name).find(({ address }) => address === '2001:db8::1');
  expect(listed?.tentative).toBe(true);
});

test('routes lead by a device, a router or nowhere', () => {
  using own = new OwnNamespace({ ipv6: true });
  const namespace = own.name;
  link.createVeth({ name: 'a', namespace, peerName: 'b' });
  for (const name of ['a', 'b']) link.setUp(name, namespace);
  link.addAddress({ device: 'a', namespace, address: '2001:db8::1/64', noDad: true });
  link.addAddress({ device: 'a', namespace, address: '198.51.100.1/24' });
  const routes = [
    { destination: 'default', via: '2001:db8::2' },
    { destination: '2001:db8:1::/48', device: 'a', metric: 5 },
    { destination: '2001:db8:2::/48', via: 'fe80::1', device: 'a' },
    { destination: '2001:db8:3::/48', unreachable: true },
    { destination: 'default', via: '198.51.100.2' },
    { destination: '203.0.113.0/25', device: 'a' },
    { destination: '203.0.113.128/25', via: '2001:db8::2' },
  ];
  for (const route of routes) link.addRoute({ ...route, namespace });
  const [six, four] = [ip(namespace, '-6', 'route'), ip(namespace, 'route')];
  expect(six).toContain('default via 2001:db8::2 dev a proto static');
  expect(six).toContain('2001:db8:1::/48 dev a proto static metric 5');
  expect(six).toContain('2001:db8:2::/48 via fe80::1 dev a proto static');
  expect(six).toContain('unreachable 2001:db8:3::/48');
  expect(four).toContain('default via 198.51.100.2 dev a proto static');
  expect(four).toContain('203.0.113.0/25 dev a proto static scope link');
  expect(four).toContain('203.0.113.128/25 via inet6 2001:db8::2 dev a');
  for (const route of routes) link.removeRoute({ ...route, namespace });
  expect(ip(namespace, '-6', 'route') + ip(namespace, 'route')).not.toContain('static');
});

test('a route to nowhere reachable is refused by name', () => {
  using own = new OwnNamespace({ ipv6: true });
  const refusal = thrownBy(() => link.addRoute({ destination: 'default', via: '2001:db8::9', namespace: own.name }));
  expect(refusal.message).toMatch(/^add route default via 2001:db8::9 in namespace tun-tap-\S+: .*\(E[A-Z]+\)/);
});

test('offloads are switched as ethtool names them', () => {
  using own = new OwnNamespace();
  const namespace = own.name;
  link.createVeth({ name: 'a', namespace, peerName: 'b' });
  link.setFeatures('a', { tx: false, rx: false, tso: false, gso: false, gro: false }, namespace);
  expect(thrownBy(() => link.setFeatures('lo', { tx: false }, namespace)).message).toContain('set tx off of lo');
});

test('two devices mirrored to each other are a cable', async () => {
  using own = new OwnNamespace();
  const namespace = own.name;
  for (const end of ['left', 'right']) link.createVeth({ name: end, namespace, peerName: `${end}-in` });
  link.mirror('left-in', 'right-in', namespace);
  for (const { name } of link.list(namespace)) link.setUp(name, namespace);
  for (const { name } of link.list(namespace)) await link.whenUp(name, namespace);
  using a = PacketSocket.open({ device: 'left', namespace });
  using b = PacketSocket.open({ device: 'right', namespace, ignoreOutgoing: true });
  a.write(batchOf(frame(1, 1500)), 0, 1);
  expect((await hear(b, 1))[0]!.bytes).toEqual(frame(1, 1500));
  b.write(batchOf(frame(2)), 0, 1);
  expect((await hear(a, 1)).map(({ bytes }) => bytes[20])).toEqual([2]);
  expect(link.statistics('right', namespace)).toMatchObject({
    receivedPackets: 1,
    receivedBytes: 1500,
    sentPackets: 1,
  });
});

test('two hundred devices are listed', () => {
  using own = new OwnNamespace();
  for (let i = 0; i < 100; i++) link.createVeth({ name: `a${i}`, namespace: own.name, peerName: `b${i}` });
  expect(link.list(own.name)).toHaveLength(201);
});

test.each<[string, RegExp, (namespace: string) => void]>([
  ['ENODEV', /^set up nope in namespace/, (namespace) => link.setUp('nope', namespace)],
  ['ENODEV', /^find nope in namespace/, (namespace) => link.setMaster('lo', 'nope', namespace)],
  ['ENODEV', /^remove nope in namespace/, (namespace) => link.remove('nope', namespace)],
  ['EEXIST', /^create bridge lo in namespace/, (namespace) => link.createBridge({ name: 'lo', namespace })],
  ['ENOENT', /^list devices in namespace gone: .*No such namespace/, () => link.list('gone')],
  ['ENOENT', /^open namespace gone/, (namespace) => link.move('lo', namespace, 'gone')],
  ['EINVAL', /^move to namespace \S+ lo in namespace/, (namespace) => link.move('lo', namespace, '/proc/self/ns/net')],
])('%s: %s', (code, message, run) => {
  using own = new OwnNamespace();
  const refusal = thrownBy(() => run(own.name));
  expect(refusal.message).toMatch(message);
  expect(refusal.code).toBe(code);
});
