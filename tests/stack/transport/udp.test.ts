import { describe, expect, test } from 'vitest';
import type { Interface } from '#stack/link/interface.ts';
import { addRoute } from '#stack/route/routes.ts';
import type { Stack } from '#stack/stack.ts';
import type { Datagram, Endpoint, SendOptions, SocketErrorReport } from '#stack/transport/socket.ts';
import type { UdpSocket } from '#stack/transport/udp.ts';
import { address, formatAddress } from '#stack/wire/address.ts';
import { Type } from '#stack/wire/icmp6.ts';
import { NextHeader } from '#stack/wire/next-header.ts';
import { fragment, hopByHop, icmp6, type Layer, packet, pattern, raw, udp } from '#tests/support/packets.ts';
import { addressOn, expectConserved, set, type Tester, type Wire, World } from '#tests/support/world.ts';

const NODE = '2001:db8::1';
const PEER = '2001:db8::2';

const at = (text: string, zone = 0): Endpoint => ({ address: address(text), zone });
const ANY = at('::');

interface Bench {
  readonly world: World;
  readonly wire: Wire;
  readonly node: Stack;
  readonly ifp: Interface;
  readonly tester: Tester;
}

function bench(): Bench {
  const world = new World(21);
  const wire = world.p2p();
  const node = world.node('node');
  const ifp = world.attach(node, wire);
  ifp.nd.nud = false;
  addressOn(ifp, `${NODE}/64`);
  addressOn(ifp, 'fe80::1/64');
  const tester = wire.tester();
  world.run(60_000);
  tester.heard.length = 0;
  return { world, wire, node, ifp, tester };
}

/** A bound socket and what it got. */
function listener(
  node: Stack,
  port: number,
  options: { to?: Endpoint; reuse?: boolean } = {},
): Datagram[] & { socket: UdpSocket } {
  const socket = node.udp.open();
  const got = Object.assign([] as Datagram[], { socket });
  socket.reusePort = options.reuse ?? false;
  socket.onReceive = (datagram) => got.push(datagram);
  expect(socket.bind(options.to ?? ANY, port)).toBe(port);
  return got;
}

const from = (
  port: number,
  to: number,
  header: { src?: string; dst?: string; hops?: number } = {},
  size = 8,
): Uint8Array => packet({ src: PEER, dst: NODE, ...header }, udp(port, to, size));

describe('receiving', () => {
  test('TC-01 AP-02 a datagram comes with its addresses, port, interface, hop limit and traffic class', () => {
    const { world, node, ifp, tester } = bench();
    const got = listener(node, 7);
    const bytes = from(5000, 7, { hops: 33 }, 20);
    bytes[0] = 0x6a;
    bytes[1] = 0xb0;
    tester.send(bytes);
    world.run(1);
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({ fromPort: 5000, hopLimit: 33, trafficClass: 0xab, from: at(PEER), to: at(NODE) });
    expect(got[0]!.interface).toBe(ifp);
    expect(got[0]!.bytes).toEqual(pattern(20));
    expect(node.counters.udp6).toMatchObject({ received: 1, delivered: 1 });
    expectConserved(world);
  });

  test.each<[string, Uint8Array, 'tooShort' | 'badLength' | 'badChecksum' | 'noChecksum']>([
    ['shorter than its header', packet({ src: PEER, dst: NODE }, raw(NextHeader.udp, [0, 1, 0, 7])), 'tooShort'],
    ['whose length is less than its header', broken(4, 0, 7), 'badLength'],
    ['that says it is longer than it is', broken(4, 0, 99), 'badLength'],
    ['that is longer than it says', broken(4, 0, 10), 'badLength'],
    ['with a wrong checksum', broken(8, 0xff, 0xff), 'badChecksum'],
    ['without a checksum (RFC 8200 8.1)', broken(6, 0, 0), 'noChecksum'],
  ])('TC-01 a datagram %s is counted and dropped', (_, bytes, counter) => {
    const { world, node, tester } = bench();
    const got = listener(node, 7);
    tester.send(bytes);
    world.run(1);
    expect(got).toHaveLength(0);
    expect(tester.heard).toHaveLength(0);
    expect(node.counters.udp6).toMatchObject({ received: 1, delivered: 0, [counter]: 1 });
    expectConserved(world);
  });

  function broken(offset: number, first: number, second: number): Uint8Array {
    const bytes = from(5000, 7);
    bytes[40 + offset] = first;
    bytes[41 + offset] = second;
    return bytes;
  }

  test('IC-01 without a socket: Port Unreachable, quoting the datagram', () => {
    const { world, node, tester } = bench();
    const sent = from(5000, 7);
    tester.send(sent);
    world.run(1);
    const [error] = tester.captured({ icmp6: { type: Type.unreachable, code: 4 } });
    expect(error!.bytes.slice(48)).toEqual(sent);
    expect(node.counters.udp6.noPort).toBe(1);
    expectConserved(world);
  });

  test('IC-02 a group without a listener is nobody’s error', () => {
    const { world, node, tester } = bench();
    tester.send(from(5000, 7, { dst: 'ff02::1', src: 'fe80::2' }));
    world.run(1);
    expect(tester.heard).toHaveLength(0);
    expect(node.counters.udp6).toMatchObject({ noPort: 0, noPortMulticast: 1 });
    expectConserved(world);
  });

  test('the socket that names most of a datagram gets it: connected, then bound, then any', () => {
    const { world, node, tester } = bench();
    const any = listener(node, 7, { reuse: true });
    const bound = listener(node, 7, { to: at(NODE), reuse: true });
    const connected = listener(node, 7, { to: at(NODE), reuse: true });
    expect(connected.socket.connect(at(PEER), 5000)).toBeUndefined();
    tester.send(from(5000, 7));
    tester.send(from(5001, 7));
    tester.send(from(5000, 7, { dst: 'fe80::1', src: 'fe80::2' }));
    world.run(1);
    expect([connected.length, bound.length, any.length]).toEqual([1, 1, 1]);
    connected.socket.close();
    tester.send(from(5000, 7));
    world.run(1);
    expect(bound).toHaveLength(2);
    expectConserved(world);
  });

  test('a group reaches every socket that joined it there, or joined none; not one that joined others', () => {
    const { world, node, ifp, tester } = bench();
    const [member, other, none] = [1, 2, 3].map(() => listener(node, 7, { reuse: true })) as [
      ReturnType<typeof listener>,
      ReturnType<typeof listener>,
      ReturnType<typeof listener>,
    ];
    const group = listener(node, 7, { to: at('ff15::7'), reuse: true });
    expect(member.socket.join(ifp, address('ff15::7'))).toBeUndefined();
    expect(other.socket.join(ifp, address('ff15::8'))).toBeUndefined();
    tester.send(from(5000, 7, { dst: 'ff15::7' }));
    world.run(1);
    expect([member.length, other.length, none.length, group.length]).toEqual([1, 0, 1, 1]);
    expect(node.counters.udp6.delivered).toBe(3);
    member.socket.close();
    world.run(1);
    tester.send(from(5000, 7, { dst: 'ff15::7' }));
    world.run(1);
    expect(node.counters.ip6.notMember).toBe(1);
    expectConserved(world);
  });

  test('a socket that nobody listens to drops what comes', () => {
    const { world, node, tester } = bench();
    expect(node.udp.open().bind(ANY, 7)).toBe(7);
    tester.send(from(5000, 7));
    world.run(1);
    expect(node.counters.udp6).toMatchObject({ fullSocket: 1, delivered: 0 });
    expectConserved(world);
  });

  test('datagrams that the link took as one (USO) are delivered one by one', () => {
    const { world, node, ifp } = bench();
    const got = listener(node, 7);
    const bytes = from(5000, 7, {}, 250);
    const pkt = world.pool.take(bytes.length);
    pkt.bytes.set(bytes, pkt.head);
    pkt.tail = pkt.head + bytes.length;
    pkt.segmentKind = 'udp';
    pkt.segmentSize = 100;
    pkt.checksum = 'good';
    ifp.receive(pkt);
    expect(got.map(({ bytes: payload }) => payload.length)).toEqual([100, 100, 50]);
    expectConserved(world);
  });

  test('a callback may close sockets and open others', () => {
    const { world, node, tester } = bench();
    const first = listener(node, 7, { reuse: true });
    const second = listener(node, 7, { reuse: true });
    first.socket.onReceive = () => {
      second.socket.close();
      first.socket.close();
      listener(node, 7, { reuse: true });
    };
    tester.send(from(5000, 7, { dst: 'ff02::1', src: 'fe80::2' }));
    world.run(1);
    expect(second).toHaveLength(0);
    expect([...node.udp.all()]).toHaveLength(1);
    expectConserved(world);
  });
});

describe('binding', () => {
  test('AP-08 a port that nobody named is one of 49152 to 65535, in no order', () => {
    const { node } = bench();
    const ports = Array.from({ length: 300 }, () => node.udp.open().bind(ANY, 0));
    for (const port of ports) {
      expect(port).toBeGreaterThanOrEqual(49_152);
      expect(port).toBeLessThanOrEqual(65_535);
    }
    expect(new Set(ports).size).toBe(300);
    const inOrder = ports.slice(1).filter((port, index) => Number(port) === Number(ports[index]) + 1);
    expect(inOrder.length).toBeLessThan(5);
  });

  test('with every port of the range taken there is none: EADDRINUSE', () => {
    const { node } = bench();
    for (let port = 49_152; port <= 65_535; port++) node.udp.open().bind(ANY, port);
    expect(node.udp.open().bind(ANY, 0)).toBe('EADDRINUSE');
    expect(node.udp.open().send(pattern(1), at(PEER), 7)).toBe('EADDRINUSE');
  });

  test.each<[string, Endpoint, number, string]>([
    ['an address that is not ours', at('2001:db8::99'), 7, 'EADDRNOTAVAIL'],
    ['an anycast address (RQ-05)', at('2001:db8::a'), 7, 'EADDRNOTAVAIL'],
    ['a tentative address', at('2001:db8::d'), 7, 'EADDRNOTAVAIL'],
    ['a link-local address without a zone', at('fe80::1'), 7, 'EADDRNOTAVAIL'],
    ['a zone that does not exist (SC-04)', at('fe80::1', 77), 7, 'ENXIO'],
    ['a port that cannot be', ANY, 65_536, 'EINVAL'],
    ['a port that is taken', ANY, 9, 'EADDRINUSE'],
    ['a port that is taken for all addresses', at(NODE), 9, 'EADDRINUSE'],
    ['a mapped address', at('::ffff:198.51.100.1'), 7, 'EADDRNOTAVAIL'],
  ])('AP-01 bind to %s is refused', (_, to, port, code) => {
    const { node, ifp } = bench();
    addressOn(ifp, '2001:db8::a/64', { anycast: true });
    addressOn(ifp, '2001:db8::d/64', {});
    listener(node, 9);
    const socket = node.udp.open();
    expect(socket.bind(to, port)).toBe(code);
    expect(socket.bind(ANY, 10)).toBe(10);
  });

  test('AP-01 one port may be bound on two addresses, and again once it is closed', () => {
    const { node, ifp } = bench();
    const first = listener(node, 7, { to: at(NODE) });
    const second = listener(node, 7, { to: at('fe80::1', ifp.index) });
    expect(node.udp.open().bind(ANY, 7)).toBe('EADDRINUSE');
    first.socket.close();
    second.socket.close();
    expect(node.udp.open().bind(ANY, 7)).toBe(7);
  });
});

describe('sending', () => {
  /** What one send puts on the wire, or its error. */
  function sent(
    to: Endpoint,
    options: SendOptions = {},
    prepare: (b: Bench, socket: UdpSocket) => SendOptions | undefined = () => undefined,
  ) {
    const b = bench();
    const socket = b.node.udp.open();
    const more = prepare(b, socket) ?? {};
    const error = socket.send(pattern(10), to, 7, { ...options, ...more });
    b.world.run(1);
    expectConserved(b.world);
    return { ...b, error, frame: b.tester.captured({ udp: {} })[0]?.decoded };
  }

  test('TC-01 a datagram goes out with a good checksum, from an ephemeral port and the best source', () => {
    const { frame, node } = sent(at(PEER));
    expect(frame).toMatchObject({
      ip6: { src: NODE, dst: PEER, hopLimit: 64, trafficClass: 0, flowLabel: 0 },
      udp: { dstPort: 7, checksumOk: true },
    });
    expect(node.counters.udp6.sent).toBe(1);
    expect(node.counters.ip6.localOut).toBeGreaterThan(0);
  });

  test('AP-02 hop limit, traffic class and source of one datagram (RFC 3542)', () => {
    const { frame } = sent(at(PEER), { hopLimit: 5, trafficClass: 0xb8 }, ({ ifp }) => {
      addressOn(ifp, '2001:db8::5/64');
      return { source: address('2001:db8::5') };
    });
    expect(frame).toMatchObject({
      ip6: { src: '2001:db8::5', hopLimit: 5, trafficClass: 0xb8 },
      udp: { checksumOk: true },
    });
  });

  test('AP-05 the source of one datagram overrides the one bound', () => {
    const { frame } = sent(at(PEER), {}, ({ ifp }, socket) => {
      addressOn(ifp, '2001:db8::5/64');
      socket.bind(at(NODE), 7);
      return { source: address('2001:db8::5') };
    });
    expect(frame!.ip6!.src).toBe('2001:db8::5');
  });

  const HBH = Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0);
  test('AP-02 extension headers stand in their order; the checksum is that of the final destination (IN-01)', () => {
    const { frame } = sent(at('2001:db8:9::9'), {
      hopByHop: HBH,
      destinationOptions: HBH,
      routingHops: [address(PEER), address('2001:db8:8::8')],
    });
    expect(frame).toMatchObject({
      ip6: { dst: PEER },
      headers: [NextHeader.hopByHop, NextHeader.routing, NextHeader.destinationOptions],
      routing: { type: 0, segmentsLeft: 2, addresses: ['2001:db8:8::8', '2001:db8:9::9'] },
      udp: { dstPort: 7, checksumOk: true },
    });
  });

  test.each<[string, SendOptions]>([
    ['a hop limit of 256', { hopLimit: 256 }],
    ['a negative traffic class', { trafficClass: -2 }],
    ['an options header that lies about its length', { hopByHop: Uint8Array.of(0, 1, 1, 4, 0, 0, 0, 0) }],
    ['an empty options header', { destinationOptions: new Uint8Array(0) }],
    ['a multicast hop (IP-08)', { routingHops: [address('ff02::1')] }],
    ['an unspecified hop (IP-08)', { routingHops: [address('::')] }],
    ['a mapped hop (IP-08)', { routingHops: [address('::ffff:198.51.100.1')] }],
    ['a compatible hop (IP-08)', { routingHops: [address('::198.51.100.1')] }],
    ['more hops than a header holds', { routingHops: Array.from({ length: 128 }, () => address(PEER)) }],
  ])('AP-02 %s is refused: EINVAL', (_, options) => {
    const { error, tester } = sent(at(PEER), options);
    expect(error).toBe('EINVAL');
    expect(tester.heard).toHaveLength(0);
  });

  test.each<[string, Endpoint, SendOptions, string]>([
    ['nowhere', at('2001:db8:77::1'), {}, 'EHOSTUNREACH'],
    ['a source that is not ours', at(PEER), { source: address('2001:db8::99') }, 'EADDRNOTAVAIL'],
    ['the unspecified address', at('::'), {}, 'EADDRNOTAVAIL'],
    ['a mapped address', at('::ffff:198.51.100.1'), {}, 'EINVAL'],
    ['a zone that does not exist (SC-04)', at('fe80::2', 77), {}, 'ENXIO'],
    ['a link-local address without a zone (SC-08)', at('fe80::2'), {}, 'EHOSTUNREACH'],
  ])('AP-01 sending to or from %s fails', (_, to, options, code) => {
    expect(sent(to, options).error).toBe(code);
  });

  test('AP-02 what is too large for the path fails with dontFragment, is cut without, at 1280 with minMtu', () => {
    const { world, node, tester } = bench();
    const socket = node.udp.open();
    expect(socket.send(pattern(2000), at(PEER), 7, { dontFragment: true })).toBe('EMSGSIZE');
    expect(socket.send(pattern(65_528), at(PEER), 7)).toBe('EMSGSIZE');
    expect(socket.send(pattern(2000), at(PEER), 7)).toBeUndefined();
    world.run(1);
    expect(tester.heard.map(({ decoded }) => decoded.length)).toEqual([1496, 608]);
    tester.heard.length = 0;
    expect(socket.send(pattern(1400), at(PEER), 7, { minMtu: true })).toBeUndefined();
    world.run(1);
    expect(tester.heard.map(({ decoded }) => decoded.length)).toEqual([1280, 224]);
    expectConserved(world);
  });

  test('IP-10 multicast goes out at 1280 bytes and hop limit 1', () => {
    const { world, node, ifp, tester } = bench();
    expect(node.udp.open().send(pattern(1400), at('ff15::1'), 7, { interface: ifp })).toBeUndefined();
    world.run(1);
    expect(tester.heard.map(({ decoded }) => [decoded.length, decoded.ip6!.hopLimit])).toEqual([
      [1280, 1],
      [224, 1],
    ]);
    expectConserved(world);
  });

  test('a member hears its own node’s multicast, unless the sender says no', () => {
    const { world, node, ifp } = bench();
    const got = listener(node, 7);
    got.socket.join(ifp, address('ff15::7'));
    const socket = node.udp.open();
    socket.send(pattern(4), at('ff15::7'), 7, { interface: ifp });
    world.run(1);
    expect(got).toHaveLength(1);
    socket.multicastLoop = false;
    socket.send(pattern(4), at('ff15::7'), 7, { interface: ifp });
    world.run(1);
    expect(got).toHaveLength(1);
    expectConserved(world);
  });

  test('IP-13 a connected socket has one nonzero flow label, unless auto_flowlabel is off', () => {
    const { world, node, tester } = bench();
    for (const _ of [1, 2]) {
      const socket = node.udp.open();
      expect(socket.connect(at(PEER), 7)).toBeUndefined();
      socket.send(pattern(1));
      socket.send(pattern(1));
    }
    set(node, 'ip6.auto_flowlabel', 0);
    const plain = node.udp.open();
    plain.connect(at(PEER), 7);
    plain.send(pattern(1));
    world.run(1);
    const labels = tester.captured({ udp: { dstPort: 7 } }).map(({ decoded }) => decoded.ip6!.flowLabel);
    expect(labels[0]).toBe(labels[1]);
    expect(labels[2]).toBe(labels[3]);
    expect(labels[0]).not.toBe(labels[2]);
    expect(labels.slice(0, 4)).not.toContain(0);
    expect(labels[4]).toBe(0);
  });

  test('AP-01 a connected socket has its one destination: EISCONN, ENOTCONN', () => {
    const { node } = bench();
    const socket = node.udp.open();
    expect(socket.send(pattern(1))).toBe('ENOTCONN');
    expect(socket.connect(at(PEER), 0)).toBe('EADDRNOTAVAIL');
    expect(socket.connect(at(PEER), 7)).toBeUndefined();
    expect(socket.connect(at(PEER), 8)).toBe('EISCONN');
    expect(socket.send(pattern(1), at(PEER), 7)).toBe('EISCONN');
    expect(formatAddress(socket.local!.address)).toBe(NODE);
    socket.close();
    expect(socket.send(pattern(1))).toBe('EBADF');
    expect(socket.bind(ANY, 7)).toBe('EBADF');
  });

  test('to ourselves: over lo0, with nothing on the wire', () => {
    const { world, node, tester } = bench();
    const got = listener(node, 7);
    const socket = node.udp.open();
    expect(socket.send(pattern(30_000), at(NODE), 7)).toBeUndefined();
    expect(socket.send(pattern(5), at('::1'), 7)).toBeUndefined();
    world.run(1);
    expect(got.map(({ bytes }) => bytes.length)).toEqual([30_000, 5]);
    expect(formatAddress(got[1]!.from.address)).toBe('::1');
    expect(tester.heard).toHaveLength(0);
    expectConserved(world);
  });
});

describe('zones', () => {
  /** A node on two links; both peers have the same link-local address. */
  function twoLinks() {
    const world = new World(4);
    const node = world.node('node', { 'ip6.auto_linklocal': 0 });
    const wires = [world.p2p(), world.p2p()] as const;
    const interfaces = wires.map((wire) => {
      const ifp = world.attach(node, wire);
      ifp.nd.nud = false;
      addressOn(ifp, 'fe80::1/64');
      return ifp;
    }) as [Interface, Interface];
    const testers = wires.map((wire) => wire.tester()) as [Tester, Tester];
    world.run(60_000);
    for (const tester of testers) tester.heard.length = 0;
    return { world, node, interfaces, testers };
  }

  test.each([0, 1])('SC-01 SC-12 the zone of the destination chooses the link (%i)', (link) => {
    const { world, node, interfaces, testers } = twoLinks();
    expect(node.udp.open().send(pattern(1), at('fe80::2', interfaces[link]!.index), 7)).toBeUndefined();
    world.run(1);
    expect(testers[link]!.captured({ udp: { dstPort: 7 } })).toHaveLength(1);
    expect(testers[1 - link]!.heard).toHaveLength(0);
  });

  test.each<[string, (socket: UdpSocket, second: Interface) => string | undefined]>([
    ['an outgoing interface', (socket, second) => socket.send(pattern(1), at('fe80::2'), 7, { interface: second })],
    [
      'the address it is bound to',
      (socket, second) => {
        socket.bind(at('fe80::1', second.index), 0);
        return socket.send(pattern(1), at('fe80::2'), 7);
      },
    ],
    [
      'the default zone',
      (socket, second) => {
        set(second.stack, 'ip6.use_defaultzone', 1);
        second.stack.defaultInterface = second;
        return socket.send(pattern(1), at('fe80::2'), 7);
      },
    ],
  ])('SC-08 SC-09 a destination without a zone has that of %s', (_, send) => {
    const { world, node, interfaces, testers } = twoLinks();
    expect(send(node.udp.open(), interfaces[1])).toBeUndefined();
    world.run(1);
    expect(testers[1].captured({ udp: { dstPort: 7 } })).toHaveLength(1);
    expect(testers[0].heard).toHaveLength(0);
  });

  test('SC-09 a zone and an outgoing interface that disagree: EINVAL', () => {
    const { node, interfaces } = twoLinks();
    const to = at('fe80::2', interfaces[0].index);
    expect(node.udp.open().send(pattern(1), to, 7, { interface: interfaces[1] })).toBe('EINVAL');
  });

  test('SC-05 SC-12 what comes carries the zone of both addresses, and is matched by it', () => {
    const { world, node, interfaces, testers } = twoLinks();
    const [first, second] = interfaces.map((ifp) => listener(node, 7, { to: at('fe80::1', ifp.index) }));
    testers[1].send(packet({ src: 'fe80::2', dst: 'fe80::1' }, udp(5000, 7)));
    world.run(1);
    expect(first).toHaveLength(0);
    expect(second).toHaveLength(1);
    expect(second![0]).toMatchObject({
      from: at('fe80::2', interfaces[1].index),
      to: at('fe80::1', interfaces[1].index),
    });
    expectConserved(world);
  });

  test('SC-12 a socket connected over one link hears nobody of the same address on the other', () => {
    const { world, node, interfaces, testers } = twoLinks();
    const got = listener(node, 7);
    expect(got.socket.connect(at('fe80::2', interfaces[0].index), 5000)).toBeUndefined();
    for (const tester of testers) tester.send(packet({ src: 'fe80::2', dst: 'fe80::1' }, udp(5000, 7)));
    world.run(1);
    expect(got.map(({ interface: ifp }) => ifp.name)).toEqual([interfaces[0].name]);
    expect(node.counters.udp6.noPort).toBe(1);
  });
});

describe('errors about what was sent', () => {
  const ROUTER = '2001:db8::fe';

  function failing(
    type: number,
    code: number,
    parameter: number,
    change: (quoted: Uint8Array) => Uint8Array = (q) => q,
  ) {
    const b = bench();
    const reports: SocketErrorReport[] = [];
    const socket = b.node.udp.open();
    socket.onError = (report) => reports.push(report);
    expect(socket.connect(at(PEER), 7)).toBeUndefined();
    socket.send(pattern(30));
    b.world.run(1);
    const quoted = change(b.tester.heard[0]!.bytes.slice());
    b.tester.send(packet({ src: ROUTER, dst: NODE }, icmp6(type, code, parameter, quoted)));
    b.world.run(1);
    expectConserved(b.world);
    return { ...b, socket, reports, quoted };
  }

  test.each([
    ['Port Unreachable', Type.unreachable, 4, 0, 'ECONNREFUSED'],
    ['administratively prohibited', Type.unreachable, 1, 0, 'ECONNREFUSED'],
    ['No Route', Type.unreachable, 0, 0, 'EHOSTUNREACH'],
    ['Address Unreachable', Type.unreachable, 3, 0, 'EHOSTDOWN'],
    ['Packet Too Big', Type.packetTooBig, 0, 1280, 'EMSGSIZE'],
    ['Time Exceeded', Type.timeExceeded, 0, 0, 'EHOSTUNREACH'],
    ['unrecognized next header', Type.parameterProblem, 1, 6, 'ECONNREFUSED'],
    ['erroneous header', Type.parameterProblem, 0, 4, 'ENOPROTOOPT'],
  ])('IC-10 %s reaches the connected socket that sent the packet', (_, type, icmpCode, parameter, code) => {
    const { reports, quoted } = failing(type, icmpCode, parameter);
    expect(reports).toEqual([{ code, from: at(ROUTER), type, icmpCode, parameter, quoted }]);
  });

  test.each<[string, (quoted: Uint8Array) => Uint8Array]>([
    ['another source', (quoted) => set8(quoted, 23, 0x77)],
    ['another destination', (quoted) => set8(quoted, 39, 0x77)],
    ['another source port', (quoted) => set8(quoted, 41, quoted[41]! ^ 1)],
    ['another destination port', (quoted) => set8(quoted, 43, 8)],
    ['no ports at all', (quoted) => quoted.slice(0, 42)],
    ['another protocol', (quoted) => set8(quoted, 6, NextHeader.tcp)],
  ])('IC-10 an error about a packet with %s is for nobody', (_, change) => {
    expect(failing(Type.unreachable, 4, 0, change).reports).toEqual([]);
  });

  function set8(bytes: Uint8Array, place: number, value: number): Uint8Array {
    bytes[place] = value;
    return bytes;
  }

  test('IC-10 an unconnected socket is told, too: the ports are its own', () => {
    const { world, node, tester } = bench();
    const reports: SocketErrorReport[] = [];
    const socket = node.udp.open();
    socket.onError = (report) => reports.push(report);
    socket.send(pattern(30), at(PEER), 7);
    world.run(1);
    const quoted = tester.heard[0]!.bytes.slice();
    tester.send(packet({ src: PEER, dst: NODE }, icmp6(Type.unreachable, 4, 0, quoted)));
    world.run(1);
    expect(reports.map(({ code }) => code)).toEqual(['ECONNREFUSED']);
  });

  test('IC-10 a later fragment quoted has no ports, and is for nobody', () => {
    const { world, node, tester } = bench();
    const reports: SocketErrorReport[] = [];
    const socket = node.udp.open();
    socket.onError = (report) => reports.push(report);
    const port = Number(socket.bind(ANY, 0));
    const layers: Layer[] = [
      fragment(1480, true, 1, NextHeader.udp),
      raw(NextHeader.udp, [port >> 8, port & 255, 0, 7]),
    ];
    const quoted = packet({ src: NODE, dst: PEER }, ...layers);
    tester.send(packet({ src: PEER, dst: NODE }, icmp6(Type.unreachable, 4, 0, quoted)));
    world.run(1);
    expect(reports).toEqual([]);
  });

  test('IP-09 a connected socket vouches for Packet Too Big: the path MTU falls for that destination', () => {
    const { world, tester, socket } = failing(Type.packetTooBig, 0, 1280);
    tester.heard.length = 0;
    expect(socket.send(pattern(1400))).toBeUndefined();
    world.run(1);
    expect(tester.heard.map(({ decoded }) => decoded.length)).toEqual([1280, 224]);
  });
});

test('ND-16 a program may vouch for its neighbor (IPV6_REACHCONF)', () => {
  const world = new World(8);
  const lan = world.lan();
  const [a, b] = [world.node('a', { 'icmp6.nd6_maxnudhint': 8 }), world.node('b')];
  addressOn(world.attach(a, lan), '2001:db8::1/64');
  addressOn(world.attach(b, lan), '2001:db8::2/64');
  world.run(10_000);
  const socket = a.udp.open();
  socket.send(pattern(1), at(PEER), 7);
  world.run(1000);
  socket.send(pattern(1), at(PEER), 7, { reachable: true });
  expect(a.counters.nd6.hintsTaken).toBe(1);
});

test('ND-16 what a program vouches for is the router on the way to whom it speaks to', () => {
  const { node, ifp } = bench();
  set(node, 'icmp6.nd6_maxnudhint', 8);
  ifp.nd.nud = true;
  addRoute(node, { destination: address('::'), prefixLength: 0, gateway: address(PEER) });
  const socket = node.udp.open();
  socket.send(pattern(1), at('2001:db8:ff::9'), 7);
  socket.send(pattern(1), at('2001:db8:ff::9'), 7, { reachable: true });
  expect(node.counters.nd6.hintsTaken).toBe(1);
});

describe('JB-05 UDP over jumbograms is refused', () => {
  test('a datagram of 65,528 bytes is none: EMSGSIZE', () => {
    const socket = bench().node.udp.open();
    expect(socket.send(pattern(65_528), at('::1'), 7)).toBe('EMSGSIZE');
  });

  test.each([
    ['zero, as RFC 2675 4 writes it', 0],
    ['of its low 16 bits', 4464],
  ])('one that comes with a length of %s is dropped', (_, length) => {
    const world = new World(22);
    const wire = world.p2p({ mtu: 131_072 });
    const node = world.node('node');
    addressOn(world.attach(node, wire), `${NODE}/64`);
    const tester = wire.tester();
    world.run(3000);
    const got = listener(node, 7);
    const header = { src: PEER, dst: NODE, payloadLength: 0 };
    const bytes = packet(header, hopByHop(0xc2, 4, 0, 1, 0x11, 0x78), udp(5000, 7, 69_992));
    new DataView(bytes.buffer).setUint16(52, length);
    tester.send(bytes);
    world.run(1);
    expect(got).toHaveLength(0);
    expect(node.counters.udp6.badLength).toBe(1);
    expectConserved(world);
  });
});
