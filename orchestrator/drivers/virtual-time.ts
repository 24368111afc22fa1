/**
 * Virtual time for asynchronous code: while some of it waits for the lab, events happen one after the other; when one
 * of them ends a wait, time stands still until the code that waited has gone on to its next wait.
 */
import type { Timer } from '#stack/env/clock.ts';
import type { VirtualClock } from '#stack/env/virtual-clock.ts';

export class VirtualTime {
  readonly clock: VirtualClock;
  readonly #waits = new Set<Wait>();
  #pumping = false;
  #over: Error | undefined;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  /**
   * Lets time pass until `look` gives something other than undefined; it is asked after every event. A `timer` of the
   * wait's own, if any, is disarmed at its end. Rejects with what `look` throws, and when nothing is left that could happen.
   */
  wait<T>(look: () => T | undefined, timer?: Timer): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const disarm = (): void => {
      if (timer !== undefined) this.clock.disarm(timer);
    };
    const wait: Wait = {
      tried: () => {
        let value: T | undefined;
        try {
          value = look();
        } catch (error) {
          wait.reject(error);
          return true;
        }
        if (value === undefined) return false;
        disarm();
        resolve(value);
        return true;
      },
      reject: (reason) => {
        disarm();
        reject(reason);
      },
    };
    if (this.#over !== undefined) {
      wait.reject(this.#over);
      return promise;
    }
    this.#waits.add(wait);
    if (!this.#pumping) {
      this.#pumping = true;
      setImmediate(() => this.#pump());
    }
    return promise;
  }

  /** No more time passes: the lab is down. */
  stop(reason: Error): void {
    this.#over = reason;
    this.end(reason);
  }

  /** Ends all waits there are. */
  end(reason: Error): void {
    for (const wait of this.#waits) wait.reject(reason);
    this.#waits.clear();
  }

  #pump(): void {
    try {
      if (this.#settle()) {
        this.#goOn();
        return;
      }
      while (this.#waits.size > 0) {
        if (!this.clock.step()) {
          this.end(new Error('nothing is left to happen in virtual time, and a wait goes on'));
          return;
        }
        if (this.#settle()) break;
      }
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)));
    }
    this.#goOn();
  }

  /** The code that waited runs in between, and may wait again. */
  #goOn(): void {
    if (this.#waits.size > 0) {
      setImmediate(() => this.#pump());
      return;
    }
    // nobody waits at the moment: a continuation of an ended wait may be about to
    this.#pumping = false;
  }

  #settle(): boolean {
    let settled = false;
    for (const wait of this.#waits) {
      if (!wait.tried()) continue;
      this.#waits.delete(wait);
      settled = true;
    }
    return settled;
  }
}

interface Wait {
  readonly tried: () => boolean;
  readonly reject: (reason: unknown) => void;
}
