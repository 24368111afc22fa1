import { describe, expect, test } from 'vitest';
import { icmp6Error } from '#stack/ip6/icmp6-error.ts';
import { pseudoHeader6 } from '#stack/wire/checksum.ts';
import { linked, NODE, PEER, summary } from '#tests/support/linked.ts';
import {
  concat,
  destinationOptions,
  echoRequest,
  icmp6,
  type Layer,
  packet,
  pattern,
  raw,
  udp,
} from '#tests/support/packets.ts';
import { addressOn, expectConserved, set } from '#tests/support/world.ts';

/** Provokes Parameter Problem code 1 whatever is in front of it. */
const unknown = raw(253, pattern(8));
const quoted = packet({ src: NODE, dst: PEER }, udp(1, 2));

describe('IC-02 no error is sent about', () => {
  const bad = (src: string, dst: string, ...layers: Layer[]) => packet({ src, dst }, ...layers);
  test.each<[title: string, bytes: Uint8Array]>([
    ['a packet to a group', bad(PEER, 'ff02::1', unknown)],
    ['a packet from a group that is refused anyway', bad('ff02::2', NODE, unknown)],
    ['an ICMPv6 error', bad(PEER, NODE, destinationOptions(0x9e, 0), icmp6(1, 0, 0, quoted))],
    ['an unknown ICMPv6 error', bad(PEER, NODE, destinationOptions(0x9e, 0), icmp6(100))],
    ['a redirect (ND-20)', bad(PEER, NODE, destinationOptions(0x9e, 0), icmp6(137, 0, 0, pattern(32)))],
    ['an ICMPv6 message whose type is missing', bad(PEER, NODE, destinationOptions(0x9e, 0), raw(58))],
  ])('%s', (_, bytes) => {
    const { world, ask } = linked();
    expect(ask(bytes)).toEqual([]);
    expectConserved(world);
  });

  test('a packet from an address known to be anycast', () => {
    const { world, node, ifp, ask } = linked();
    addressOn(ifp, '2001:db8::/64', { anycast: true });
    expect(ask(packet({ src: '2001:db8::', dst: NODE }, unknown))).toEqual([]);
    expect(node.counters.icmp6.cannotError).toBe(1);
    expectConserved(world);
  });

  test.each<[title: string, type: number, code: number, sent: number]>([
    ['but Packet Too Big is', 2, 0, 1],
    ['but Parameter Problem code 2 is', 4, 2, 1],
    ['Time Exceeded is not', 3, 0, 0],
    ['Parameter Problem code 0 is not', 4, 0, 0],
  ])('a group: %s', (_, type, code, sent) => {
    const { world, node, ifp, tester } = linked();
    tester.heard.length = 0;
    const bytes = packet({ src: PEER, dst: 'ff02::1' }, udp(1, 2));
    const pkt = world.pool.take(bytes.length);
    pkt.bytes.set(bytes, pkt.head);
    pkt.tail += bytes.length;
    pkt.ip = pkt.head;
    pkt.receivedOn = ifp.index;
    pkt.linkMulticast = true;
    icmp6Error(node, pkt, type, code, 1280);
    world.run(100);
    expect(tester.captured({ icmp6: { type } })).toHaveLength(sent);
    expectConserved(world);
  });
});

describe('IC-01 an error', () => {
  test('quotes as much as fits 1280 bytes, unchanged, extension headers included', () => {
    const { world, ask } = linked();
    const bytes = packet({ src: PEER, dst: NODE }, destinationOptions(0x1e, 0), raw(253, pattern(1400)));
    const [error] = ask(bytes);
    expect(summary(error)).toEqual({ type: 4, code: 1, pointer: 40 });
    expect(error!.bytes.length).toBe(1280);
    expect(error!.bytes.slice(48)).toEqual(bytes.slice(0, 1280 - 48));
    expectConserved(world);
  });

  test('quotes a checksum as it is on the wire, though a link with offload left it unfinished', () => {
    const { world, node, ifp, tester } = linked();
    const bytes = packet({ src: PEER, dst: NODE }, udp(5000, 7, 40));
    const pkt = world.pool.take(bytes.length);
    pkt.bytes.set(bytes, pkt.head);
    pkt.tail = pkt.head + bytes.length;
    pkt.checksum = 'unfinished';
    pkt.checksumStart = pkt.head + 40;
    pkt.checksumAt = pkt.head + 46;
    pkt.view.setUint16(pkt.checksumAt, pseudoHeader6(pkt.view, pkt.head, bytes.length - 40, 17));
    ifp.receive(pkt);
    world.run(10);
    expect(node.counters.icmp6.outPortUnreachable).toBe(1);
    expect(tester.captured({ icmp6: { type: 1 } })[0]!.bytes.slice(48)).toEqual(bytes);
    expectConserved(world);
  });

  test('does not quote link padding', () => {
    const { ask } = linked();
    const bytes = packet({ src: PEER, dst: NODE }, unknown);
    expect(ask(concat(bytes, pattern(9)))[0]!.bytes.length).toBe(48 + bytes.length);
  });

  test('comes from the address that was written to, of several', () => {
    const { ifp, ask } = linked();
    addressOn(ifp, '2001:db8::99/64');
    expect(ask(packet({ src: PEER, dst: '2001:db8::99' }, unknown))[0]!.decoded.ip6!.src).toBe('2001:db8::99');
  });

  test('RQ-05 about a packet to an anycast address comes from a unicast one', () => {
    const { ifp, ask } = linked();
    addressOn(ifp, '2001:db8::/64', { anycast: true });
    expect(ask(packet({ src: PEER, dst: '2001:db8::' }, unknown))[0]!.decoded.ip6!.src).toBe(NODE);
  });

  test('to a link-local source leaves by the interface that it came in by', () => {
    const { ask } = linked();
    const [error] = ask(packet({ src: 'fe80::2', dst: NODE }, unknown));
    expect(error!.decoded.ip6).toMatchObject({ src: NODE, dst: 'fe80::2' });
  });

  test('is counted by its kind', () => {
    const { node, ask } = linked();
    ask(packet({ src: PEER, dst: NODE }, unknown));
    expect(node.counters.icmp6).toMatchObject({ errors: 1, outBadNextHeader: 1, cannotError: 0 });
    expect(node.counters.ip6.noProtocol).toBe(1);
    expect(node.histograms.icmp6Out[4]).toBe(1);
  });
});

describe('rate limits', () => {
  const bytes = packet({ src: PEER, dst: NODE }, unknown);

  test('IC-04 errppslimit: 200 errors a second, the rest is counted', () => {
    const { world, node, tester } = linked();
    tester.heard.length = 0;
    for (let count = 0; count < 1000; count++) {
      tester.send(bytes);
      world.run(0.9);
    }
    world.run(1);
    expect(tester.captured({ icmp6: { type: 4 } })).toHaveLength(200);
    expect(node.counters.icmp6.tooFrequent).toBe(800);
    world.run(1000);
    tester.send(bytes);
    world.run(1);
    expect(tester.captured({ icmp6: { type: 4 } })).toHaveLength(201);
    expectConserved(world);
  });

  test.each([
    ['0: none', 0, 0],
    ['negative: no limit', -1, 300],
  ])('IC-04 errppslimit %s', (_, limit, sent) => {
    const { world, node, tester } = linked({ 'icmp6.errppslimit': limit });
    tester.heard.length = 0;
    for (let count = 0; count < 300; count++) tester.send(bytes);
    world.run(1);
    expect(tester.captured({ icmp6: { type: 4 } })).toHaveLength(sent);
    expect(node.counters.icmp6.tooFrequent).toBe(300 - sent);
    expectConserved(world);
  });

  test('IC-03 errratelimit: 100,000 microseconds between two errors', () => {
    const { world, node, tester } = linked();
    set(node, 'icmp6.errratelimit', 100_000);
    tester.heard.length = 0;
    for (let count = 0; count < 100; count++) {
      tester.send(bytes);
      world.run(10);
    }
    expect(tester.captured({ icmp6: { type: 4 } })).toHaveLength(10);
    expectConserved(world);
  });
});

test('IC-08 an unknown informational message is dropped without an answer, an unknown error is passed on', () => {
  const { world, node, ask } = linked();
  expect(
    ask(packet({ src: PEER, dst: NODE }, icmp6(200)), packet({ src: PEER, dst: NODE }, icmp6(100, 0, 0, quoted))),
  ).toEqual([]);
  expect(node.counters.icmp6.unknownType).toBe(2);
  expectConserved(world);
});

test.each<[title: string, bytes: Uint8Array, counter: 'tooShort' | 'badCode']>([
  [
    'an error that quotes less than a header',
    packet({ src: PEER, dst: NODE }, icmp6(1, 0, 0, quoted.slice(0, 39))),
    'tooShort',
  ],
  ['a message of less than four bytes', packet({ src: PEER, dst: NODE }, raw(58, [128, 0, 0])), 'tooShort'],
  ['an unknown code of an error', packet({ src: PEER, dst: NODE }, icmp6(1, 99, 0, quoted)), 'badCode'],
  [
    'an echo request with a code',
    packet({ src: PEER, dst: NODE }, { ...echoRequest(), build: () => Uint8Array.of(128, 1, 0, 0, 0, 0, 0, 0) }),
    'badCode',
  ],
])('ST-02 %s is counted', (_, bytes, counter) => {
  const { world, node, ask } = linked();
  expect(ask(bytes)).toEqual([]);
  expect(node.counters.icmp6[counter]).toBe(1);
  expectConserved(world);
});
