import { expect, test } from 'vitest';
import { formatScoped } from '#stack/wire/address.ts';
import { linked, REPLY } from '#tests/support/linked.ts';
import { destinationOptions, echoRequest, packet } from '#tests/support/packets.ts';
import { ping } from '#tests/support/ping.ts';
import { addressOn, expectConserved, World } from '#tests/support/world.ts';

test('IC-05 an echo request is answered from the address that was asked, data unchanged, without its extension headers', () => {
  const { world, node, tester } = linked();
  const request = packet({ src: '2001:db8::2', dst: '2001:db8::1', hops: 3 }, destinationOptions(), echoRequest(64));
  tester.send(request);
  world.run(100);
  const [reply, ...more] = tester.captured(REPLY);
  expect(more).toEqual([]);
  expect(reply!.decoded).toMatchObject({
    ip6: { src: '2001:db8::1', dst: '2001:db8::2', hopLimit: 64, nextHeader: 58 },
    icmp6: { echo: { id: 0x1234, seq: 1 } },
  });
  expect(reply!.bytes.slice(48)).toEqual(request.slice(-64));
  expect(node.counters.icmp6.reflected).toBe(1);
  expect(node.histograms.icmp6In[128]).toBe(1);
  expect(node.histograms.icmp6Out[129]).toBe(1);
  expectConserved(world);
});

test('IC-05 an echo request to a group is answered from a unicast address', () => {
  const { world, ifp, tester } = linked();
  tester.send(packet({ src: '2001:db8::2', dst: 'ff02::1' }, echoRequest()));
  tester.send(packet({ src: 'fe80::2', dst: 'ff02::1' }, echoRequest()));
  world.run(100);
  const replies = tester.captured(REPLY).map((frame) => frame.decoded.ip6!.src);
  const linkLocal = ifp.addresses.find((entry) => entry.zone !== 0)!;
  expect(replies).toEqual(['2001:db8::1', expect.stringMatching(/^fe80::/)]);
  expect(linkLocal.usable).toBe(true);
  expectConserved(world);
});

test('IC-05 an echo request to an anycast address is answered from a unicast address (RQ-05)', () => {
  const { world, ifp, tester } = linked();
  addressOn(ifp, '2001:db8::/64', { anycast: true });
  tester.send(packet({ src: '2001:db8::2', dst: '2001:db8::' }, echoRequest()));
  world.run(100);
  expect(tester.captured(REPLY).map((frame) => frame.decoded.ip6!.src)).toEqual(['2001:db8::1']);
});

test('IP-02 a host takes a packet for itself with hop limit 0', () => {
  const { world, tester } = linked();
  tester.send(packet({ src: '2001:db8::2', dst: '2001:db8::1', hops: 0 }, echoRequest()));
  world.run(100);
  expect(tester.captured(REPLY)).toHaveLength(1);
});

test('ST-02 a message with a bad checksum is counted and dropped', () => {
  const { world, node, tester } = linked();
  const good = packet({ src: '2001:db8::2', dst: '2001:db8::1' }, echoRequest());
  const bad = good.slice();
  bad[50]! ^= 1;
  tester.send(bad);
  world.run(100);
  expect(node.counters.icmp6.badChecksum).toBe(1);
  expect(tester.captured(REPLY)).toEqual([]);
  expect(world.told(node).drops).toEqual([{ protocol: 'icmp6', counter: 'badChecksum' }]);
  expectConserved(world);
});

test('two nodes on an Ethernet ping each other by global and by link-local address', () => {
  const world = new World();
  const lan = world.lan();
  const a = world.node('a');
  const b = world.node('b');
  addressOn(world.attach(a, lan), '2001:db8::a/64');
  addressOn(world.attach(b, lan, { mac: '02:00:00:00:00:0b' }), '2001:db8::b/64');
  world.run(5000);
  expect(ping(a, '2001:db8::b')).toBeUndefined();
  expect(ping(a, 'fe80::ff:fe00:b%em0', { seq: 2 })).toBeUndefined();
  world.run(1000);
  expect(world.captured(REPLY).map((frame) => [frame.decoded.ip6!.src, frame.decoded.icmp6!.echo!.seq])).toEqual([
    ['2001:db8::b', 1],
    ['fe80::ff:fe00:b', 2],
  ]);
  expectConserved(world);
});

test.each([
  ['::1', '::1'],
  ['2001:db8::1', '2001:db8::1'],
  ['fe80::1%lo0', 'fe80::1'],
])('a node pings itself at %s through lo0: nothing leaves', (to) => {
  const { world, node, tester } = linked();
  const before = tester.heard.length;
  expect(ping(node, to)).toBeUndefined();
  world.run(100);
  expect(node.histograms.icmp6In[129]).toBe(1);
  expect(tester.heard.length).toBe(before);
  expectConserved(world);
});

test('a node pings its own link-local address: the zone is that of the interface which has it, not of lo0', () => {
  const { world, node, ifp } = linked();
  const own = ifp.addresses.find((entry) => entry.zone !== 0)!;
  expect(ping(node, formatScoped(own.address, 'tun0'))).toBeUndefined();
  world.run(100);
  expect(node.histograms.icmp6In[129]).toBe(1);
});

test('an echo reply has the hop limit that a router advertised for its interface', () => {
  const { world, ifp, tester } = linked();
  ifp.nd.hopLimit = 33;
  tester.send(packet({ src: '2001:db8::2', dst: '2001:db8::1' }, echoRequest()));
  world.run(100);
  expect(tester.captured(REPLY)[0]!.decoded.ip6!.hopLimit).toBe(33);
});
