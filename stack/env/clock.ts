/**
 * Time, always passed in. Milliseconds; `now` starts anywhere and never goes back.
 *
 * Timers due at the same instant fire in the order in which they were armed, so one seed gives one run.
 */
export interface Clock {
  /** Milliseconds, may have a fraction. */
  readonly now: number;
  /** (Re)arm: the timer fires once, `delay` milliseconds from now. A negative delay counts as 0. */
  arm(timer: Timer, delay: number): void;
  disarm(timer: Timer): void;
}

/** Made once by its owner (never per packet), armed as often as needed. */
export class Timer {
  readonly fire: () => void;
  /** When it fires, in the clock's milliseconds; meaningless while not armed. */
  due = 0;
  /** Order among timers of the same instant. */
  sequence = 0;
  /** Place in the heap, -1 while not armed. */
  place = -1;

  constructor(fire: () => void) {
    this.fire = fire;
  }

  get armed(): boolean {
    return this.place >= 0;
  }
}

/** A binary heap of timers by (due, sequence): the part that virtual and real clocks share. */
export class TimerHeap {
  readonly #heap: Timer[] = [];
  #sequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  first(): Timer | undefined {
    return this.#heap[0];
  }

  add(timer: Timer, due: number): void {
    if (timer.place >= 0) this.remove(timer);
    timer.due = due;
    timer.sequence = this.#sequence++;
    this.#heap.push(timer);
    this.#up(timer, this.#heap.length - 1);
  }

  remove(timer: Timer): void {
    const at = timer.place;
    if (at < 0) return;
    timer.place = -1;
    const last = this.#heap.pop()!;
    if (last === timer) return;
    this.#up(last, at);
    this.#down(last, last.place);
  }

  #up(timer: Timer, from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt]!;
      if (!before(timer, parent)) break;
      heap[at] = parent;
      parent.place = at;
      at = parentAt;
    }
    heap[at] = timer;
    timer.place = at;
  }

  #down(timer: Timer, from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let childAt = 2 * at + 1;
      if (childAt >= heap.length) break;
      if (childAt + 1 < heap.length && before(heap[childAt + 1]!, heap[childAt]!)) childAt++;
      const child = heap[childAt]!;
      if (!before(child, timer)) break;
      heap[at] = child;
      child.place = at;
      at = childAt;
    }
    heap[at] = timer;
    timer.place = at;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.sequence < b.sequence);
}
