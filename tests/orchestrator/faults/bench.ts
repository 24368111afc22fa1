/** A wire in a test's hand: what is sent over it, when, and what comes out at which end. */

import type { FaultHandle } from '#orchestrator/drivers/driver.ts';
import { parseFault } from '#orchestrator/faults/fault.ts';
import type { FaultSource } from '#orchestrator/faults/fault-schema.ts';
import { ALL, type FaultEvent, Wire } from '#orchestrator/faults/wire.ts';
import { concat, echoRequest, type Layer, packet } from '#tests/support/packets.ts';

const MACS = [0x0a, 0x0b, 0x0c].map((last) => Uint8Array.of(2, 0, 0, 0, 0, last));
const NAMES = ['a', 'b', 'c'];
export const [A, B, C] = [0, 1, 2] as const;
const ADDRESSES = ['2001:db8::a', '2001:db8::b', '2001:db8::c'];

export interface Arrival {
  readonly time: number;
  readonly from: number;
  /** -1: to all others. */
  readonly to: number;
  readonly bytes: Uint8Array;
  /** It passed without being touched. */
  readonly whole: boolean;
}

export class Bench {
  readonly wire: Wire;
  readonly arrivals: Arrival[] = [];
  readonly events: FaultEvent[] = [];
  readonly #ends: { node: string; interface: string }[];
  now = 0;

  constructor({ ends = 2, seed = 1 }: { ends?: number; seed?: number } = {}) {
    this.#ends = NAMES.slice(0, ends).map((node) => ({ node, interface: 'eth0' }));
    this.wire = new Wire({
      link: 'ab',
      medium: 'ethernet',
      ends: this.#ends,
      seed,
      deliver: (bytes, from, to) => this.arrivals.push({ time: this.now, from, to, bytes, whole: false }),
      tell: (event) => this.events.push(event),
    });
  }

  place(source: FaultSource): FaultHandle {
    return this.wire.place(parseFault(source, this.#ends), this.now);
  }

  /** At `time`, with everything that is due before. */
  send(from: number, bytes: Uint8Array, time = this.now): void {
    this.run(time);
    if (this.wire.transmit(bytes, from, time)) {
      this.arrivals.push({ time, from, to: this.wire.destination(bytes, from), bytes, whole: true });
    }
    this.run(time);
  }

  run(until: number): void {
    while (this.wire.due <= until) {
      this.now = Math.max(this.now, this.wire.due);
      this.wire.release(this.now);
    }
    this.now = until;
  }

  /** `seq` of each echo that arrived, in order. */
  get sequence(): number[] {
    return this.arrivals.map(({ bytes }) => seqOf(bytes));
  }

  get times(): number[] {
    return this.arrivals.map(({ time }) => Number(time.toFixed(6)));
  }

  get told(): string[] {
    return this.events.map(({ time, from, what }) => `${Number(time.toFixed(6))} ${from ?? '-'} ${what}`);
  }
}

const seqOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint16(14 + 40 + 6);

/** From one end of the link to another, B unless told, or to a group. */
export function frame(
  from: number,
  layers: readonly Layer[],
  { to = 1 - from, group }: { to?: number; group?: string } = {},
) {
  const dst = group === undefined ? MACS[to]! : Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
  const ip = packet({ src: ADDRESSES[from]!, dst: group ?? ADDRESSES[to]! }, ...layers);
  return concat(dst, MACS[from]!, Uint8Array.of(0x86, 0xdd), ip);
}

export const echo = (seq: number, { from = A, to, size = 8 }: { from?: number; to?: number; size?: number } = {}) =>
  frame(from, [echoRequest(size, 1, seq)], to === undefined ? {} : { to });

export { ALL };
