import { describe, expect, test } from 'vitest';
import { SeededRandom } from '#stack/env/random.ts';
import * as Checksum from '#stack/wire/checksum.ts';
import * as Ip6 from '#stack/wire/ip6.ts';
import { slowSum, slowTransport6 } from '#tests/support/reference/checksum.ts';

const SEED = 1071;

/** Zero has two forms in one's complement; which one a sum ends in does not matter. */
const same = (a: number, b: number): boolean => a % 0xffff === b % 0xffff;

describe('the Internet checksum', () => {
  test('of the example of RFC 1071 §3 is ddf2', () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(Checksum.sum(new DataView(bytes.buffer), 0, 8)).toBe(0xddf2);
  });

  test(`equals the byte loop for every length to 100 at every offset (seed ${SEED})`, () => {
    const bytes = new Uint8Array(256);
    new SeededRandom(SEED).bytes(bytes);
    const v = new DataView(bytes.buffer);
    for (let at = 0; at < 9; at++) {
      for (let length = 0; length <= 100; length++) {
        expect(Checksum.sum(v, at, length), `${length} bytes at ${at}`).toBe(slowSum(bytes.subarray(at, at + length)));
      }
    }
  });

  test('of 64 KB of ones does not overflow', () => {
    const bytes = new Uint8Array(0x10000 + 40).fill(0xff);
    expect(Checksum.sum(new DataView(bytes.buffer), 0, bytes.length, 0xffff)).toBe(0xffff);
  });

  test('does not read behind an odd end', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(Checksum.sum(new DataView(bytes.buffer), 0, 3)).toBe(0x0402);
    expect(Checksum.sum(new DataView(bytes.buffer, 0, 1), 0, 1)).toBe(0x0100);
  });

  test(`of pieces of even length adds up to that of the whole (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    const bytes = new Uint8Array(1500);
    random.bytes(bytes);
    const v = new DataView(bytes.buffer);
    for (let round = 0; round < 200; round++) {
      const length = random.u32() % 1500;
      const cut = Math.min(length, (random.u32() % 750) * 2);
      const whole = Checksum.sum(v, 0, length);
      expect(Checksum.add(Checksum.sum(v, 0, cut), Checksum.sum(v, cut, length - cut))).toBe(whole);
      expect(Checksum.sum(v, cut, length - cut, Checksum.sum(v, 0, cut))).toBe(whole);
    }
  });

  test(`of an upper layer includes the pseudo-header of RFC 8200 §8.1 (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    for (const length of [8, 9, 64, 1232, 1233, 65_535]) {
      const bytes = new Uint8Array(Ip6.LENGTH + length);
      random.bytes(bytes);
      const v = new DataView(bytes.buffer);
      const message = bytes.subarray(Ip6.LENGTH);
      const slow = slowTransport6(bytes.subarray(8, 24), bytes.subarray(24, 40), message, 58);
      expect(Checksum.transport6(v, 0, Ip6.LENGTH, length, 58)).toBe(slow);
    }
  });

  test('of a message with the right one in it is zero', () => {
    const bytes = new Uint8Array(60).fill(0xa5);
    const v = new DataView(bytes.buffer);
    v.setUint16(42, 0);
    v.setUint16(42, Checksum.transport6(v, 0, 40, 20, 58));
    expect(Checksum.transport6(v, 0, 40, 20, 58)).toBe(0);
    bytes[59]! ^= 1;
    expect(Checksum.transport6(v, 0, 40, 20, 58)).not.toBe(0);
  });

  test('that comes out zero is sent as ffff by UDP', () => {
    expect(Checksum.udp(0)).toBe(0xffff);
    expect(Checksum.udp(0x1234)).toBe(0x1234);
  });

  test('is updated for one changed word as in the example of RFC 1624 §4', () => {
    expect(Checksum.update(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });

  test(`updated equals the one computed again (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    const bytes = new Uint8Array(64);
    random.bytes(bytes);
    const v = new DataView(bytes.buffer);
    for (let round = 0; round < 1000; round++) {
      const before = Checksum.complement(Checksum.sum(v, 0, 64));
      const at = (random.u32() % 32) * 2;
      const was = v.getUint16(at);
      v.setUint16(at, random.u32() & 0xffff);
      const after = Checksum.complement(Checksum.sum(v, 0, 64));
      expect(same(Checksum.update(before, was, v.getUint16(at)), after)).toBe(true);
    }
  });
});
