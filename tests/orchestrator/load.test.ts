/** What counts as a machine too busy to tell, with figures made up. */
import { describe, expect, test } from 'vitest';
import {
  crowdOf,
  type Load,
  loadText,
  overload,
  SLOTS,
  stealOf,
  waitingOf,
  worstSince,
  write,
} from '#orchestrator/load.ts';

const TOLERANCE = 250;
const IDLE: Load = { lateness: 0.3, eventLoop: 4, crowd: 0.4, waiting: 12, steal: 0, lost: 0 };

describe('a failure proves nothing', () => {
  test.each([
    ['a timer was late by more than half the tolerance', { lateness: 126 }, 'a timer was 126 ms late (limit 125)'],
    [
      'the orchestrator stood still for longer than the tolerance',
      { eventLoop: 251 },
      'the orchestrator stood still for 251 ms (limit 250)',
    ],
    ['more than five programs shared a processor', { crowd: 5.2 }, '5.2 programs wanted each processor (limit 5)'],
    [
      'there was a second with hardly a moment in which none waited',
      { waiting: 960 },
      'programs waited for a processor for 960 ms of one second (limit 950)',
    ],
    [
      'the hypervisor took more than half of it',
      { steal: 130 },
      'the hypervisor took 130 ms of one second (limit 125)',
    ],
    ['a capture lost a frame', { lost: 1 }, 'captures lost 1 frame'],
  ] as const)('where %s', (_, figures, reason) => {
    expect(overload({ ...IDLE, ...figures }, TOLERANCE)).toBe(reason);
  });
});

describe('a failure stands', () => {
  test('on a machine at rest', () => expect(overload(IDLE, TOLERANCE)).toBeUndefined());

  test('at the limits themselves', () => {
    const full = { lateness: 125, eventLoop: 250, crowd: 5, waiting: 950, steal: 125, lost: 0 };
    expect(overload(full, TOLERANCE)).toBeUndefined();
  });

  test('where the kernel tells nothing and the rest is well', () => {
    expect(overload({ lateness: 1, eventLoop: 1, lost: 0 }, TOLERANCE)).toBeUndefined();
  });
});

test('limits follow the tolerance, and all that is beyond is told', () => {
  const busy = { ...IDLE, lateness: 60, eventLoop: 110 };
  expect(overload(busy, TOLERANCE)).toBeUndefined();
  expect(overload(busy, 100)).toBe(
    'a timer was 60 ms late (limit 50), the orchestrator stood still for 110 ms (limit 100)',
  );
});

test('the report tells every figure that there is', () => {
  expect(loadText(IDLE)).toBe(
    'timers at most 0 ms late, event loop 4 ms, 0.4 programs a processor, waiting 12 ms of the worst second',
  );
  expect(loadText({ lateness: 3, eventLoop: 0, steal: 40, lost: 2 })).toBe(
    'timers at most 3 ms late, event loop 0 ms, stolen 40 ms of the worst second, 2 frames lost',
  );
});

describe('the ring of measurements', () => {
  const sample = (time: number, lateness: number, rest: { crowd?: number; waiting?: number; steal?: number } = {}) => ({
    time,
    lateness,
    crowd: rest.crowd,
    waiting: rest.waiting,
    steal: rest.steal,
  });

  test('gives the worst of each figure since a time, and not what was before', () => {
    const ring = new Float64Array(SLOTS * 5);
    write(ring, 0, sample(1000, 900, { crowd: 9, waiting: 999, steal: 99 }));
    write(ring, 1, sample(2000, 5, { crowd: 1, waiting: 30, steal: 0 }));
    write(ring, 2, sample(2100, 1, { crowd: 3, waiting: 10, steal: 0 }));
    expect(worstSince(ring, 1500)).toEqual({ lateness: 5, crowd: 3, waiting: 30, steal: 0 });
    expect(worstSince(ring, 500)).toEqual({ lateness: 900, crowd: 9, waiting: 999, steal: 99 });
  });

  test('has no figure that the kernel does not tell', () => {
    const ring = new Float64Array(SLOTS * 5);
    write(ring, 0, sample(1000, 2));
    expect(worstSince(ring, 1)).toEqual({ lateness: 2 });
    expect(worstSince(ring, 5000)).toEqual({ lateness: 0 });
  });
});

test("the kernel's own words are read, and others are none", () => {
  expect(waitingOf('some avg10=94.90 avg60=82.88 avg300=46.33 total=572080211\nfull avg10=0.00 total=0\n')).toBeCloseTo(
    572_080.211,
  );
  expect(stealOf('cpu  169302 370 73692 666347 2643 0 1037 156 0 0\ncpu0 1 2 3\n')).toBe(1560);
  expect(crowdOf('15.91 7.60 4.12 33/740 24002\n')).toBe(32);
  expect([waitingOf(''), stealOf(''), crowdOf('')]).toEqual([undefined, undefined, undefined]);
});
