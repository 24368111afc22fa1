/** Frames named by what they mean. */
import { expect, test } from 'vitest';
import { type Match, questionOf, Seen } from '#orchestrator/faults/match.ts';
import { destinationOptions, fragment, hopByHop, icmp6, type Layer, packet, raw, udp } from '#tests/support/packets.ts';

const SRC = '2001:db8::a';
const DST = '2001:db8:1::b';
const ask = (match: Match, ...layers: Layer[]): boolean => {
  const seen = new Seen('tun');
  seen.is(packet({ src: SRC, dst: DST, hops: 255 }, ...layers));
  return questionOf(match)?.(seen) ?? true;
};

const target = (last: number) => Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), last);
const na = (flags: number, ...options: number[]) => icmp6(136, 0, flags, Uint8Array.of(...target(5), ...options));
const NA = na(0x6000_0000, 2, 1, 2, 0, 0, 0, 0, 5);
const tcp = (source: number, destination: number, flags: number): Layer => {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, source);
  view.setUint16(2, destination);
  view.setUint8(12, 5 << 4);
  view.setUint8(13, flags);
  return raw(6, bytes);
};

test.each<[Match, Layer[], boolean]>([
  [{}, [NA], true],
  [{ icmp6: 'neighborAdvertisement' }, [NA], true],
  [{ icmp6: 'any' }, [NA], true],
  [{ icmp6: ['redirect', 'neighborAdvertisement'] }, [NA], true],
  [{ icmp6: 'neighborSolicitation' }, [NA], false],
  [{ icmp6: 'any' }, [udp(1, 2)], false],
  [{ icmp6: { target: '2001:db8::5' } }, [NA], true],
  [{ icmp6: { target: '2001:DB8:0::/48' } }, [NA], true],
  [{ icmp6: { target: ['2001:db8::6', '2001:db8::7'] } }, [NA], false],
  [{ icmp6: { solicited: true, override: true, router: false } }, [NA], true],
  [{ icmp6: { solicited: false } }, [NA], false],
  [{ icmp6: { option: 'targetLinkLayer' } }, [NA], true],
  [{ icmp6: { option: 'targetLinkLayer' } }, [na(0)], false],
  [{ icmp6: { type: 'packetTooBig', mtu: { max: 1300 } } }, [icmp6(2, 0, 1280)], true],
  [{ icmp6: { code: [3, 4] } }, [icmp6(1, 4)], true],
  [{ icmp6: { type: 'echoRequest', seq: 7 } }, [icmp6(128, 0, 7)], true],
  [{ icmp6: { seq: 8 } }, [icmp6(128, 0, 7)], false],
  [{ ip6: 'any' }, [raw(59)], true],
  [{ ip6: { src: SRC, dst: '2001:db8:1::/48', hopLimit: 255 } }, [raw(59)], true],
  [{ ip6: { hopLimit: { max: 254 } } }, [raw(59)], false],
  [{ ip4: 'any' }, [raw(59)], false],
  [{ arp: 'any' }, [raw(59)], false],
  [{ eth: {} }, [raw(59)], false],
  [{ protocol: 59 }, [hopByHop(1, 4, 0, 0, 0, 0), raw(59)], true],
  [{ header: 'hopByHop' }, [hopByHop(1, 4, 0, 0, 0, 0), raw(59)], true],
  [{ header: ['hopByHop', 'destinationOptions'] }, [hopByHop(1, 4, 0, 0, 0, 0), raw(59)], false],
  [{ header: 'destinationOptions' }, [destinationOptions(1, 4, 0, 0, 0, 0), raw(59)], true],
  [{ fragment: 'any' }, [raw(59)], false],
  [{ fragment: 'first' }, [fragment(0, true), raw(17, new Uint8Array(8))], true],
  [{ fragment: 'middle' }, [fragment(8, true), raw(17, new Uint8Array(8))], true],
  [{ fragment: 'last' }, [fragment(8, false), raw(17, new Uint8Array(8))], true],
  [{ fragment: 'atomic' }, [fragment(0, false), raw(17, new Uint8Array(8))], true],
  [{ fragment: 'last' }, [fragment(8, true), raw(17, new Uint8Array(8))], false],
  [{ fragment: { offset: { min: 8 }, id: 9 } }, [fragment(16, true, 9), raw(17, new Uint8Array(8))], true],
  [{ fragment: { more: false } }, [fragment(16, true, 9), raw(17, new Uint8Array(8))], false],
  [{ udp: 53 }, [udp(5353, 53)], true],
  [{ udp: 53 }, [udp(53, 5353)], true],
  [{ udp: 'any' }, [udp(53, 5353)], true],
  [{ udp: { min: 5000, max: 6000 } }, [udp(53, 5353)], true],
  [{ udp: { dstPort: 53 } }, [udp(53, 5353)], false],
  [{ udp: [1, 2] }, [udp(53, 5353)], false],
  [{ udp: 53 }, [tcp(53, 53, 0)], false],
  [{ tcp: 22 }, [tcp(1024, 22, 2)], true],
  [{ tcp: { flags: 'syn', without: 'ack' } }, [tcp(1024, 22, 2)], true],
  [{ tcp: { flags: 'syn', without: 'ack' } }, [tcp(22, 1024, 0x12)], false],
  [{ tcp: { flags: ['syn', 'ack'] } }, [tcp(22, 1024, 0x12)], true],
  [{ length: 40 }, [raw(59)], true],
  [{ length: { min: 41 } }, [raw(59)], false],
  [{ icmp6: 'any', length: { min: 1000 } }, [NA], false],
])('%j', (match, layers, agrees) => expect(ask(match, ...layers)).toBe(agrees));

test('hostile bytes match nothing and do no harm', () => {
  const seen = new Seen('ethernet');
  const match: Match = { icmp6: 'any', udp: 'any', tcp: 'any', fragment: 'any', ip6: 'any', eth: { type: 0x86dd } };
  for (let length = 0; length < 80; length++) {
    seen.is(Uint8Array.from({ length }, (_, at) => (at === 12 ? 0x86 : at === 13 ? 0xdd : at === 14 ? 0x60 : 0)));
    expect(questionOf(match)!(seen)).toBe(false);
  }
});
