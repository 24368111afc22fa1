import { expect, test } from 'vitest';
import { HEADROOM } from '#stack/packet/packet.ts';
import { LARGE, Pool, SMALL } from '#stack/packet/pool.ts';

test('a packet given back is taken again, as new', () => {
  const pool = new Pool();
  const first = pool.take(100);
  first.tail += 100;
  first.pull(40);
  first.linkMulticast = true;
  first.checksum = 'good';
  first.segmentKind = 'tcp6';
  first.give();
  const again = pool.take(100);
  expect(again).toBe(first);
  expect(again).toMatchObject({ head: HEADROOM, tail: HEADROOM, linkMulticast: false, checksum: 'unknown' });
  expect(again.segmentKind).toBe('none');
  expect(pool.outstanding).toBe(1);
});

test('a packet given back twice is a bug, and said to be one', () => {
  const pool = new Pool();
  const pkt = pool.take(1);
  pkt.give();
  expect(() => pkt.give()).toThrow('given back twice');
});

test('there is room for what was asked behind the headroom, whatever its size', () => {
  const pool = new Pool();
  for (const length of [0, SMALL - HEADROOM, SMALL - HEADROOM + 1, LARGE - HEADROOM, LARGE, 131_072]) {
    expect(pool.take(length).tailroom).toBeGreaterThanOrEqual(length);
  }
});

test('what is kept when idle is bounded by memory: one large buffer for 32 small ones, and none of its own size', () => {
  const pool = new Pool({ limit: 32 });
  const large = [pool.take(60_000), pool.take(60_000)];
  const jumbo = pool.take(131_072);
  for (const pkt of [...large, jumbo]) pkt.give();
  const again = [pool.take(60_000), pool.take(60_000)];
  expect(large.filter((pkt) => again.includes(pkt))).toHaveLength(1);
  expect(pool.take(131_072)).not.toBe(jumbo);
});
