/** What is to happen later, in order of time; of one time, in the order in which it was put in. */
export interface Due {
  due: number;
}

/**
 * A sorted array with its first entry at `#first`: nearly all that a link holds is due in the order in which it came, so that
 * an entry is added at the end and taken from the front without moving others.
 */
export class Schedule<T extends Due> {
  #entries: T[] = [];
  #first = 0;

  get next(): number {
    return this.#entries[this.#first]?.due ?? Number.POSITIVE_INFINITY;
  }

  get length(): number {
    return this.#entries.length - this.#first;
  }

  add(entry: T): void {
    const entries = this.#entries;
    let at = entries.length;
    while (at > this.#first && entries[at - 1]!.due > entry.due) at--;
    if (at === entries.length) entries.push(entry);
    else entries.splice(at, 0, entry);
  }

  /** The first, if it is due by then. */
  take(now: number): T | undefined {
    const entry = this.#entries[this.#first];
    if (entry === undefined || entry.due > now) return undefined;
    this.#first++;
    if (this.#first === this.#entries.length) {
      this.#entries = [];
      this.#first = 0;
    } else if (this.#first >= 1024) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    }
    return entry;
  }

  remove(entry: T): void {
    const at = this.#entries.indexOf(entry, this.#first);
    if (at >= 0) this.#entries.splice(at, 1);
  }
}
