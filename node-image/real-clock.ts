import { type Clock, type Timer, TimerHeap } from '#stack/env/clock.ts';

/** setTimeout takes no more; a longer wait is cut in pieces. */
const LONGEST = 0x7fff_ffff;

/** The clock of the machine: monotonic milliseconds with a fraction. One timeout of the event loop serves all timers. */
export class RealClock implements Clock {
  readonly #timers = new TimerHeap();
  #timeout: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  /** When the timeout comes, in `now`'s milliseconds. */
  #wakes = Number.POSITIVE_INFINITY;
  readonly #onTimeout = (): void => this.#fireDue();

  get now(): number {
    return performance.now();
  }

  arm(timer: Timer, delay: number): void {
    this.#timers.add(timer, this.now + Math.max(0, delay));
    this.#schedule();
  }

  disarm(timer: Timer): void {
    // a timeout that finds nothing due is cheaper than moving it at every change
    this.#timers.remove(timer);
  }

  #schedule(): void {
    const first = this.#timers.first();
    if (first === undefined || first.due >= this.#wakes) return;
    clearTimeout(this.#timeout);
    clearImmediate(this.#immediate);
    this.#wakes = first.due;
    const wait = Math.ceil(first.due - this.now);
    // a timeout of 0 takes more than a millisecond, and lo0 needs one for each packet
    if (wait <= 0) this.#immediate = setImmediate(this.#onTimeout);
    else this.#timeout = setTimeout(this.#onTimeout, Math.min(LONGEST, wait));
  }

  /** All that are due by now, in order; what they arm for now waits for the next turn, so that input is not starved. */
  #fireDue(): void {
    this.#wakes = Number.POSITIVE_INFINITY;
    const { now } = this;
    for (;;) {
      const timer = this.#timers.first();
      if (timer === undefined || timer.due > now) break;
      this.#timers.remove(timer);
      timer.fire();
    }
    this.#schedule();
  }
}
