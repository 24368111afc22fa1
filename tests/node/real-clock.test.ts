import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RealClock } from '#node/real-clock.ts';
import { Timer } from '#stack/env/clock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function armed(clock: RealClock, fired: string[], name: string, delay: number): Timer {
  const timer = new Timer(() => fired.push(name));
  clock.arm(timer, delay);
  return timer;
}

describe('the clock of the machine', () => {
  test('timers fire when they are due, those of one instant in the order they were armed', () => {
    const clock = new RealClock();
    const fired: string[] = [];
    armed(clock, fired, 'late', 20);
    armed(clock, fired, 'first', 10);
    armed(clock, fired, 'second', 10);
    vi.advanceTimersByTime(9);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['first', 'second']);
    vi.advanceTimersByTime(10);
    expect(fired).toEqual(['first', 'second', 'late']);
  });

  test('a disarmed timer does not fire, a rearmed one fires once', () => {
    const clock = new RealClock();
    const fired: string[] = [];
    const gone = armed(clock, fired, 'gone', 10);
    const moved = armed(clock, fired, 'moved', 10);
    clock.disarm(gone);
    clock.arm(moved, 30);
    vi.advanceTimersByTime(29);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(fired).toEqual(['moved']);
  });

  test('a delay of zero waits for the next turn, not for a millisecond, and lets others have theirs', () => {
    const clock = new RealClock();
    let rounds = 0;
    const timer: Timer = new Timer(() => {
      if (++rounds < 5) clock.arm(timer, 0);
    });
    clock.arm(timer, 0);
    expect(rounds).toBe(0);
    vi.advanceTimersByTime(0);
    vi.advanceTimersByTime(1);
    expect(rounds).toBeGreaterThan(0);
    vi.advanceTimersByTime(10);
    expect(rounds).toBe(5);
  });

  test('a wait longer than setTimeout takes is cut in pieces', () => {
    const clock = new RealClock();
    const fired: string[] = [];
    const days = 30 * 24 * 3600 * 1000;
    armed(clock, fired, 'month', days);
    vi.advanceTimersByTime(days - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual(['month']);
  });
});
