/**
 * A link in software: takes what its ends send and says what becomes of it. It has no clock and no socket: who runs it
 * tells the time and carries the frames, in virtual time as on real links, so that one seed and the same frames at the same
 * times give the same faults in either.
 *
 *   transmit(bytes, from, now) -> true    the frame goes on as it is, at once; the caller's own buffer was not touched
 *                              -> false   the wire took a copy of what it wants, and brings it back through `deliver`
 *   release(now)                          whatever is due by now is delivered; `due` says when to come next
 *
 * Faults lie one behind the other in the order in which they are written: the second gets what the first lets through, when
 * it lets it through.
 */
import { dump } from '#stack/wire/dump.ts';
import type { FaultHandle } from '../drivers/driver.ts';
import type { Fault } from './fault.ts';
import { Seen } from './match.ts';
import { type Due, Schedule } from './schedule.ts';
import { type End, Stage, type Surroundings } from './stage.ts';
import { timeText } from './units.ts';

/** What a fault did. */
export interface FaultEvent {
  readonly time: number;
  readonly link: string;
  /** Its name. */
  readonly fault: string;
  /** `lost`, `delayed by 30 ms`, `link down`. */
  readonly what: string;
  /** Who sent the frame; undefined where it is about none. */
  readonly from: string | undefined;
  /** The frame in a line. */
  readonly frame: string | undefined;
}

export interface WireOptions {
  readonly link: string;
  readonly medium: 'ethernet' | 'tun';
  readonly ends: readonly End[];
  readonly seed: number;
  /** A frame goes out, to one end or (ALL) to every end but `from`. The bytes are the callee's. */
  readonly deliver: (bytes: Uint8Array, from: number, to: number) => void;
  /** The first `TOLD` strikes of each fault, and every turn of the link. */
  readonly tell?: (event: FaultEvent) => void;
}

/** What a record of a frame keeps of its fate. */
export interface Marked {
  fault: string | undefined;
}

export const ALL = -1;
/** Strikes told of one fault; all are counted. */
const TOLD = 1000;
/** A frame held back for others that never come goes on after this. Milliseconds. */
const LONGEST_HOLD = 1000;
/** Bytes and frames held in all; more are lost, as in a full switch. */
const ROOM = { bytes: 64 << 20, frames: 65_536 };
/** Stations whose end is known; of more, frames go to every end. */
const STATIONS = 1024;

/** A frame under way that the wire holds itself. */
interface Passage {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly mark: Marked | undefined;
}

/** A frame to go on behind a stage (undefined: to be delivered), or (no passage) a turn of a link that goes down or up. */
interface Entry extends Due {
  readonly passage: Passage | undefined;
  readonly stage: Stage<Entry> | undefined;
}

export class Wire {
  /** Frames lost for want of room. */
  overflowed = 0;
  readonly #options: WireOptions;
  readonly #surroundings: Surroundings;
  readonly #seen: Seen;
  readonly #schedule = new Schedule<Entry>();
  readonly #placed: Stage<Entry>[] = [];
  /** Those still on the link. */
  #stages: readonly Stage<Entry>[] = [];
  readonly #stations = new Map<number, number>();
  #heldBytes = 0;
  /** As last told. */
  #now = 0;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#surroundings = options;
    this.#seen = new Seen(options.medium);
    for (const [at, { mac }] of options.ends.entries())
      if (mac !== undefined && options.medium === 'ethernet')
        this.#stations.set(Number.parseInt(mac.replaceAll(':', ''), 16), at);
  }

  /** All that were ever on the link. */
  get faults(): readonly FaultHandle[] {
    return this.#placed.map((stage) => this.#handle(stage));
  }

  place(fault: Fault, now: number): FaultHandle {
    const stage = new Stage<Entry>(fault, this.#surroundings, now, this.#placed.length);
    this.#placed.push(stage);
    this.#stages = [...this.#stages, stage];
    if (stage.downAt(now)) this.#turn(stage, now);
    else this.#awaitTurn(stage, now);
    return this.#handle(stage);
  }

  /** When `release` has something to do; Infinity: not before another frame comes. */
  get due(): number {
    return this.#schedule.next;
  }

  /** Where a frame is to go, as far as the sources of earlier ones tell; ALL otherwise. */
  destination(bytes: Uint8Array, from: number): number {
    if (this.#options.ends.length === 2) return 1 - from;
    if (this.#options.medium !== 'ethernet' || bytes.length < 14 || (bytes[0]! & 1) !== 0) return ALL;
    return this.#stations.get(station(bytes, 0)) ?? ALL;
  }

  transmit(bytes: Uint8Array, from: number, now: number, mark?: Marked): boolean {
    this.release(now);
    if (this.#options.ends.length > 2) this.#learn(bytes, from);
    const stages = this.#stages;
    if (stages.length === 0) return true;
    this.#seen.is(bytes);
    for (let at = 0; at < stages.length; at++) {
      const stage = stages[at]!;
      if (stage.to !== undefined && !this.#reaches(stage.to, bytes, from)) continue;
      if (stage.strikes(this.#seen, from, now)) {
        this.#strike(stage, { bytes: bytes.slice(), from, to: ALL, mark }, at, now);
        return false;
      }
      if (stage.holding > 0) this.#passed(stage, from, now);
    }
    return true;
  }

  release(now: number): void {
    this.#now = now;
    for (let entry = this.#schedule.take(now); entry !== undefined; entry = this.#schedule.take(now)) {
      const { passage, stage, due } = entry;
      if (passage === undefined) {
        if (!stage!.over) this.#turn(stage!, due);
        continue;
      }
      this.#heldBytes -= passage.bytes.length;
      if (stage === undefined) this.#options.deliver(passage.bytes, passage.from, passage.to);
      else {
        stage.held[passage.from] = stage.held[passage.from]!.filter((held) => held.entry !== entry);
        stage.holding--;
        this.#goOn(passage, this.#stages.indexOf(stage) + 1, due, now);
        if (stage.over) this.#leave(stage);
      }
    }
  }

  // Along the stages

  /** From the stage at `index` on, at a time that may lie ahead of `now`. */
  #goOn(passage: Passage, index: number, time: number, now: number): void {
    const stages = this.#stages;
    this.#seen.is(passage.bytes);
    for (let at = index; at < stages.length; at++) {
      const stage = stages[at]!;
      if (this.#meets(stage, passage) && stage.strikes(this.#seen, passage.from, time)) {
        return this.#strike(stage, passage, at, time, now);
      }
      if (stage.holding > 0) this.#passed(stage, passage.from, time);
    }
    if (time > now) this.#hold(passage, undefined, time);
    else this.#options.deliver(passage.bytes, passage.from, passage.to);
  }

  #meets({ to }: Stage<Entry>, { bytes, from, to: end }: Passage): boolean {
    if (to === undefined) return true;
    return end === ALL ? this.#reaches(to, bytes, from) : to[end]!;
  }

  #strike(stage: Stage<Entry>, passage: Passage, at: number, time: number, now = time): void {
    if (stage.to !== undefined && passage.to === ALL) return this.#part(stage, stage.to, passage, at, time, now);
    stage.fired++;
    const { action } = stage.fault;
    const { bytes, from } = passage;
    switch (action.type) {
      case 'drop':
      case 'loss':
      case 'mtu':
      case 'down':
        return this.#tell(stage, time, passage, 'lost');
      case 'duplicate': {
        this.#tell(stage, time, passage, action.copies === 1 ? 'sent twice' : `sent ${action.copies + 1} times`);
        const copies = Array.from({ length: action.copies }, () => ({ ...passage, bytes: bytes.slice() }));
        for (const one of [passage, ...copies]) this.#goOn(one, at + 1, time, now);
        return;
      }
      case 'corrupt': {
        const before = summary(bytes, this.#options.medium);
        const bits = stage.spoil(bytes);
        const which =
          bits.length > 8 ? `${bits.length} bits` : `${bits.length === 1 ? 'bit' : 'bits'} ${bits.join(', ')}`;
        this.#tell(stage, time, passage, `spoiled at ${which}`, before);
        return this.#goOn(passage, at + 1, time, now);
      }
      case 'delay': {
        const due = stage.delayed(from, time);
        this.#tell(stage, time, passage, `delayed by ${timeText(due - time)}`);
        return this.#goOn(passage, at + 1, due, now);
      }
      case 'rate': {
        const due = stage.sent(bytes.length, from, time);
        if (due === undefined) return this.#tell(stage, time, passage, 'lost: the queue is full');
        this.#tell(stage, time, passage, `delayed by ${timeText(due - time)}`);
        return this.#goOn(passage, at + 1, due, now);
      }
      case 'reorder': {
        if (action.hold !== undefined) {
          this.#tell(stage, time, passage, `held back for ${timeText(action.hold)}`);
          return this.#goOn(passage, at + 1, time + action.hold, now);
        }
        this.#tell(
          stage,
          time,
          passage,
          `held back for ${action.frames === 1 ? 'one frame' : `${action.frames} frames`}`,
        );
        const entry = this.#hold(passage, stage, time + LONGEST_HOLD);
        if (entry === undefined) return;
        stage.held[from]!.push({ entry, left: action.frames });
        stage.holding++;
      }
    }
  }

  /** Only some ends' copies of a frame are struck: from here on each goes its own way. */
  #part(
    stage: Stage<Entry>,
    struck: readonly boolean[],
    passage: Passage,
    at: number,
    time: number,
    now: number,
  ): void {
    const known = this.destination(passage.bytes, passage.from);
    for (const end of this.#options.ends.keys()) {
      if (end === passage.from || (known !== ALL && known !== end)) continue;
      const copy = { ...passage, bytes: passage.bytes.slice(), to: end };
      if (struck[end]) this.#strike(stage, copy, at, time, now);
      else this.#goOn(copy, at + 1, time, now);
    }
  }

  #reaches(to: readonly boolean[], bytes: Uint8Array, from: number): boolean {
    const destination = this.destination(bytes, from);
    return destination === ALL ? to.some((is, end) => is && end !== from) : to[destination]!;
  }

  #passed(stage: Stage<Entry>, from: number, time: number): void {
    for (const held of stage.held[from]!) {
      if (held.left === 0 || --held.left > 0) continue;
      // behind the frame that passes now
      this.#schedule.remove(held.entry);
      held.entry.due = time;
      this.#schedule.add(held.entry);
    }
  }

  #hold(passage: Passage, stage: Stage<Entry> | undefined, due: number): Entry | undefined {
    if (this.#schedule.length >= ROOM.frames || this.#heldBytes + passage.bytes.length > ROOM.bytes) {
      this.overflowed++;
      return undefined;
    }
    this.#heldBytes += passage.bytes.length;
    const entry = { due, passage, stage };
    this.#schedule.add(entry);
    return entry;
  }

  #learn(bytes: Uint8Array, from: number): void {
    if (this.#options.medium !== 'ethernet' || bytes.length < 14 || (bytes[6]! & 1) !== 0) return;
    const source = station(bytes, 6);
    if (this.#stations.get(source) === from) return;
    if (this.#stations.size < STATIONS || this.#stations.has(source)) this.#stations.set(source, from);
  }

  // What is said of it

  #turn(stage: Stage<Entry>, now: number): void {
    this.#options.tell?.({
      time: now,
      link: this.#options.link,
      fault: stage.fault.name,
      what: stage.downAt(now) ? 'link down' : 'link up',
      from: undefined,
      frame: undefined,
    });
    this.#awaitTurn(stage, now);
  }

  #awaitTurn(stage: Stage<Entry>, now: number): void {
    const due = stage.turnAfter(now);
    if (due < Number.POSITIVE_INFINITY) this.#schedule.add({ due, passage: undefined, stage });
  }

  #tell(stage: Stage<Entry>, time: number, passage: Passage, what: string, frame?: string): void {
    const { bytes, from, to, mark } = passage;
    const { link, ends, medium } = this.#options;
    const whose = to === ALL ? what : `${what}, on its way to ${ends[to]!.node}`;
    if (mark !== undefined) mark.fault = mark.fault === undefined ? whose : `${mark.fault}; ${whose}`;
    if (stage.fired > TOLD) return;
    this.#options.tell?.({
      time,
      link,
      fault: stage.fault.name,
      what: stage.fired === TOLD ? `${whose}; what it does from now on is only counted` : whose,
      from: ends[from]!.node,
      frame: frame ?? summary(bytes, medium),
    });
  }

  #handle(stage: Stage<Entry>): FaultHandle {
    return {
      name: stage.fault.name,
      optional: stage.fault.optional,
      get fired() {
        return stage.fired;
      },
      remove: () => this.#remove(stage),
    };
  }

  #remove(stage: Stage<Entry>): void {
    if (stage.over) return;
    stage.over = true;
    for (const { entry } of stage.held.flat()) {
      this.#schedule.remove(entry);
      entry.due = this.#now;
      this.#schedule.add(entry);
    }
    this.#leave(stage);
  }

  /** It keeps its place while it has frames that go on behind it. */
  #leave(stage: Stage<Entry>): void {
    if (stage.holding === 0) this.#stages = this.#stages.filter((one) => one !== stage);
  }
}

const summary = (bytes: Uint8Array, medium: 'ethernet' | 'tun'): string =>
  dump(bytes, medium === 'tun' ? 'raw' : 'ethernet');

/** 48 bits fit a double. */
const station = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! * 256 + bytes[at + 1]!) * 2 ** 32 +
  (((bytes[at + 2]! << 24) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!) >>> 0);
