import { describe, expect, test } from 'vitest';
import { Interface } from '#stack/link/interface.ts';
import type { Link, Offload } from '#stack/link/link.ts';
import { checkOffload, segmentLength } from '#stack/link/offload.ts';
import type { Packet, SegmentKind } from '#stack/packet/packet.ts';
import * as Checksum from '#stack/wire/checksum.ts';
import { decode } from '#stack/wire/decode.ts';
import * as Ip6 from '#stack/wire/ip6.ts';
import * as Tcp from '#stack/wire/tcp.ts';
import { concat, packet, pattern, raw, udp } from '#tests/support/packets.ts';
import { addressOn, expectConserved, World } from '#tests/support/world.ts';

const NONE: Offload = { checksum: false, tso6: false, tso4: false, uso: false };

/** An interface on a link with `offload`, up; frames it sends are kept. */
function onLink(offload: Partial<Offload> = {}) {
  const world = new World();
  const node = world.node('node');
  const sent: { bytes: Uint8Array; pkt: { checksum: string; segmentKind: string } }[] = [];
  const link: Link = {
    medium: 'ip',
    mtu: 1500,
    offload: { ...NONE, ...offload },
    mac: undefined,
    carrier: true,
    attach() {},
    send(pkt) {
      sent.push({
        bytes: pkt.bytes.slice(pkt.head, pkt.tail),
        pkt: { checksum: pkt.checksum, segmentKind: pkt.segmentKind },
      });
      pkt.give();
    },
  };
  const ifp = new Interface(node, 'tap0', node.interfaces.length, 'pointToPoint', link);
  ifp.up = true;
  return { world, ifp, sent };
}

/** A packet as a TAP with IFF_VNET_HDR hands it over: the checksum field holds the sum of the pseudo-header. */
function unfinished(
  world: World,
  bytes: Uint8Array,
  checksumOffset: number,
  kind: SegmentKind = 'none',
  size = 0,
): Packet {
  const pkt = world.pool.take(bytes.length);
  pkt.bytes.set(bytes, pkt.head);
  pkt.tail = pkt.head + bytes.length;
  pkt.ip = pkt.head;
  pkt.checksum = 'unfinished';
  pkt.checksumStart = pkt.head + Ip6.LENGTH;
  pkt.checksumAt = pkt.checksumStart + checksumOffset;
  const { view, ip } = pkt;
  const pseudo = Checksum.pseudoHeader6(view, ip, bytes.length - Ip6.LENGTH, Ip6.nextHeader(view, ip));
  view.setUint16(pkt.checksumAt, pseudo);
  pkt.segmentKind = kind;
  pkt.segmentSize = size;
  return pkt;
}

const ends = { src: '2001:db8::1', dst: '2001:db8::2' };
function tcp(size: number, flags: number): Uint8Array {
  const header = new Uint8Array(Tcp.LENGTH);
  Tcp.write(new DataView(header.buffer), 0, 80, 4000, 0xffff_fff0, 7, flags, 1000);
  return packet(ends, raw(6, concat(header, pattern(size))));
}

describe('a transport checksum', () => {
  test('is finished for a link that cannot', () => {
    const { world, ifp, sent } = onLink();
    ifp.transmit(unfinished(world, packet(ends, udp(1, 2, 333)), 6));
    expect(decode(sent[0]!.bytes, 'raw').udp).toMatchObject({ checksumOk: true });
    expectConserved(world);
  });

  test('of UDP that comes out zero is sent as all ones, as zero means none (RFC 8200 8.1)', () => {
    const { world, ifp, sent } = onLink();
    const bytes = packet(ends, udp(1, 2, 2));
    bytes.set([0, 0], 48);
    const zeroed = new DataView(bytes.buffer);
    zeroed.setUint16(46, 0);
    zeroed.setUint16(48, Checksum.transport6(zeroed, 0, 40, 10, 17));
    ifp.transmit(unfinished(world, bytes, 6));
    expect(new DataView(sent[0]!.bytes.buffer).getUint16(46)).toBe(0xffff);
  });

  test('is left to a link that can', () => {
    const { world, ifp, sent } = onLink({ checksum: true });
    ifp.transmit(unfinished(world, packet(ends, udp(1, 2, 333)), 6));
    expect(sent[0]!.pkt.checksum).toBe('unfinished');
  });
});

describe('what a station says of its packet is believed within the upper layer alone', () => {
  function arriving(change: (pkt: Packet) => void) {
    const world = new World();
    const node = world.router('node');
    const wire = world.p2p();
    const tun0 = world.attach(node, wire);
    addressOn(tun0, '2001:db8::2/64');
    world.run(3000);
    const pkt = unfinished(world, packet(ends, udp(1, 2, 40)), 6);
    change(pkt);
    tun0.receive(pkt);
    world.run(10);
    expectConserved(world);
    return { node, wire };
  }

  test.each<[where: string, change: (pkt: Packet) => void]>([
    ['in the source address', (pkt) => (pkt.checksumAt = pkt.head + Ip6.SOURCE)],
    ['from the IPv6 header on', (pkt) => (pkt.checksumStart = pkt.head)],
    ['behind the packet', (pkt) => (pkt.checksumAt = pkt.tail - 1)],
    ['before its own start', (pkt) => (pkt.checksumStart = pkt.checksumAt + 2)],
  ])('a checksum %s is none', (_, change) => {
    const { node, wire } = arriving(change);
    expect(node.counters.udp6.badChecksum).toBe(1);
    expect(wire.captured({ icmp6: { type: 1 } })).toEqual([]);
  });

  test('a checksum where it belongs is', () => {
    const { node } = arriving(() => {});
    expect(node.counters.udp6).toMatchObject({ badChecksum: 0, noPort: 1 });
  });

  test('segments of no size, or without a checksum to share, are none', () => {
    const { world, ifp } = onLink();
    const none = unfinished(world, tcp(3000, Tcp.Flag.ack), Tcp.CHECKSUM, 'tcp6', 0);
    const lone = unfinished(world, tcp(3000, Tcp.Flag.ack), Tcp.CHECKSUM, 'tcp6', 1000);
    lone.checksum = 'unknown';
    for (const pkt of [none, lone]) {
      checkOffload(pkt);
      expect(pkt.segmentKind).toBe('none');
      ifp.transmit(pkt);
    }
    expectConserved(world);
  });
});

describe('a packet of segments', () => {
  const FIN_PSH_CWR = Tcp.Flag.ack | Tcp.Flag.fin | Tcp.Flag.psh | Tcp.Flag.cwr;

  test('TCP is cut for a link that cannot: sequence numbers, flags, lengths and checksums of their own', () => {
    const { world, ifp, sent } = onLink();
    const whole = tcp(3001, FIN_PSH_CWR);
    ifp.transmit(unfinished(world, whole, Tcp.CHECKSUM, 'tcp6', 1000));
    const segments = sent.map(({ bytes }) => decode(bytes, 'raw'));
    expect(segments.map(({ ip6, tcp, payloadLength }) => [ip6!.payloadLength, payloadLength, tcp!.checksumOk])).toEqual(
      [
        [1020, 1000, true],
        [1020, 1000, true],
        [1020, 1000, true],
        [21, 1, true],
      ],
    );
    const headers = sent.map(({ bytes }) => new DataView(bytes.buffer, 40));
    expect(headers.map((header) => Tcp.sequence(header, 0))).toEqual([0xffff_fff0, 984, 1984, 2984]);
    const { ack, fin, psh, cwr } = Tcp.Flag;
    expect(headers.map((header) => Tcp.flags(header, 0))).toEqual([ack | cwr, ack, ack, ack | fin | psh]);
    expect(concat(...sent.map(({ bytes }) => bytes.slice(60)))).toEqual(whole.slice(60));
    expectConserved(world);
  });

  test('UDP is cut for a link that cannot', () => {
    const { world, ifp, sent } = onLink();
    const whole = packet(ends, udp(1, 2, 2500));
    ifp.transmit(unfinished(world, whole, 6, 'udp', 1200));
    expect(sent.map(({ bytes }) => decode(bytes, 'raw').udp)).toMatchObject([
      { length: 1208, checksumOk: true },
      { length: 1208, checksumOk: true },
      { length: 108, checksumOk: true },
    ]);
    expectConserved(world);
  });

  test('is cut, its checksums left, for a link that can only do checksums', () => {
    const { world, ifp, sent } = onLink({ checksum: true });
    ifp.transmit(unfinished(world, tcp(3000, Tcp.Flag.ack), Tcp.CHECKSUM, 'tcp6', 1000));
    expect(sent.map(({ pkt }) => pkt.checksum)).toEqual(['unfinished', 'unfinished', 'unfinished']);
    expect(sent.map(({ pkt }) => pkt.segmentKind)).toEqual(['none', 'none', 'none']);
    const { bytes } = sent[0]!;
    const view = new DataView(bytes.buffer);
    expect(view.getUint16(40 + Tcp.CHECKSUM)).toBe(Checksum.pseudoHeader6(view, 0, 1020, 6));
  });

  test('goes whole to a link that takes it', () => {
    const { world, ifp, sent } = onLink({ checksum: true, tso6: true });
    ifp.transmit(unfinished(world, tcp(30_000, Tcp.Flag.ack), Tcp.CHECKSUM, 'tcp6', 1000));
    expect(sent.map(({ bytes, pkt }) => [bytes.length, pkt.segmentKind])).toEqual([[30_060, 'tcp6']]);
    expectConserved(world);
  });

  test('is cut wherever in its buffer it lies, up to the last byte of a small one', () => {
    const { world, ifp, sent } = onLink();
    const pkt = unfinished(world, tcp(5000, Tcp.Flag.ack), Tcp.CHECKSUM, 'tcp6', 1720);
    // it came with an Ethernet header, which was taken off
    pkt.bytes.copyWithin(pkt.head + 14, pkt.head, pkt.tail);
    pkt.head += 14;
    pkt.ip += 14;
    pkt.tail += 14;
    pkt.checksumStart += 14;
    pkt.checksumAt += 14;
    ifp.transmit(pkt);
    expect(sent.map(({ bytes }) => decode(bytes, 'raw').tcp!.checksumOk)).toEqual([true, true, true]);
    expectConserved(world);
  });

  test('of IPv4, or with sizes that cannot be, is dropped as an output error', () => {
    const { world, ifp, sent } = onLink();
    ifp.transmit(unfinished(world, tcp(3000, Tcp.Flag.ack), Tcp.CHECKSUM, 'tcp4', 1000));
    ifp.transmit(unfinished(world, tcp(3000, Tcp.Flag.ack), Tcp.CHECKSUM, 'tcp6', 0));
    expect(sent).toEqual([]);
    expect(ifp.outErrors).toBe(2);
    expectConserved(world);
  });

  test('is measured by its segments: forwarded over a link that has room for each', () => {
    const world = new World();
    const router = world.router('router');
    const left = world.p2p({ mtu: 65_535 });
    const right = world.p2p({ mtu: 1280 });
    const tun0 = world.attach(router, left);
    addressOn(tun0, '2001:db8:a::1/64');
    addressOn(world.attach(router, right), '2001:db8::1/64');
    world.run(3000);
    const arrive = (size: number) => {
      const pkt = unfinished(world, tcp(6000, Tcp.Flag.ack), Tcp.CHECKSUM, 'tcp6', size);
      expect(segmentLength(pkt)).toBe(60 + size);
      tun0.receive(pkt);
      world.run(10);
    };
    arrive(1220);
    expect(right.captured({ tcp: { checksumOk: true } })).toHaveLength(5);
    arrive(1221);
    expect(router.counters.icmp6.outPacketTooBig).toBe(1);
    world.run(60_000);
    expectConserved(world);
  });
});
