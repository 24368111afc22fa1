/** A wire at work in a lab: its frames are recorded as they are sent, its faults told as events, and it is woken in time. */
import type { LinkRecord } from '../capture.ts';
import type { FaultHandle, LabEvent } from '../drivers/driver.ts';
import type { TopologyLink } from '../topology.ts';
import type { Fault } from './fault.ts';
import { Wire } from './wire.ts';

export interface LineOptions {
  readonly link: TopologyLink;
  /** The lab's. */
  readonly seed: number;
  /** Keeps what is sent; undefined: nobody looks. */
  readonly record: LinkRecord | undefined;
  /** The lab's time. */
  readonly now: () => number;
  /** `release` is to be called then, and not before; Infinity: no more. */
  readonly wake: (time: number) => void;
  /** To one end of the link, or (ALL) to all but `from`. */
  readonly deliver: (bytes: Uint8Array, from: number, to: number) => void;
  readonly tell: (event: LabEvent) => void;
}

/** Two times that are computed in different ways are the same. Milliseconds. */
const EXACT = 1e-6;

export class Line {
  readonly #wire: Wire;
  readonly #options: LineOptions;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(options: LineOptions) {
    const { link, seed, deliver, tell, now, record } = options;
    this.#options = options;
    this.#wire = new Wire({
      link: link.name,
      medium: link.medium,
      ends: link.ends,
      seed,
      deliver,
      tell: ({ time, from = '', ...event }) => {
        tell({ time, node: from, type: 'fault', ...event });
      },
    });
    for (const fault of link.faults) this.#wire.place(fault, now());
    record?.carriedBy(this);
    this.#wakeInTime();
  }

  get faults(): readonly FaultHandle[] {
    return this.#wire.faults;
  }

  place(fault: Fault): FaultHandle {
    const handle = this.#wire.place(fault, this.#options.now());
    this.#wakeInTime();
    return {
      name: handle.name,
      optional: handle.optional,
      get fired() {
        return handle.fired;
      },
      remove: () => {
        handle.remove();
        this.#wakeInTime();
      },
    };
  }

  /** Where an untouched frame is to go. */
  destination(bytes: Uint8Array, from: number): number {
    return this.#wire.destination(bytes, from);
  }

  /** True: the frame goes on as it is. The bytes are only lent. */
  transmit(bytes: Uint8Array, from: number): boolean {
    const { record, now, link } = this.#options;
    const time = now();
    const frame = record?.frame(time, bytes.slice(), link.ends[from]!.node);
    const untouched = this.#wire.transmit(bytes, from, time, frame);
    if (frame !== undefined) record!.push(frame);
    this.#wakeInTime();
    return untouched;
  }

  /** Whatever is due. */
  release(): void {
    const now = this.#options.now();
    const { due } = this.#wire;
    this.#wire.release(due - now < EXACT ? Math.max(due, now) : now);
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#wakeInTime();
  }

  /** What is due, or Infinity. */
  get due(): number {
    return this.#wire.due;
  }

  #wakeInTime(): void {
    const { due } = this.#wire;
    if (due === this.#wakeAt) return;
    this.#wakeAt = due;
    this.#options.wake(due);
  }
}
