import { describe, expect, test } from 'vitest';
import { addRoute } from '#stack/route/routes.ts';
import { RouteFlag } from '#stack/route/table.ts';
import { address } from '#stack/wire/address.ts';
import { summary } from '#tests/support/linked.ts';
import { concat, destinationOptions, echoRequest, hopByHop, packet, routing, udp } from '#tests/support/packets.ts';
import { addressOn, expectConserved, type Frame, routeOn, set, type Tester, World } from '#tests/support/world.ts';

const A = '2001:db8:a::2';
const B = '2001:db8:b::2';

/** Station A - tun0 - router - tun1 - station B. */
function routed(options: { sysctl?: Record<string, number>; mtu?: number; lan?: boolean } = {}) {
  const world = new World();
  const router = world.router('router', options.sysctl);
  const left = world.p2p();
  const right = world.p2p({ mtu: options.mtu ?? 1500 });
  const tun0 = world.attach(router, left);
  const tun1 = world.attach(router, right);
  addressOn(tun0, '2001:db8:a::1/64');
  addressOn(tun1, '2001:db8:b::1/64');
  const a = left.tester();
  const b = right.tester();
  world.run(3000);
  const data = (tester: Tester): Frame[] =>
    tester.heard.filter(
      ({ decoded }) => decoded.icmp6 === undefined || decoded.icmp6.type < 130 || decoded.icmp6.type > 136,
    );
  const send = (bytes: Uint8Array) => {
    a.heard.length = 0;
    b.heard.length = 0;
    a.send(bytes);
    world.run(100);
    return { back: data(a), through: data(b) };
  };
  return { world, router, tun0, tun1, a, b, send };
}

test('a packet is forwarded with one hop less, and nothing else changed', () => {
  const { world, router, send } = routed();
  const bytes = packet({ src: A, dst: B, hops: 2 }, hopByHop(0x1e, 0), destinationOptions(), udp(1, 2, 100));
  const { back, through } = send(bytes);
  expect(back).toEqual([]);
  const wanted = bytes.slice();
  wanted[7] = 1;
  expect(through.map((frame) => frame.bytes)).toEqual([wanted]);
  expect(router.counters.ip6.forwarded).toBe(1);
  expect(router.counters.ip6.delivered).toBe(0);
  expectConserved(world);
});

describe('what comes back instead', () => {
  const plain = (hops = 64) => packet({ src: A, dst: B, hops }, udp(1, 2));
  test.each<[title: string, bytes: Uint8Array, answer: object]>([
    ['IP-02 hop limit 1: Time Exceeded code 0', plain(1), { type: 3, code: 0 }],
    ['IP-02 hop limit 0: Time Exceeded code 0', plain(0), { type: 3, code: 0 }],
    ['no route: type 1 code 0', packet({ src: A, dst: '2001:db8:c::1' }, udp(1, 2)), { type: 1, code: 0 }],
    [
      'IV-09 a reject route of the start-up file: type 1 code 6 (IC-09)',
      packet({ src: A, dst: '2002:7f00:1::1' }, udp(1, 2)),
      { type: 1, code: 6 },
    ],
    [
      'RFC 4443 3.1 back over the point-to-point link it came by: code 3',
      packet({ src: A, dst: '2001:db8:a::99' }, udp(1, 2)),
      { type: 1, code: 3 },
    ],
    [
      'SC-11 a link-local source beyond its link: code 2',
      packet({ src: 'fe80::2', dst: B }, udp(1, 2)),
      { type: 1, code: 2 },
    ],
    [
      'IP-06 a hop-by-hop option of type 10xxxxxx, on the way',
      packet({ src: A, dst: B }, hopByHop(0x9e, 0), udp(1, 2)),
      { type: 4, code: 2, pointer: 42 },
    ],
  ])('%s', (_, bytes, answer) => {
    const { world, router, send } = routed();
    const { back, through } = send(bytes);
    expect(through).toEqual([]);
    expect(back.map(summary)).toEqual([answer]);
    expect(back[0]!.decoded.icmp6!.checksumOk).toBe(true);
    // IN-02: the original is quoted as it came
    expect(back[0]!.bytes.slice(48)).toEqual(bytes);
    expect(router.counters.ip6.forwarded).toBe(0);
    expectConserved(world);
  });

  test('IP-03 larger than the next link: Packet Too Big with its MTU, no fragment', () => {
    const { world, send } = routed({ mtu: 1280 });
    const { back, through } = send(packet({ src: A, dst: B }, udp(1, 2, 1280 - 40 - 8 + 1)));
    expect(through).toEqual([]);
    expect(back.map(summary)).toEqual([{ type: 2, code: 0, mtu: 1280 }]);
    expect(back[0]!.bytes.length).toBe(1280);
    expect(send(packet({ src: A, dst: B }, udp(1, 2, 1280 - 40 - 8))).through).toHaveLength(1);
    expectConserved(world);
  });

  test('IP-03 the MTU of the route, where that is lower', () => {
    const { router, send } = routed();
    routeOn(router, '2001:db8:c::/48', '2001:db8:b::2').mtu = 1400;
    const { back } = send(packet({ src: A, dst: '2001:db8:c::1' }, udp(1, 2, 1400)));
    expect(back.map(summary)).toEqual([{ type: 2, code: 0, mtu: 1400 }]);
  });

  test('IC-02 a packet that came as link-layer multicast is neither forwarded nor answered', () => {
    const world = new World();
    const router = world.router('router');
    const lan = world.lan();
    const em0 = world.attach(router, lan, { mac: '02:00:00:00:00:01' });
    addressOn(em0, '2001:db8:a::1/64');
    addressOn(world.attach(router, world.p2p()), '2001:db8:b::1/64');
    const station = lan.tester('02:00:00:00:00:aa');
    world.run(3000);
    const frame = (bytes: Uint8Array, to: number[]) =>
      station.send(concat(Uint8Array.from([...to, 2, 0, 0, 0, 0, 0xaa, 0x86, 0xdd]), bytes));
    frame(packet({ src: A, dst: '2001:db8:c::1' }, udp(1, 2)), [0x33, 0x33, 0, 0, 0, 1]);
    world.run(100);
    expect(router.counters.ip6.cannotForward).toBe(1);
    expect(router.counters.icmp6.errors).toBe(0);
    expectConserved(world);
  });
});

describe('what is never forwarded', () => {
  test.each([
    ['IV-04 an unspecified source', '::', B],
    ['IV-06 a loopback source', '::1', B],
    ['a multicast source', 'ff02::1', B],
    ['a link-local destination', A, 'fe80::9'],
    ['a link-local destination from a link-local source', 'fe80::2', 'fe80::9'],
    ['a group, without multicast routing', A, 'ff0e::1234'],
    ['SC-10 an interface-local group', A, 'ff01::1'],
    ['an IPv4-mapped destination', A, '::ffff:192.0.2.1'],
  ])('%s', (_, src, dst) => {
    const { world, router, send } = routed();
    const { back, through } = send(packet({ src, dst }, udp(1, 2)));
    expect([...back, ...through]).toEqual([]);
    expect(router.counters.ip6.forwarded).toBe(0);
    expect(world.told(router).drops).toHaveLength(1);
    expectConserved(world);
  });

  test('anything by a blackhole route, without a word', () => {
    const { world, router, send } = routed();
    addRoute(router, {
      destination: address('2001:db8:c::'),
      prefixLength: 48,
      interface: router.loopback,
      flags: RouteFlag.blackhole,
    });
    const { back, through } = send(packet({ src: A, dst: '2001:db8:c::1' }, udp(1, 2)));
    expect([...back, ...through]).toEqual([]);
    expectConserved(world);
  });

  test('SC-16 a site-local packet between two sites', () => {
    const { router, tun1, send } = routed();
    routeOn(router, 'fec0:0:0:b::/64', '2001:db8:b::2');
    const bytes = packet({ src: 'fec0::a:2', dst: 'fec0:0:0:b::2' }, udp(1, 2));
    expect(send(bytes).through).toHaveLength(1);
    tun1.siteZone = 2;
    expect(send(bytes).through).toHaveLength(0);
    expect(router.counters.icmp6.outBeyondScope).toBe(1);
    // a destination of another site, from a source that may go anywhere
    expect(send(packet({ src: A, dst: 'fec0:0:0:b::2' }, udp(1, 2))).through).toHaveLength(0);
    expect(router.counters.ip6.badScope).toBe(2);
  });

  test('ND-06 anything by a disabled interface', () => {
    const { world, router, tun1, send } = routed();
    tun1.nd.disabled = true;
    const { back, through } = send(packet({ src: A, dst: B }, udp(1, 2)));
    expect([...back, ...through]).toEqual([]);
    expect(router.counters.ip6.cannotForward).toBe(1);
    expectConserved(world);
  });
});

test('a host does not forward', () => {
  const { world, router, send } = routed();
  set(router, 'ip6.forwarding', 0);
  const { back, through } = send(packet({ src: A, dst: B }, udp(1, 2)));
  expect([...back, ...through]).toEqual([]);
  expect(router.counters.ip6.notForUs).toBe(1);
  expectConserved(world);
});

test('a route by a gateway sends to the gateway, and the longest prefix wins', () => {
  const world = new World();
  const router = world.router('router');
  const left = world.p2p();
  addressOn(world.attach(router, left), '2001:db8:a::1/64');
  const lan = world.lan();
  addressOn(world.attach(router, lan), '2001:db8:b::1/64');
  const next = world.node('next', { 'ip6.forwarding': 0 });
  const em0 = world.attach(next, lan);
  addressOn(em0, '2001:db8:b::2/64');
  addressOn(em0, '2001:db8:c::1/64');
  routeOn(next, '::/0', '2001:db8:b::1');
  routeOn(router, '2001:db8:c::/48', '2001:db8:b::77');
  routeOn(router, '2001:db8:c::/64', '2001:db8:b::2');
  const a = left.tester();
  world.run(3000);
  a.send(packet({ src: A, dst: '2001:db8:c::1' }, echoRequest()));
  world.run(100);
  expect(a.captured({ icmp6: { name: 'echoReply' } })).toHaveLength(1);
  expectConserved(world);
});

test('IC-02 the error goes to nobody when the source is a router that is told of an error', () => {
  const { world, router, send } = routed();
  const quoted = packet({ src: B, dst: A }, udp(1, 2));
  const error = { ...echoRequest(), build: () => concat(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), quoted) };
  expect(send(packet({ src: A, dst: B, hops: 1 }, error)).back).toEqual([]);
  expect(router.counters.icmp6.cannotError).toBe(1);
  expectConserved(world);
});

describe('IP-08 a routing header of type 0, with the rthdr0 knob', () => {
  const sysctl = { 'ip6.rthdr0': 1 };
  const via = (left: number, ...hops: string[]) =>
    packet({ src: A, dst: '2001:db8:a::1' }, routing(0, left, ...hops), udp(1, 2));

  test('is processed: the next address of the list becomes the destination', () => {
    const { world, send } = routed({ sysctl });
    const { through } = send(via(1, B));
    expect(through[0]!.decoded).toMatchObject({
      ip6: { dst: B, hopLimit: 63 },
      routing: { segmentsLeft: 0, addresses: ['2001:db8:a::1'] },
    });
    expectConserved(world);
  });

  test.each([
    ['a multicast', 'ff02::1'],
    ['an unspecified', '::'],
    ['an IPv4-mapped', '::ffff:192.0.2.1'],
    ['an IPv4-compatible', '::192.0.2.1'],
    ['a loopback', '::1'],
  ])('IV-07 %s hop is refused', (_, hop) => {
    const { world, router, send } = routed({ sysctl });
    const { back, through } = send(via(1, hop));
    expect([...back, ...through]).toEqual([]);
    expect(router.counters.ip6.badOptions).toBe(1);
    expectConserved(world);
  });

  test('IV-07 a packet to a group is refused, whatever the hops', () => {
    const { router, send } = routed({ sysctl });
    const { back, through } = send(packet({ src: A, dst: 'ff02::1' }, routing(0, 1, B), udp(1, 2)));
    expect([...back, ...through]).toEqual([]);
    expect(router.counters.ip6.badOptions).toBe(1);
  });

  test('a host forwards such a packet only with forwsrcrt', () => {
    const { router, send } = routed({ sysctl });
    set(router, 'ip6.forwarding', 0);
    expect(send(via(1, B)).through).toEqual([]);
    expect(router.counters.ip6.cannotForward).toBe(1);
    set(router, 'ip6.forwsrcrt', 1);
    expect(send(via(1, B)).through).toHaveLength(1);
  });

  test('more segments left than addresses: Parameter Problem code 0, pointer at segments left', () => {
    const { send } = routed({ sysctl });
    expect(send(via(2, B)).back.map(summary)).toEqual([{ type: 4, code: 0, pointer: 43 }]);
  });
});
