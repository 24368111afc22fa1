import { expect, test } from 'vitest';
import { SeededRandom } from '#stack/env/random.ts';
import { address } from '#stack/wire/address.ts';
import { Type } from '#stack/wire/icmp6.ts';
import { NextHeader } from '#stack/wire/next-header.ts';
import {
  destinationOptions,
  echoRequest,
  fragment,
  hopByHop,
  icmp6,
  packet,
  pattern,
  raw,
  udp,
} from '#tests/support/packets.ts';
import { addressOn, expectConserved, World } from '#tests/support/world.ts';

const HEADER = { src: 'fe80::2', dst: 'fe80::1' };
const ALERT = hopByHop(5, 2, 0, 0);

/** One good packet of each kind that sockets, MLD and reassembly read. */
const GOOD: readonly Uint8Array[] = [
  packet(HEADER, udp(5000, 7, 40)),
  packet(HEADER, destinationOptions(1, 4, 0, 0, 0, 0), udp(5000, 7, 40)),
  packet(HEADER, fragment(0, true, 1, NextHeader.udp), raw(NextHeader.udp, pattern(16))),
  packet(HEADER, fragment(16, true, 1, NextHeader.udp), raw(NextHeader.udp, pattern(16))),
  packet(HEADER, fragment(32, false, 1, NextHeader.udp), raw(NextHeader.udp, pattern(9))),
  packet(HEADER, fragment(0, false, 1), echoRequest(8)),
  packet({ ...HEADER, dst: 'ff02::1', hops: 1 }, ALERT, icmp6(Type.mldQuery, 0, 0, address('::'))),
  packet({ ...HEADER, dst: 'ff02::5', hops: 1 }, ALERT, icmp6(Type.mldReport, 0, 0, address('ff02::5'))),
  packet(HEADER, icmp6(Type.unreachable, 4, 0, packet({ src: 'fe80::1', dst: 'fe80::2' }, udp(7, 5000, 8)))),
  packet(HEADER, icmp6(Type.packetTooBig, 0, 1280, packet({ src: 'fe80::1', dst: 'fe80::2' }, udp(7, 5000, 8)))),
  packet(HEADER, raw(NextHeader.ospf, pattern(20))),
];

/** Some bytes changed, the end cut off, or bytes added: mostly behind the addresses, so that most get past the first checks. */
function spoiled(random: SeededRandom): Uint8Array {
  const below = (limit: number): number => random.u32() % limit;
  let bytes = GOOD[below(GOOD.length)]!.slice();
  for (let changes = below(4); changes > 0; changes--) {
    const place = below(8) === 0 ? below(bytes.length) : 40 + below(bytes.length - 40);
    bytes[place] = below(3) === 0 ? [0, 0xff, 44, 0x80][below(4)]! : random.u32() & 0xff;
  }
  if (below(6) === 0) {
    bytes = bytes.slice(0, 8 + below(bytes.length - 8));
    if (bytes.length >= 40) new DataView(bytes.buffer).setUint16(4, bytes.length - 40);
  }
  return bytes;
}

test('30,000 spoiled packets end no node, leak no packet and fill no table', () => {
  const world = new World(99);
  const wire = world.p2p();
  const node = world.node('node');
  const ifp = world.attach(node, wire);
  ifp.nd.nud = false;
  addressOn(ifp, 'fe80::1/64');
  const tester = wire.tester();
  const sockets = [node.raw.open(NextHeader.ospf), node.raw.open(NextHeader.icmp6)];
  let delivered = 0;
  for (const socket of sockets) {
    if (typeof socket === 'string') throw new Error(socket);
    socket.onReceive = () => delivered++;
    socket.join(ifp, address('ff02::5'));
  }
  const listener = node.udp.open();
  listener.onReceive = () => delivered++;
  listener.onError = () => delivered++;
  listener.bind({ address: address('::'), zone: 0 }, 7);
  const random = new SeededRandom(4711);
  for (let count = 0; count < 30_000; count++) {
    const pkt = world.pool.take(100);
    const bytes = spoiled(random);
    // what lies behind a packet is another's old bytes; checksums are the link's word, or most would end there
    pkt.bytes.fill(random.u32() & 0xff);
    pkt.bytes.set(bytes, pkt.head);
    pkt.tail = pkt.head + bytes.length;
    if (count % 2 === 0) pkt.checksum = 'good';
    ifp.receive(pkt);
    tester.heard.length = 0;
    if (count % 1000 === 0) world.run(1000);
    expect(node.reassembly.held).toBeLessThanOrEqual(200);
  }
  world.run(61_000);
  expect(delivered).toBeGreaterThan(1000);
  expect(node.counters.ip6.internalError).toBe(0);
  expect(node.reassembly).toMatchObject({ held: 0, packets: 0 });
  expectConserved(world);
});
