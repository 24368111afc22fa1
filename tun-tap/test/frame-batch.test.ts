import { expect, test } from 'vitest';
import { FrameBatch } from '../index.ts';

test('slot i starts at i * slotSize of bytes and view alike', () => {
  const batch = new FrameBatch(3, 100);
  batch.set(2, Uint8Array.of(0xab, 0xcd));
  expect(batch.view.getUint16(200)).toBe(0xabcd);
  expect(batch.bytes[200]).toBe(0xab);
  expect(batch.lengths[2]).toBe(2);
  expect([...batch.frame(2)]).toEqual([0xab, 0xcd]);
  expect(batch.bytes.length).toBe(300);
});

test('the columns of a batch do not overlap', () => {
  const batch = new FrameBatch(5, 64);
  batch.timestamps.fill(-1n);
  batch.lengths.fill(1);
  batch.wireLengths.fill(2);
  batch.kinds.fill(3);
  batch.bytes.fill(4);
  expect([...batch.timestamps]).toEqual(Array(5).fill(-1n));
  expect([...batch.lengths]).toEqual(Array(5).fill(1));
  expect([...batch.wireLengths]).toEqual(Array(5).fill(2));
  expect([...batch.kinds]).toEqual(Array(5).fill(3));
  expect([batch.oversized, batch.refused, batch.lastRefusal]).toEqual([0, 0, 0]);
});

test.each([
  [0, 64],
  [65_537, 64],
  [1.5, 64],
  [1, 0],
  [1, (1 << 20) + 1],
  [Number.NaN, 64],
])('%d slots of %d bytes are refused', (slots, slotSize) => {
  expect(() => new FrameBatch(slots, slotSize)).toThrow(RangeError);
});

test('a frame longer than a slot, and a slot that is not there, are refused', () => {
  const batch = new FrameBatch(1, 64);
  expect(() => batch.set(0, new Uint8Array(65))).toThrow('frame length must be an integer from 0 to 64, not 65');
  expect(() => batch.set(1, new Uint8Array(1))).toThrow('index');
  expect(() => batch.frame(-1)).toThrow('index');
});
