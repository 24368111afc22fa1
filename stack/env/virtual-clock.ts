import { type Clock, type Timer, TimerHeap } from './clock.ts';

/** Virtual time: stands still until told to run. Hours of protocol time pass in milliseconds. */
export class VirtualClock implements Clock {
  now: number;
  readonly #timers = new TimerHeap();

  constructor(start = 0) {
    this.now = start;
  }

  arm(timer: Timer, delay: number): void {
    this.#timers.add(timer, this.now + Math.max(0, delay));
  }

  disarm(timer: Timer): void {
    this.#timers.remove(timer);
  }

  /** When the next timer is due, or undefined with none armed. */
  get next(): number | undefined {
    return this.#timers.first()?.due;
  }

  /** Fire the next timer, if it is due by `limit`. */
  step(limit = Number.POSITIVE_INFINITY): boolean {
    const timer = this.#timers.first();
    if (timer === undefined || timer.due > limit) return false;
    this.#timers.remove(timer);
    this.now = timer.due;
    timer.fire();
    return true;
  }

  /** Let `duration` milliseconds pass. */
  run(duration: number): void {
    const end = this.now + duration;
    while (this.step(end));
    this.now = end;
  }
}
