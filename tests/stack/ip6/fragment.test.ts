import { describe, expect, test } from 'vitest';
import { fragmentOutput } from '#stack/ip6/fragment.ts';
import type { Interface } from '#stack/link/interface.ts';
import type { Packet } from '#stack/packet/packet.ts';
import type { Stack } from '#stack/stack.ts';
import { address } from '#stack/wire/address.ts';
import { type Decoded, decode } from '#stack/wire/decode.ts';
import { NextHeader } from '#stack/wire/next-header.ts';
import {
  concat,
  destinationOptions,
  echoRequest,
  hopByHop,
  type Layer,
  packet,
  pattern,
  routing,
  udp,
} from '#tests/support/packets.ts';
import { addressOn, expectConserved, World } from '#tests/support/world.ts';

const HEADER = { src: '2001:db8::1', dst: '2001:db8::2' };

function node(): { world: World; stack: Stack; ifp: Interface } {
  const world = new World(5);
  const stack = world.node('node');
  const ifp = world.attach(stack, world.p2p());
  world.run(60_000);
  return { world, stack, ifp };
}

function take(world: World, bytes: Uint8Array): Packet {
  const pkt = world.pool.take(bytes.length);
  pkt.bytes.fill(0xa5);
  pkt.bytes.set(bytes, pkt.head);
  pkt.ip = pkt.head;
  pkt.tail = pkt.head + bytes.length;
  return pkt;
}

/** The fragments that come of a packet. */
function cut(bytes: Uint8Array, mtu: number): { error: unknown; frames: Uint8Array[]; stack: Stack; world: World } {
  const { world, stack } = node();
  const frames: Uint8Array[] = [];
  const error = fragmentOutput(stack, take(world, bytes), mtu, (pkt) => {
    expect(pkt.ip).toBe(pkt.head);
    frames.push(pkt.bytes.slice(pkt.head, pkt.tail));
    pkt.give();
    return undefined;
  });
  expectConserved(world);
  return { error, frames, stack, world };
}

const summary = (frames: Uint8Array[]): Decoded[] => frames.map((bytes) => decode(bytes, 'raw'));

describe('IP-04 fragments made at the source', () => {
  test.each([
    ['1280', 1280, 3000, 3],
    ['1281: a multiple of 8 fits no better', 1281, 3000, 3],
    ['1287', 1287, 3000, 3],
    ['1500', 1500, 3000, 3],
    ['1500, and a byte too much', 1500, 1449, 2],
  ])('IP-04 at an MTU of %s', (_, mtu, size, count) => {
    const whole = packet(HEADER, echoRequest(size));
    const { error, frames, stack } = cut(whole, mtu);
    expect(error).toBeUndefined();
    expect(frames).toHaveLength(count);
    const parts = frames.map((bytes) => bytes.subarray(48));
    expect(concat(...parts)).toEqual(whole.subarray(40));
    const decoded = summary(frames);
    expect(new Set(decoded.map(({ fragment }) => fragment!.id)).size).toBe(1);
    let offset = 0;
    decoded.forEach(({ ip6, fragment }, index) => {
      const last = index === count - 1;
      expect(frames[index]!.length).toBeLessThanOrEqual(mtu);
      if (!last) expect(frames[index]!.length).toBeGreaterThan(mtu - 8);
      expect(ip6).toMatchObject({
        ...HEADER,
        nextHeader: NextHeader.fragment,
        payloadLength: frames[index]!.length - 40,
      });
      expect(fragment).toMatchObject({ offset, more: !last });
      if (!last) expect(parts[index]!.length % 8).toBe(0);
      offset += parts[index]!.length;
    });
    expect(stack.counters.ip6).toMatchObject({ fragmented: 1, fragmentsCreated: count, cannotFragment: 0 });
  });

  test.each<[string, Layer[], number[]]>([
    ['hop-by-hop options', [hopByHop(1, 4, 0, 0, 0, 0)], [0, 44]],
    ['a routing header', [routing(0, 0, '2001:db8::7')], [43, 44]],
    [
      'destination options before a routing header, and all before them',
      [hopByHop(1, 4, 0, 0, 0, 0), destinationOptions(1, 4, 0, 0, 0, 0), routing(0, 0, '2001:db8::7')],
      [0, 60, 43, 44],
    ],
  ])('IP-04 %s stand in every fragment', (_, headers, expected) => {
    const { frames } = cut(packet(HEADER, ...headers, udp(1, 2, 3000)), 1280);
    for (const { headers: chain, malformed } of summary(frames)) {
      expect(chain).toEqual(expected);
      expect(malformed).toBeUndefined();
    }
  });

  test('IP-04 destination options behind the routing header, or without one, are cut like the rest', () => {
    const { frames } = cut(packet(HEADER, hopByHop(), destinationOptions(1, 4, 0, 0, 0, 0), udp(1, 2, 2000)), 1280);
    const [first, second] = summary(frames);
    expect(first!.headers).toEqual([0, 44, 60]);
    expect(second!.headers).toEqual([0, 44]);
  });

  test.each<[string, Uint8Array, number]>([
    ['an MTU that leaves no room for 8 bytes', packet(HEADER, echoRequest(100)), 55],
    [
      'headers that fill the first fragment, which must hold them all (RFC 7112)',
      packet(
        HEADER,
        destinationOptions(1, 254, ...pattern(254)),
        destinationOptions(1, 254, ...pattern(254)),
        udp(1, 2, 100),
      ),
      400,
    ],
  ])('IP-04 %s: EMSGSIZE, and it is counted', (_, bytes, mtu) => {
    const { error, frames, stack } = cut(bytes, mtu);
    expect(error).toBe('EMSGSIZE');
    expect(frames).toHaveLength(0);
    expect(stack.counters.ip6).toMatchObject({ cannotFragment: 1, fragmented: 0, fragmentsCreated: 0 });
  });

  test('IP-04 when a fragment cannot be sent the rest is not made, and the error is told', () => {
    const { world, stack } = node();
    let sent = 0;
    const error = fragmentOutput(stack, take(world, packet(HEADER, echoRequest(5000))), 1280, (pkt) => {
      pkt.give();
      return ++sent === 2 ? 'ENOBUFS' : undefined;
    });
    expect(error).toBe('ENOBUFS');
    expect(sent).toBe(2);
    expect(stack.counters.ip6.fragmented).toBe(0);
    expectConserved(world);
  });

  test('IP-04 identifications of one node differ and follow no pattern (RFC 7739)', () => {
    const { world, stack } = node();
    const ids: number[] = [];
    for (let run = 0; run < 200; run++) {
      fragmentOutput(stack, take(world, packet(HEADER, echoRequest(1400))), 1280, (pkt) => {
        const { fragment } = decode(pkt.bytes.slice(pkt.head, pkt.tail), 'raw');
        if (fragment!.offset === 0) ids.push(fragment!.id);
        pkt.give();
        return undefined;
      });
    }
    expect(new Set(ids).size).toBe(200);
    const steps = new Set(ids.slice(1).map((id, index) => (id - ids[index]!) >>> 0));
    expect(steps.size).toBe(199);
  });
});

test('IP-04 a datagram of 60,000 bytes crosses a link of 1280 and arrives whole, its checksum good', () => {
  const world = new World(9);
  const wire = world.p2p({ mtu: 1280 });
  const [a, b] = [world.node('a'), world.node('b')];
  addressOn(world.attach(a, wire), '2001:db8::1/64');
  addressOn(world.attach(b, wire), '2001:db8::2/64');
  const got: Uint8Array[] = [];
  const listener = b.udp.open();
  listener.onReceive = ({ bytes }) => got.push(bytes);
  expect(listener.bind({ address: address('::'), zone: 0 }, 7)).toBe(7);
  world.run(5000);
  const payload = pattern(60_000);
  expect(a.udp.open().send(payload, { address: address('2001:db8::2'), zone: 0 }, 7)).toBeUndefined();
  world.run(100);
  expect(got).toHaveLength(1);
  expect(Buffer.compare(got[0]!, payload)).toBe(0);
  expect(b.counters.ip6).toMatchObject({ reassembled: 1, fragments: 49 });
  expect(b.counters.udp6).toMatchObject({ delivered: 1, badChecksum: 0 });
  for (const { decoded } of wire.captured()) expect(decoded.length).toBeLessThanOrEqual(1280);
  expectConserved(world);
});
