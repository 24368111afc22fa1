import { describe, expect, test } from 'vitest';
import type { Interface } from '#stack/link/interface.ts';
import type { Stack } from '#stack/stack.ts';
import type { RawSocket } from '#stack/transport/raw.ts';
import type { Datagram, Endpoint, SocketErrorReport } from '#stack/transport/socket.ts';
import { address } from '#stack/wire/address.ts';
import { Type } from '#stack/wire/icmp6.ts';
import { NextHeader } from '#stack/wire/next-header.ts';
import {
  destinationOptions,
  echoRequest,
  icmp6,
  type Layer,
  packet,
  pattern,
  raw,
  udp,
} from '#tests/support/packets.ts';
import { addressOn, expectConserved, type Tester, World } from '#tests/support/world.ts';

const NODE = '2001:db8::1';
const PEER = '2001:db8::2';
const OSPF = NextHeader.ospf;

const at = (text: string, zone = 0): Endpoint => ({ address: address(text), zone });

interface Bench {
  readonly world: World;
  readonly node: Stack;
  readonly ifp: Interface;
  readonly tester: Tester;
}

function bench(): Bench {
  const world = new World(31);
  const wire = world.p2p();
  const node = world.node('node');
  const ifp = world.attach(node, wire);
  ifp.nd.nud = false;
  addressOn(ifp, `${NODE}/64`);
  addressOn(ifp, 'fe80::1/64');
  const tester = wire.tester();
  world.run(60_000);
  tester.heard.length = 0;
  return { world, node, ifp, tester };
}

function open(node: Stack, protocol: number): Datagram[] & { socket: RawSocket } {
  const socket = node.raw.open(protocol);
  if (typeof socket === 'string') throw new Error(socket);
  const got = Object.assign([] as Datagram[], { socket });
  socket.onReceive = (datagram) => got.push(datagram);
  return got;
}

describe('receiving', () => {
  test('TC-04 AP-02 a packet comes from its upper layer on, with hop limit, traffic class, interface and addresses', () => {
    const { world, node, ifp, tester } = bench();
    const got = open(node, OSPF);
    const bytes = packet({ src: 'fe80::2', dst: 'fe80::1', hops: 9 }, destinationOptions(), raw(OSPF, pattern(30)));
    bytes[0] = 0x6c;
    tester.send(bytes);
    world.run(1);
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({
      hopLimit: 9,
      trafficClass: 0xc0,
      from: at('fe80::2', ifp.index),
      to: at('fe80::1', ifp.index),
      fromPort: 0,
    });
    expect(got[0]!.interface).toBe(ifp);
    expect(got[0]!.bytes).toEqual(pattern(30));
    expect(node.counters.rip6).toMatchObject({ received: 1, delivered: 1 });
    expect(tester.heard).toHaveLength(0);
    expectConserved(world);
  });

  test('TC-04 every socket of the protocol gets its own copy, of no other', () => {
    const { world, node, tester } = bench();
    const [first, second, other] = [open(node, OSPF), open(node, OSPF), open(node, NextHeader.pim)];
    first.socket.onReceive = (datagram) => {
      first.push(datagram);
      datagram.bytes.fill(0);
    };
    tester.send(packet({ src: PEER, dst: NODE }, raw(OSPF, pattern(30))));
    world.run(1);
    expect([first.length, second.length, other.length]).toEqual([1, 1, 0]);
    expect(second[0]!.bytes).toEqual(pattern(30));
  });

  test('IP-07 a protocol without a socket is answered by Parameter Problem code 1', () => {
    const { world, node, tester } = bench();
    tester.send(packet({ src: PEER, dst: NODE }, raw(OSPF, pattern(30))));
    world.run(1);
    expect(tester.captured({ icmp6: { type: Type.parameterProblem, code: 1, pointer: 6 } })).toHaveLength(1);
    expect(node.counters.rip6.noSocket).toBe(1);
    open(node, OSPF).socket.close();
    tester.send(packet({ src: PEER, dst: NODE }, raw(OSPF, pattern(30))));
    world.run(1);
    expect(tester.captured({ icmp6: { type: Type.parameterProblem } })).toHaveLength(2);
    expectConserved(world);
  });

  test('TC-04 an ICMPv6 socket sees good messages, what the node answers included, and no bad ones', () => {
    const { world, node, tester } = bench();
    const got = open(node, NextHeader.icmp6);
    const bad = packet({ src: PEER, dst: NODE }, echoRequest(8));
    bad[bad.length - 1]! ^= 1;
    tester.send(packet({ src: PEER, dst: NODE }, echoRequest(8)));
    tester.send(bad);
    world.run(1);
    expect(got.map(({ bytes }) => bytes[0])).toEqual([Type.echoRequest]);
    expect(tester.captured({ icmp6: { name: 'echoReply' } })).toHaveLength(1);
    expect(node.counters.icmp6.badChecksum).toBe(1);
    expectConserved(world);
  });

  test('TC-04 a filter passes the types it names alone (RFC 3542 3.2)', () => {
    const { world, node, tester } = bench();
    const got = open(node, NextHeader.icmp6);
    const all = open(node, NextHeader.icmp6);
    got.socket.filter([Type.echoReply, 200]);
    for (const type of [Type.echoRequest, Type.echoReply, 200, 201]) {
      tester.send(packet({ src: PEER, dst: NODE }, icmp6(type, 0, 1)));
    }
    world.run(1);
    expect(got.map(({ bytes }) => bytes[0])).toEqual([Type.echoReply, 200]);
    expect(all).toHaveLength(4);
    got.socket.filter([]);
    tester.send(packet({ src: PEER, dst: NODE }, icmp6(Type.echoReply, 0, 1)));
    world.run(1);
    expect(got).toHaveLength(2);
  });

  test('TC-04 with a checksum offset what does not add up is dropped (RFC 3542 3.1)', () => {
    const { world, node, tester } = bench();
    const got = open(node, OSPF);
    got.socket.checksumAt = 2;
    const ospf: Layer = { protocol: OSPF, checksumAt: 2, build: () => Uint8Array.of(3, 1, 0, 0, 0, 16, 0, 1) };
    const good = packet({ src: PEER, dst: NODE }, ospf);
    const bad = good.slice();
    bad[47]! ^= 1;
    tester.send(good);
    tester.send(bad);
    tester.send(packet({ src: PEER, dst: NODE }, raw(OSPF, [1, 2, 3])));
    world.run(1);
    expect(got).toHaveLength(1);
    expect(node.counters.rip6).toMatchObject({ received: 3, delivered: 1, badChecksum: 2 });
    expectConserved(world);
  });

  test('TC-04 a socket hears groups that it joined, and leaves them as it closes', () => {
    const { world, node, ifp, tester } = bench();
    const got = open(node, OSPF);
    const hello = packet({ src: 'fe80::2', dst: 'ff02::5', hops: 1 }, raw(OSPF, pattern(8)));
    tester.send(hello);
    world.run(1);
    expect(node.counters.ip6.notMember).toBe(1);
    expect(got.socket.join(ifp, address('ff02::5'))).toBeUndefined();
    expect(got.socket.join(ifp, address('ff02::5'))).toBe('EADDRINUSE');
    expect(got.socket.join(ifp, address(PEER))).toBe('EINVAL');
    expect(got.socket.leave(ifp, address('ff02::6'))).toBe('EADDRNOTAVAIL');
    tester.send(hello);
    world.run(1);
    expect(got).toHaveLength(1);
    got.socket.close();
    tester.send(hello);
    world.run(1);
    expect(node.counters.ip6.notMember).toBe(2);
  });

  test('a socket has 512 groups at most', () => {
    const { node, ifp } = bench();
    const { socket } = open(node, OSPF);
    const group = address('ff15::');
    for (let index = 0; index < 512; index++) {
      group[14] = index >> 8;
      group[15] = index & 255;
      expect(socket.join(ifp, group)).toBeUndefined();
    }
    group[13] = 1;
    expect(socket.join(ifp, group)).toBe('ENOBUFS');
  });
});

describe('sending', () => {
  test('TC-04 the checksum of an ICMPv6 message is filled in, whatever stood there', () => {
    const { world, node, tester } = bench();
    const { socket } = open(node, NextHeader.icmp6);
    const message = Uint8Array.of(Type.echoRequest, 0, 0xa5, 0xa5, 1, 2, 3, 4, ...pattern(13));
    expect(socket.send(message, at(PEER), { hopLimit: 3 })).toBeUndefined();
    world.run(1);
    expect(tester.captured({ icmp6: { name: 'echoRequest' } })[0]!.decoded).toMatchObject({
      ip6: { src: NODE, dst: PEER, hopLimit: 3 },
      icmp6: { checksumOk: true, echo: { id: 0x102, seq: 0x304 } },
    });
    expect(message.slice(2, 4)).toEqual(Uint8Array.of(0xa5, 0xa5));
    expect(node.histograms.icmp6Out[Type.echoRequest]).toBe(1);
    expect(node.counters.rip6.sent).toBe(1);
    expectConserved(world);
  });

  test('TC-04 any other protocol goes out as it is', () => {
    const { world, node, tester } = bench();
    open(node, OSPF).socket.send(pattern(20), at('ff02::5'), { interface: node.interfaces[2]! });
    world.run(1);
    const [frame] = tester.captured({ protocol: OSPF });
    expect(frame!.decoded.ip6).toMatchObject({ dst: 'ff02::5', hopLimit: 1 });
    expect(frame!.bytes.slice(40)).toEqual(pattern(20));
  });

  test('TC-04 what is too short for its checksum is refused: EINVAL', () => {
    const { node } = bench();
    expect(open(node, NextHeader.icmp6).socket.send(pattern(3), at(PEER))).toBe('EINVAL');
  });

  test('TC-04 there are protocols 0 to 255: EPROTONOSUPPORT', () => {
    const { node } = bench();
    expect([-1, 256, 1.5].map((protocol) => node.raw.open(protocol))).toEqual(Array(3).fill('EPROTONOSUPPORT'));
  });

  test('JB-01 a jumbogram to ourselves', () => {
    const { world, node } = bench();
    const got = open(node, OSPF);
    expect(got.socket.send(pattern(70_000), at('::1'))).toBeUndefined();
    expect(got.socket.send(pattern(131_073), at('::1'))).toBe('EMSGSIZE');
    world.run(1);
    expect(got.map(({ bytes }) => bytes.length)).toEqual([70_000]);
    expectConserved(world);
  });
});

test('IC-10 an error about what a protocol sent reaches its raw sockets', () => {
  const { world, node, tester } = bench();
  const reports: SocketErrorReport[] = [];
  const { socket } = open(node, OSPF);
  socket.onError = (report) => reports.push(report);
  socket.send(pattern(20), at(PEER));
  world.run(1);
  const quoted = tester.captured({ protocol: OSPF })[0]!.bytes;
  tester.send(packet({ src: PEER, dst: NODE }, icmp6(Type.parameterProblem, 1, 6, quoted)));
  tester.send(
    packet({ src: PEER, dst: NODE }, icmp6(Type.unreachable, 4, 0, packet({ src: NODE, dst: PEER }, udp(1, 2)))),
  );
  world.run(1);
  expect(reports).toMatchObject([{ code: 'ECONNREFUSED', type: 4, icmpCode: 1, parameter: 6, quoted }]);
  expectConserved(world);
});
