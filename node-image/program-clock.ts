import type { Clock, Timer } from '#stack/env/clock.ts';

/** The clock as one program sees it: at its end all its timers are disarmed, and it arms no more. */
export class ProgramClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock.now;
  }

  arm(timer: Timer, delay: number): void {
    if (this.#ended) return;
    this.#timers.add(timer);
    this.#clock.arm(timer, delay);
  }

  disarm(timer: Timer): void {
    this.#clock.disarm(timer);
    this.#timers.delete(timer);
  }

  end(): void {
    this.#ended = true;
    for (const timer of this.#timers) this.#clock.disarm(timer);
    this.#timers.clear();
  }
}
