import { describe, expect, test } from 'vitest';
import { SeededRandom } from '#stack/env/random.ts';
import type { Stack } from '#stack/stack.ts';
import { Type } from '#stack/wire/icmp6.ts';
import { NextHeader } from '#stack/wire/next-header.ts';
import {
  concat,
  destinationOptions,
  echoRequest,
  fragment,
  type Header,
  hopByHop,
  type Layer,
  packet,
  pattern,
  raw,
  udp,
} from '#tests/support/packets.ts';
import { ByteMapReassembler, type Piece } from '#tests/support/reference/byte-map-reassembler.ts';
import { addressOn, expectConserved, type Tester, World } from '#tests/support/world.ts';

const NODE = '2001:db8::1';
const PEER = '2001:db8::2';
const PROTOCOL = 253;

interface Bench {
  readonly world: World;
  readonly node: Stack;
  readonly tester: Tester;
  /** What a raw socket for protocol 253 got. */
  readonly wholes: { bytes: Uint8Array; trafficClass: number }[];
  send(...bytes: Uint8Array[]): void;
}

function bench(sysctl: Record<string, number> = {}): Bench {
  const world = new World(11);
  const wire = world.p2p({ mtu: 65_535 });
  const node = world.node('node', { 'icmp6.errppslimit': -1, ...sysctl });
  addressOn(world.attach(node, wire), `${NODE}/64`);
  const tester = wire.tester();
  world.run(60_000);
  tester.heard.length = 0;
  const wholes: Bench['wholes'] = [];
  const socket = node.raw.open(PROTOCOL);
  if (typeof socket === 'string') throw new Error(socket);
  socket.onReceive = ({ bytes, trafficClass }) => wholes.push({ bytes, trafficClass });
  const send = (...frames: Uint8Array[]): void => {
    for (const bytes of frames) {
      tester.send(bytes);
      world.run(1);
    }
  };
  return { world, node, tester, wholes, send };
}

const HEADER: Header = { src: PEER, dst: NODE };

/** A part of a packet of protocol 253. */
function part(
  offset: number,
  more: boolean,
  bytes: Uint8Array,
  options: { id?: number; src?: string } = {},
): Uint8Array {
  const header = { ...HEADER, src: options.src ?? PEER };
  return packet(header, fragment(offset, more, options.id ?? 1, PROTOCOL), raw(PROTOCOL, bytes));
}

/** The fragmentable part of an upper layer, cut into parts of `size`. */
function cut(layer: Layer, size: number, id = 1, header: Header = HEADER): Uint8Array[] {
  const body = packet(header, layer).subarray(40);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += size) {
    const bytes = body.subarray(at, at + size);
    parts.push(packet(header, fragment(at, at + size < body.length, id, layer.protocol), raw(layer.protocol, bytes)));
  }
  return parts;
}

const setClass = (bytes: Uint8Array, trafficClass: number): Uint8Array => {
  const changed = bytes.slice();
  changed[0] = 0x60 | (trafficClass >> 4);
  changed[1] = (trafficClass & 0xf) << 4;
  return changed;
};

const errors = (tester: Tester) =>
  tester.heard.flatMap(({ decoded: { icmp6 } }) =>
    icmp6 !== undefined && icmp6.type < 128 ? [{ type: icmp6.type, code: icmp6.code, pointer: icmp6.pointer }] : [],
  );

describe('putting together', () => {
  test.each([
    ['in order', [0, 1, 2, 3]],
    ['backwards', [3, 2, 1, 0]],
    ['the last first', [3, 0, 1, 2]],
    ['shuffled', [2, 0, 3, 1]],
  ])('IP-04 fragments that come %s make one packet, which is answered', (_, order) => {
    const { world, node, tester, send } = bench();
    const parts = cut(echoRequest(100), 32);
    expect(parts).toHaveLength(4);
    send(...order.map((index) => parts[index]!));
    expect(node.counters.ip6).toMatchObject({ fragments: 4, reassembled: 1, fragmentsDropped: 0 });
    expect(node.reassembly).toMatchObject({ held: 0, packets: 0 });
    const [reply] = tester.captured({ icmp6: { name: 'echoReply' } });
    expect(reply!.decoded.icmp6).toMatchObject({ checksumOk: true, length: 108 });
    expectConserved(world);
  });

  test('IP-04 the largest packet there is: 65,535 bytes of payload', () => {
    const { world, node, wholes, send } = bench();
    const body = pattern(65_535);
    for (let at = 0; at < body.length; at += 1232)
      send(part(at, at + 1232 < body.length, body.subarray(at, at + 1232)));
    expect(node.counters.ip6.reassembled).toBe(1);
    expect(wholes).toHaveLength(1);
    expect(Buffer.compare(wholes[0]!.bytes, body)).toBe(0);
    expectConserved(world);
  });

  test('IP-04 headers before the Fragment header are those of the first fragment, and the walk goes on behind it', () => {
    const { world, node, tester, send } = bench();
    const body = packet(HEADER, destinationOptions(1, 4, 0, 0, 0, 0), echoRequest(40)).subarray(40);
    const piece = (at: number, more: boolean, options: Layer): Uint8Array =>
      packet(HEADER, options, fragment(at, more, 5, 60), raw(60, body.subarray(at, more ? at + 32 : undefined)));
    send(piece(32, false, hopByHop(1, 10, ...pattern(10))), piece(0, true, hopByHop(1, 4, 0, 0, 0, 0)));
    expect(node.counters.ip6.reassembled).toBe(1);
    expect(tester.captured({ icmp6: { name: 'echoReply', checksumOk: true } })).toHaveLength(1);
    expectConserved(world);
  });

  test('IP-04 only the first fragment says what follows; what later ones say is ignored (RFC 8200 4.5)', () => {
    const { node, wholes, send } = bench();
    const body = pattern(24);
    send(
      part(0, true, body.subarray(0, 16)),
      packet(HEADER, fragment(16, false, 1, NextHeader.tcp), raw(NextHeader.tcp, body.subarray(16))),
    );
    expect(node.counters.ip6.reassembled).toBe(1);
    expect(wholes.map(({ bytes }) => bytes)).toEqual([body]);
  });

  test.each([
    ['another identification', { id: 2 }],
    ['another source', { src: '2001:db8::3' }],
  ])('IP-04 fragments of %s are of another packet', (_, options) => {
    const { world, node, send } = bench();
    send(part(0, true, pattern(16)), part(16, false, pattern(8), options));
    expect(node.counters.ip6.reassembled).toBe(0);
    expect(node.reassembly).toMatchObject({ held: 2, packets: 2 });
    expectConserved(world);
  });

  test('IP-04 a fragment that is a whole packet is taken by itself, whatever waits under its identification (RFC 6946)', () => {
    const { world, node, wholes, send } = bench();
    send(part(0, true, pattern(16)), part(0, false, pattern(30)));
    expect(wholes.map(({ bytes }) => bytes)).toEqual([pattern(30)]);
    expect(node.counters.ip6).toMatchObject({ fragments: 2, fragmentsAtomic: 1, fragmentsOverlap: 0, reassembled: 0 });
    expect(node.reassembly.held).toBe(1);
    expectConserved(world);
  });

  test('IN-01 a checksum over all fragments is verified in the whole: one bad byte and nothing is delivered', () => {
    const { node, send } = bench();
    const parts = cut(udp(9, 9, 100), 56);
    parts[1]![60] = parts[1]![60]! ^ 1;
    send(...parts);
    expect(node.counters.ip6.reassembled).toBe(1);
    expect(node.counters.udp6).toMatchObject({ received: 1, badChecksum: 1 });
  });
});

describe('overlaps and duplicates', () => {
  test.each<[string, Uint8Array]>([
    ['covers the end of one', part(8, true, pattern(16))],
    [
      'lies within one',
      part(
        8,
        true,
        pattern(8).map((byte) => byte ^ 0xff),
      ),
    ],
    [
      'is one with other bytes',
      part(
        0,
        true,
        pattern(16).map((byte) => byte ^ 0xff),
      ),
    ],
    ['covers one and more', part(0, true, pattern(24))],
    ['ends the packet within one', part(8, false, pattern(4))],
  ])('IP-04 a fragment that %s ends the whole packet, silently (RFC 5722, RFC 8200 4.5)', (_, overlapping) => {
    const { world, node, tester, wholes, send } = bench();
    send(part(0, true, pattern(16)), overlapping);
    expect(node.counters.ip6.fragmentsOverlap).toBe(2);
    expect(node.reassembly.held).toBe(0);
    // nor may the rest make a packet of what is left
    send(part(0, true, pattern(16)), part(16, false, pattern(8)));
    expect(node.counters.ip6).toMatchObject({ reassembled: 0, fragmentsOverlap: 4 });
    world.run(61_000);
    expect(wholes).toHaveLength(0);
    expect(errors(tester)).toEqual([]);
    expect(node.reassembly.packets).toBe(0);
    expectConserved(world);
  });

  test.each<[string, Uint8Array]>([
    ['a second end', part(24, false, pattern(8))],
    ['a part behind the end', part(24, true, pattern(8))],
  ])('IP-04 %s contradicts the first one: the packet is dropped', (_, contradiction) => {
    const { world, node, send } = bench();
    send(part(16, false, pattern(8)), contradiction);
    expect(node.counters.ip6.fragmentsOverlap).toBe(2);
    expectConserved(world);
  });

  test('IP-04 an exact duplicate is dropped, and the packet is made all the same (RFC 8200 4.5)', () => {
    const { world, node, wholes, send } = bench();
    const first = part(0, true, pattern(16));
    send(first, first, part(16, false, pattern(8)));
    expect(node.counters.ip6).toMatchObject({ fragmentsDropped: 1, fragmentsOverlap: 0, reassembled: 1 });
    expect(wholes).toHaveLength(1);
    expectConserved(world);
  });

  test('IP-04 after 60 s an identification that had overlaps may be used again', () => {
    const { world, node, send } = bench();
    send(part(0, true, pattern(16)), part(8, true, pattern(16)));
    world.run(60_001);
    send(part(0, true, pattern(16)), part(16, false, pattern(8)));
    expect(node.counters.ip6.reassembled).toBe(1);
    expectConserved(world);
  });
});

describe('fragments that cannot be right', () => {
  test.each<[string, Uint8Array[], number]>([
    ['of a length that is no multiple of 8, more to come', [part(0, true, pattern(15))], 4],
    ['without a byte', [part(8, true, pattern(0))], 4],
    ['that would make more than 65,535 bytes', [part(65_528, false, pattern(8))], 42],
    [
      'that would, with the extension headers of the first',
      [
        part(65_512, false, pattern(20)),
        packet(HEADER, hopByHop(1, 4, 0, 0, 0, 0), fragment(0, true, 1, PROTOCOL), raw(PROTOCOL, pattern(8))),
      ],
      42,
    ],
    [
      'that would, behind extension headers known by then',
      [
        packet(HEADER, hopByHop(1, 4, 0, 0, 0, 0), fragment(0, true, 1, PROTOCOL), raw(PROTOCOL, pattern(8))),
        part(65_512, false, pattern(20)),
      ],
      42,
    ],
  ])('IP-04 a fragment %s is answered by Parameter Problem code 0', (_, frames, pointer) => {
    const { world, node, tester, send } = bench();
    send(...frames);
    expect(errors(tester)).toEqual([{ type: Type.parameterProblem, code: 0, pointer }]);
    expect(node.counters.ip6.fragmentsDropped).toBe(1);
    expect(node.reassembly.held).toBe(frames.length - 1);
    world.run(61_000);
    expectConserved(world);
  });

  test('IP-04 a first fragment must hold all headers: Parameter Problem code 3 (RFC 7112)', () => {
    const { world, node, tester, send } = bench();
    send(packet(HEADER, fragment(0, true, 1, 60), raw(60, [NextHeader.udp, 1, 1, 4, 0, 0, 0, 0])));
    expect(errors(tester)).toEqual([{ type: Type.parameterProblem, code: 3, pointer: 0 }]);
    expect(node.reassembly.held).toBe(0);
    expectConserved(world);
  });

  test('IP-04 a fragment too short for its own header is dropped', () => {
    const { world, node, send } = bench();
    send(packet(HEADER, raw(NextHeader.fragment, [PROTOCOL, 0, 0, 1])));
    expect(node.counters.ip6.tooShort).toBe(1);
    expectConserved(world);
  });

  test('JB-03 a jumbogram in fragments is answered by Parameter Problem at the Fragment header', () => {
    const { world, node, tester } = bench();
    const loopback = node.loopback;
    const body = concat(Uint8Array.of(PROTOCOL, 0, 0, 1, 0, 0, 0, 1), pattern(65_600));
    const whole = packet(
      { src: NODE, dst: NODE, payloadLength: 0 },
      hopByHop(0xc2, 4, 0, 1, 0, 72),
      raw(NextHeader.fragment, body),
    );
    const length = whole.length - 40;
    new DataView(whole.buffer).setUint32(44, length);
    const pkt = world.pool.take(whole.length);
    pkt.bytes.set(whole, pkt.head);
    pkt.tail = pkt.head + whole.length;
    const seen: unknown[] = [];
    const socket = node.raw.open(NextHeader.icmp6);
    if (typeof socket === 'string') throw new Error(socket);
    socket.onReceive = ({ bytes }) => seen.push([bytes[0], bytes[1], new DataView(bytes.buffer).getUint32(4)]);
    loopback.transmit(pkt);
    world.run(10);
    expect(seen).toEqual([[Type.parameterProblem, 0, 48]]);
    expect(tester.heard).toHaveLength(0);
    expectConserved(world);
  });
});

describe('time', () => {
  test.each<[string, number[], { type: number; code: number }[]]>([
    ['the first fragment came: Time Exceeded code 1, quoting it', [0, 1], [{ type: Type.timeExceeded, code: 1 }]],
    ['only later fragments came: no error', [1, 2], []],
  ])('IP-04 60 s after the first that came, %s', (_, indexes, expected) => {
    const { world, node, tester, send } = bench();
    const parts = cut(echoRequest(100), 32);
    send(...indexes.map((index) => parts[index]!));
    world.run(59_997);
    expect(errors(tester)).toEqual([]);
    expect(node.reassembly.held).toBe(2);
    world.run(5);
    expect(errors(tester).map(({ type, code }) => ({ type, code }))).toEqual(expected);
    expect(node.counters.ip6.fragmentsTimeout).toBe(2);
    expect(node.reassembly).toMatchObject({ held: 0, packets: 0 });
    if (expected.length > 0) {
      const [error] = tester.captured({ icmp6: { name: 'timeExceeded' } });
      const sent = parts[0]!;
      expect(error!.bytes.slice(48)).toEqual(sent);
    }
    expectConserved(world);
  });

  test('IP-04 each packet has its own 60 s', () => {
    const { world, node, send } = bench();
    send(part(0, true, pattern(16), { id: 1 }));
    world.run(30_000);
    send(part(0, true, pattern(16), { id: 2 }));
    world.run(30_001);
    expect(node.reassembly.held).toBe(1);
    world.run(30_000);
    expect(node.reassembly.held).toBe(0);
    expectConserved(world);
  });
});

describe('limits', () => {
  test.each([
    ['maxfragpackets', 0],
    ['maxfrags', 0],
  ])('IP-04 with %s %i no fragment is taken, but one that is a whole packet', (name, value) => {
    const { world, node, wholes, send } = bench({ [`ip6.${name}`]: value });
    send(part(0, true, pattern(16)), part(16, false, pattern(8)), part(0, false, pattern(8)));
    expect(node.counters.ip6).toMatchObject({ fragmentsOverflow: 2, reassembled: 0 });
    expect(wholes).toHaveLength(1);
    expectConserved(world);
  });

  test.each([
    ['maxfragpackets', 5, 5],
    ['maxfrags', 5, 5],
    ['maxfragpackets', -1, 60],
  ])('IP-04 with %s %i of 60 packets begun %i stay: the oldest make room', (name, value, kept) => {
    const { world, node, send } = bench({ [`ip6.${name}`]: value });
    for (let id = 0; id < 60; id++) send(part(0, true, pattern(16), { id }));
    expect(node.reassembly).toMatchObject({ held: kept, packets: kept });
    expect(node.counters.ip6.fragmentsOverflow).toBe(60 - kept);
    send(part(16, false, pattern(8), { id: 59 }));
    expect(node.counters.ip6.reassembled).toBe(1);
    expectConserved(world);
  });

  test('IP-04 a flood by one source does not cost another its packet', () => {
    const { world, node, wholes, send } = bench({ 'ip6.maxfragpackets': 20, 'ip6.maxfrags': 20 });
    send(part(0, true, pattern(16)));
    for (let id = 0; id < 500; id++) send(part(0, true, pattern(16), { id, src: '2001:db8::bad' }));
    send(part(16, false, pattern(8)));
    expect(wholes).toHaveLength(1);
    expect(node.reassembly.held).toBeLessThanOrEqual(20);
    world.run(61_000);
    expect(node.reassembly.held).toBe(0);
    expectConserved(world);
  });

  test('IP-04 a packet of crumbs is given up after 64 of them', () => {
    const { world, node, send } = bench();
    for (let at = 0; at < 65; at++) send(part(at * 8, true, pattern(8)));
    expect(node.reassembly).toMatchObject({ held: 0, packets: 0 });
    expect(node.counters.ip6.fragmentsOverflow).toBe(65);
    expectConserved(world);
  });
});

describe('congestion marks', () => {
  const NOT_ECT = 0;
  const ECT = 2;
  const CE = 3;
  test.each([
    ['none is marked', [ECT, ECT], ECT],
    ['one is marked, so is the packet', [ECT, CE], CE],
    ['one is marked and one knows nothing of marks: dropped', [NOT_ECT, CE], undefined],
  ])('IP-04 of the fragments, %s (RFC 3168 5.3)', (_, marks, expected) => {
    const { world, node, wholes, send } = bench();
    send(setClass(part(0, true, pattern(16)), marks[0]!), setClass(part(16, false, pattern(8)), marks[1]!));
    expect(wholes.map(({ trafficClass }) => trafficClass)).toEqual(expected === undefined ? [] : [expected]);
    expect(node.reassembly.held).toBe(0);
    expectConserved(world);
  });
});

/** Fragments of one packet in any order, with duplicates, overlaps, gaps and false ends thrown in. */
function schedule(random: SeededRandom, id: number): Piece[] {
  const below = (limit: number): number => random.u32() % limit;
  const body = new Uint8Array(8 * (1 + below(12)) + below(8));
  random.bytes(body);
  const pieces: Piece[] = [];
  for (let at = 0; at < body.length; ) {
    const size = Math.min(8 * (1 + below(3)), body.length - at);
    pieces.push({ id, offset: at, more: at + size < body.length, bytes: body.subarray(at, at + size) });
    at += size;
  }
  const any = (): Piece => pieces[below(pieces.length)]!;
  for (let extra = below(3); extra > 0; extra--) pieces.push(any());
  if (below(4) === 0) pieces.push({ ...any(), offset: 8 * below(14) });
  if (below(6) === 0) {
    const piece = any();
    pieces.push({ ...piece, more: !piece.more, bytes: piece.bytes.slice(0, piece.bytes.length & ~7) });
  }
  if (below(6) === 0) pieces.splice(below(pieces.length), 1);
  for (let at = pieces.length - 1; at > 0; at--) {
    const other = below(at + 1);
    [pieces[at], pieces[other]] = [pieces[other]!, pieces[at]!];
  }
  // alone in a packet, without a byte or cut between words: those never reach reassembly
  return pieces.filter(
    ({ offset, more, bytes }) => bytes.length > 0 && (offset > 0 || more) && (!more || bytes.length % 8 === 0),
  );
}

test('IP-04 4000 seeded schedules of fragments end as in the byte-map reassembler', () => {
  const { world, node, wholes, send } = bench({ 'ip6.maxfragpackets': -1, 'ip6.maxfrags': -1 });
  const random = new SeededRandom(20_260_101);
  const seen = { held: 0, duplicate: 0, overlap: 0, whole: 0 };
  for (let run = 0; run < 4000; run++) {
    const reference = new ByteMapReassembler();
    for (const piece of schedule(random, run)) {
      const before = { ...node.counters.ip6 };
      const verdict = reference.take(piece);
      wholes.length = 0;
      const heldBefore = node.reassembly.held;
      send(part(piece.offset, piece.more, piece.bytes, { id: run }));
      seen[verdict.kind]++;
      const { ip6 } = node.counters;
      switch (verdict.kind) {
        case 'held':
          expect(node.reassembly.held).toBe(heldBefore + 1);
          break;
        case 'duplicate':
          expect(ip6.fragmentsDropped).toBe(before.fragmentsDropped + 1);
          break;
        case 'overlap':
          expect(ip6.fragmentsOverlap).toBeGreaterThan(before.fragmentsOverlap);
          break;
        case 'whole':
          expect(ip6.reassembled).toBe(before.reassembled + 1);
          expect(wholes.map(({ bytes }) => bytes)).toEqual([verdict.bytes]);
      }
    }
    if (run % 50 === 0) world.run(61_000);
  }
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(200);
  world.run(61_000);
  expect(node.reassembly).toMatchObject({ held: 0, packets: 0 });
  expectConserved(world);
});
