import { describe, expect, test } from 'vitest';
import { ip6Output, type OutputOptions } from '#stack/ip6/output.ts';
import type { Stack } from '#stack/stack.ts';
import { address, formatAddress, viewOf } from '#stack/wire/address.ts';
import { pseudoHeader6 } from '#stack/wire/checksum.ts';
import { linked, NODE, PEER } from '#tests/support/linked.ts';
import { echoRequest, icmp6, type Layer, packet, raw, udp } from '#tests/support/packets.ts';
import { ping } from '#tests/support/ping.ts';
import { addressOn, expectConserved, routeOn, set, World } from '#tests/support/world.ts';

/** Hand the bytes of a packet to ip6Output. */
function output(stack: Stack, bytes: Uint8Array, options?: OutputOptions) {
  const pkt = stack.pool.take(bytes.length);
  pkt.bytes.set(bytes, pkt.head);
  pkt.tail = pkt.head + bytes.length;
  return ip6Output(stack, pkt, options);
}

describe('what is not sent', () => {
  const to = (dst: string, src = NODE) => packet({ src, dst }, udp(1, 2));
  test.each<[title: string, bytes: Uint8Array, error: string, options?: OutputOptions]>([
    ['ND-12 no route: EHOSTUNREACH at once', to('2001:db8:9::1'), 'EHOSTUNREACH'],
    ['IV-09 a destination that a reject route covers', to('::ffff:192.0.2.1'), 'EHOSTUNREACH'],
    ['SC-08 a link-local destination without a zone', to('fe80::2'), 'EHOSTUNREACH'],
    ['an unspecified destination', to('::'), 'EHOSTUNREACH'],
    ['IV-04 an unspecified source, unless the caller says so', to(PEER, '::'), 'EADDRNOTAVAIL'],
    ['IV-06 a multicast source', to(PEER, 'ff02::1'), 'EADDRNOTAVAIL'],
    ['IV-06 a loopback source to another node', to(PEER, '::1'), 'EADDRNOTAVAIL'],
    ['SC-06 a link-local source that this link does not know', to(PEER, 'fe80::1234'), 'EADDRNOTAVAIL'],
    [
      'a packet that must not be fragmented and is too long',
      packet({ src: NODE, dst: PEER }, udp(1, 2, 1500)),
      'EMSGSIZE',
      { dontFragment: true },
    ],
    ['SC-02 a zone inside a group', to('ff02:1::1'), 'EINVAL', { zone: 2 }],
    ['a group of scope 0', to('ff00::1'), 'EHOSTUNREACH'],
  ])('%s', (_, bytes, error, options) => {
    const { world, node, tester } = linked();
    tester.heard.length = 0;
    expect(output(node, bytes, options)).toBe(error);
    world.run(100);
    expect(tester.heard).toEqual([]);
    expect(world.told(node).drops).toHaveLength(1);
    expectConserved(world);
  });

  test.each([
    ['ND-05 a duplicated address', 'duplicated', {}],
    ['a tentative address', 'tentative', {}],
    ['RQ-05 an anycast address', 'preferred', { anycast: true }],
  ] as const)('anything from %s', (_, state, options) => {
    const { world, node, ifp } = linked();
    addressOn(ifp, '2001:db8::77/64', { ...options, noDad: true }).state = state;
    expect(output(node, to(PEER, '2001:db8::77'))).toBe('EADDRNOTAVAIL');
    expectConserved(world);
  });

  test('anything by an interface that is down, or disabled (ND-06)', () => {
    const { world, node, ifp } = linked();
    ifp.nd.disabled = true;
    expect(output(node, to(PEER))).toBe('ENETDOWN');
    ifp.nd.disabled = false;
    ifp.setUp(false);
    expect(output(node, to(PEER))).toBe('ENETDOWN');
    expectConserved(world);
  });
});

test('IP-02 packets sent have hop limit 64, or what `hlim` says', () => {
  const { world, node, tester } = linked();
  ping(node, PEER);
  set(node, 'ip6.hlim', 17);
  ping(node, PEER);
  world.run(100);
  expect(tester.captured({ icmp6: { name: 'echoRequest' } }).map(({ decoded }) => decoded.ip6!.hopLimit)).toEqual([
    64, 17,
  ]);
});

describe('fragments', () => {
  test('IP-04 a packet longer than the link MTU is fragmented at its source', () => {
    const { world, node, tester } = linked();
    tester.heard.length = 0;
    expect(ping(node, PEER, { size: 3000 })).toBeUndefined();
    world.run(100);
    const fragments = tester.captured({ fragment: {} });
    expect(
      fragments.map(({ bytes, decoded }) => [bytes.length, decoded.fragment!.offset, decoded.fragment!.more]),
    ).toEqual([
      [1496, 0, true],
      [1496, 1448, true],
      [160, 2896, false],
    ]);
    expect(node.counters.ip6.fragmented).toBe(1);
    expectConserved(world);
  });

  test('IP-04 and comes together again', () => {
    const world = new World();
    const wire = world.p2p({ mtu: 1280 });
    const a = world.node('a');
    const b = world.node('b');
    addressOn(world.attach(a, wire), '2001:db8::1/64');
    addressOn(world.attach(b, wire), '2001:db8::2/64');
    world.run(3000);
    ping(a, '2001:db8::2', { size: 20_000 });
    world.run(100);
    expect(a.histograms.icmp6In[129]).toBe(1);
    expect(b.counters.ip6.reassembled).toBe(1);
    expectConserved(world);
  });

  test('KAME IPV6_MINMTU: at 1280', () => {
    const { world, node, tester } = linked();
    ping(node, PEER, { size: 1400, minMtu: true });
    world.run(100);
    expect(Math.max(...tester.captured({ fragment: {} }).map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(1280);
  });

  test.each([
    ['0: at 1280', 0, 2],
    ['1: at the link MTU', 1, 0],
  ])('IP-10 mcast_pmtu %s', (_, knob, count) => {
    const { world, node, ifp, tester } = linked({ 'ip6.mcast_pmtu': knob });
    expect(output(node, packet({ src: NODE, dst: 'ff0e::1234' }, udp(1, 2, 1400)), { interface: ifp })).toBeUndefined();
    world.run(100);
    expect(tester.captured({ fragment: {} })).toHaveLength(count);
    expectConserved(world);
  });
});

describe('path MTU', () => {
  const tooBig = (mtu: number, dst = PEER, src = NODE) =>
    packet({ src: 'fe80::9', dst: NODE }, icmp6(2, 0, mtu, packet({ src, dst }, echoRequest(1232))));
  const about = (layer: Layer) =>
    packet({ src: 'fe80::9', dst: NODE }, icmp6(2, 0, 1300, packet({ src: NODE, dst: PEER }, layer)));
  /** Lengths of the packets that a ping of 1400 bytes is sent in. */
  const lengths = ({ world, node, tester }: ReturnType<typeof linked>, to = PEER) => {
    tester.heard.length = 0;
    ping(node, to, { size: 1400 });
    world.run(100);
    return tester
      .captured({ ip6: { dst: to, nextHeader: (next) => next === 44 || next === 58 } })
      .filter(({ decoded }) => decoded.icmp6?.type !== 135)
      .map(({ bytes }) => bytes.length);
  };

  test('IP-09 Packet Too Big lowers the path MTU for that destination alone, for 600 seconds', () => {
    const here = linked({ 'icmp6.nd6_gctimer': 100_000 });
    here.ifp.nd.nud = false;
    expect(lengths(here)).toEqual([1448]);
    here.ask(tooBig(1300));
    expect(here.node.counters.icmp6.pathMtuChanges).toBe(1);
    expect(lengths(here)).toEqual([1296, 208]);
    expect(lengths(here, '2001:db8::3')).toEqual([1448]);
    here.world.run(600_000);
    expect(lengths(here)).toEqual([1448]);
    expectConserved(here.world);
  });

  test('the MTU of a route counts as well', () => {
    const here = linked();
    routeOn(here.node, '2001:db8:c::/48', PEER).mtu = 1300;
    expect(lengths(here, '2001:db8:c::1')).toEqual([1296, 208]);
  });

  test('IP-09 what a connected socket vouches for is bounded, too, and stays trusted', () => {
    const { node } = linked({ 'icmp6.mtudisc_hiwat': 1 });
    const view = (index: number) => viewOf(address(`2001:db8:1::${index.toString(16)}`));
    for (let index = 1; index <= 5000; index++) node.pathMtu.learn(view(index), 0, 0, 1400, true);
    expect(node.pathMtu.size).toBe(4096);
    node.pathMtu.learn(view(5000), 0, 0, 1300, false);
    expect(node.pathMtu.entries().at(-1)).toMatchObject({ mtu: 1300, validated: true });
  });

  test.each([
    ['a UDP port that nobody here has is forged', about(udp(4000, 53))],
    ['a protocol that nobody here speaks is forged', about(raw(6, new Uint8Array(20)))],
    ['less than 1280 is ignored (RFC 8201)', tooBig(1279)],
    ['zero is ignored', tooBig(0)],
    ['not less than the link MTU is ignored', tooBig(1500)],
    ['about a packet that is not from us is ignored', tooBig(1300, PEER, '2001:db8::5')],
    ['about a group is ignored', tooBig(1300, 'ff0e::1')],
    ['about a destination without a route is ignored', tooBig(1300, '2001:db8:5::1')],
  ])('IP-09 a Packet Too Big of %s', (_, bytes) => {
    const { world, node, ask } = linked();
    ask(bytes);
    expect(node.pathMtu.size).toBe(0);
    expectConserved(world);
  });

  test('IP-09 forged messages fill no more than the table: above lowat the oldest makes room, at hiwat none is taken', () => {
    const { node, ask } = linked({ 'icmp6.mtudisc_lowat': 10, 'icmp6.mtudisc_hiwat': 12 });
    for (let count = 1; count <= 50; count++) ask(tooBig(1300, `2001:db8::${count.toString(16)}:0`));
    expect(node.pathMtu.size).toBe(10);
    expect(node.pathMtu.entries()[9]!.destination).toEqual(address('2001:db8::32:0'));
    set(node, 'icmp6.mtudisc_hiwat', 5);
    ask(tooBig(1300, '2001:db8::ffff:0'));
    expect(node.pathMtu.entries().some((entry) => entry.destination[12] === 0xff)).toBe(false);
  });

  test('a lower value replaces a higher one, a higher one does not raise it', () => {
    const { node, ask } = linked();
    for (const mtu of [1400, 1300, 1450]) ask(tooBig(mtu));
    expect(node.pathMtu.entries().map((entry) => entry.mtu)).toEqual([1300]);
  });
});

describe('groups', () => {
  test('a member gets a copy of what it sends to the group, unless told otherwise', () => {
    const { world, node, ifp, tester } = linked();
    node.mld.join(ifp, address('ff02::1234'));
    const bytes = packet({ src: NODE, dst: 'ff02::1234', hops: 1 }, echoRequest());
    const before = node.histograms.icmp6In[128]!;
    output(node, bytes, { interface: ifp });
    output(node, bytes, { interface: ifp, multicastLoop: false });
    world.run(100);
    expect(node.histograms.icmp6In[128]! - before).toBe(1);
    expect(tester.captured({ ip6: { dst: 'ff02::1234' }, icmp6: { name: 'echoRequest' } })).toHaveLength(2);
    expectConserved(world);
  });

  test('SC-10 an interface-local group and hop limit 0 never leave the node', () => {
    const { world, node, ifp, tester } = linked();
    tester.heard.length = 0;
    node.mld.join(ifp, address('ff01::1234'));
    expect(output(node, packet({ src: NODE, dst: 'ff01::1234' }, echoRequest()), { interface: ifp })).toBeUndefined();
    expect(
      output(node, packet({ src: NODE, dst: 'ff02::1', hops: 0 }, echoRequest()), { interface: ifp }),
    ).toBeUndefined();
    world.run(100);
    expect(tester.captured({ icmp6: { name: 'echoRequest' } })).toEqual([]);
    expect(node.histograms.icmp6In[128]).toBe(2);
    expectConserved(world);
  });

  test('leave by the interface given, by their zone, by a route, or by the default interface', () => {
    const { world, node, ifp, tester } = linked();
    const bytes = packet({ src: NODE, dst: 'ff05::1234' }, udp(1, 2));
    expect(output(node, bytes)).toBe('EHOSTUNREACH');
    expect(output(node, bytes, { interface: ifp })).toBeUndefined();
    expect(output(node, packet({ src: NODE, dst: 'ff02::1234' }, udp(1, 2)), { zone: ifp.index })).toBeUndefined();
    node.defaultInterface = ifp;
    expect(output(node, bytes)).toBeUndefined();
    routeOn(node, 'ff00::/8', undefined, 'tun0');
    node.defaultInterface = undefined;
    expect(output(node, bytes)).toBeUndefined();
    world.run(100);
    expect(tester.captured({ udp: {} })).toHaveLength(4);
    expectConserved(world);
  });
});

describe('zones', () => {
  /** A node with two links and a station at fe80::1 on each. */
  function twoLinks() {
    const world = new World();
    const node = world.node('node');
    const wires = [world.p2p(), world.p2p()] as const;
    const [tun0, tun1] = wires.map((wire) => world.attach(node, wire)) as [
      ReturnType<World['attach']>,
      ReturnType<World['attach']>,
    ];
    const testers = wires.map((wire) => wire.tester());
    world.run(3000);
    const heard = () => testers.map((tester) => tester.captured({ icmp6: { name: 'echoRequest' } }).length);
    return { world, node, tun0, tun1, heard };
  }

  test('SC-01 fe80::1 on two links are two nodes', () => {
    const { world, node, heard } = twoLinks();
    ping(node, 'fe80::1%tun0');
    world.run(100);
    expect(heard()).toEqual([1, 0]);
    ping(node, 'fe80::1%tun1');
    world.run(100);
    expect(heard()).toEqual([1, 1]);
    expectConserved(world);
  });

  test('a zone that is not that of the outgoing interface: EHOSTUNREACH', () => {
    const { node, tun0, tun1 } = twoLinks();
    const bytes = packet({ src: NODE, dst: 'fe80::1' }, udp(1, 2));
    expect(output(node, bytes, { zone: tun0.index, interface: tun1 })).toBe('EHOSTUNREACH');
    expect(node.counters.ip6.badScope).toBe(1);
  });

  test('SC-09 the outgoing interface resolves an ambiguous destination', () => {
    const { world, node, tun1, heard } = twoLinks();
    expect(ping(node, 'fe80::1', { interface: tun1 })).toBeUndefined();
    world.run(100);
    expect(heard()).toEqual([0, 1]);
  });

  test('SC-08 the default zone, only with use_defaultzone', () => {
    const { world, node, tun1, heard } = twoLinks();
    const source = formatAddress(tun1.addresses.find((entry) => entry.zone !== 0)!.address);
    node.defaultInterface = tun1;
    const bytes = packet({ src: source, dst: 'fe80::1' }, echoRequest());
    expect(output(node, bytes)).toBe('EHOSTUNREACH');
    set(node, 'ip6.use_defaultzone', 1);
    expect(output(node, bytes)).toBeUndefined();
    world.run(100);
    expect(heard()).toEqual([0, 1]);
  });

  test('SC-02 no zone is ever inside an address on the wire', () => {
    const { world, node } = twoLinks();
    ping(node, 'fe80::1%tun1');
    world.run(10_000);
    const zones = world.frames
      .flatMap(({ decoded }) => [decoded.ip6!.src, decoded.ip6!.dst])
      .filter((text) => /^(fe80|ff0[12]):[1-9a-f]/.test(text));
    expect(zones).toEqual([]);
  });
});

describe('jumbograms', () => {
  test('JB-01 68,000 bytes to ::1 go through lo0 whole', () => {
    const { world, node } = linked();
    expect(ping(node, '::1', { size: 68_000 })).toBeUndefined();
    world.run(100);
    expect(node.histograms.icmp6In[129]).toBe(1);
    expect(node.counters.ip6.fragmented).toBe(0);
    expectConserved(world);
  });

  test('a lo0 of 1500 bytes: the node sends itself fragments, their checksum finished before', () => {
    const { world, node } = linked();
    node.loopback.mtu = 1500;
    const bytes = packet({ src: NODE, dst: NODE }, udp(1, 9, 3000));
    const pkt = node.pool.take(bytes.length);
    pkt.bytes.set(bytes, pkt.head);
    pkt.tail = pkt.head + bytes.length;
    pkt.checksum = 'unfinished';
    pkt.checksumStart = pkt.head + 40;
    pkt.checksumAt = pkt.checksumStart + 6;
    pkt.view.setUint16(pkt.checksumAt, pseudoHeader6(pkt.view, pkt.head, 3008, 17));
    expect(ip6Output(node, pkt)).toBeUndefined();
    world.run(100);
    expect(node.counters.ip6.reassembled).toBe(1);
    expect(node.counters.udp6).toMatchObject({ received: 1, badChecksum: 0, noPort: 1 });
    expectConserved(world);
  });

  test('more than lo0 takes: EMSGSIZE', () => {
    const { world, node } = linked();
    expect(ping(node, '::1', { size: 131_072 })).toBe('EMSGSIZE');
    expectConserved(world);
  });

  test('a jumbogram is never fragmented: EMSGSIZE', () => {
    const { world, node } = linked();
    expect(ping(node, PEER, { size: 68_000 })).toBe('EMSGSIZE');
    expect(node.counters.ip6.cannotFragment).toBe(1);
    expectConserved(world);
  });
});

test('ND-01 about our own packet to a neighbor that does not answer an error comes back to us, code 3', () => {
  const world = new World();
  const node = world.node('node');
  addressOn(world.attach(node, world.lan()), '2001:db8::1/64');
  world.run(3000);
  expect(ping(node, '2001:db8::44')).toBeUndefined();
  world.run(2900);
  expect(node.histograms.icmp6In[1]).toBe(0);
  world.run(200);
  expect(node.histograms.icmp6In[1]).toBe(1);
  expect(node.counters.icmp6.outAddressUnreachable).toBe(1);
  expectConserved(world);
});
