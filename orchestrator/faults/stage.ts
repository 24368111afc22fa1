/** One fault on one link: which frames it takes, what it remembers of them, and how often it struck. */
import type { Fault } from './fault.ts';
import { rangeOf } from './fields.ts';
import { type Question, questionOf, type Seen } from './match.ts';
import { Chance } from './random.ts';

/** A time computed in two ways differs by less. Milliseconds. */
const EXACT = 1e-6;

export interface End {
  readonly node: string;
  readonly interface: string;
  /** Of an Ethernet link, where it is known before it speaks: `02:00:5e:10:00:01`. */
  readonly mac?: string;
}

/** What a stage asks the wire about. */
export interface Surroundings {
  readonly medium: 'ethernet' | 'tun';
  readonly ends: readonly End[];
  readonly seed: number;
  readonly link: string;
}

/** A frame that is held back until others have passed. */
export interface Held<T> {
  readonly entry: T;
  /** Frames that are still to pass. */
  left: number;
}

export class Stage<T> {
  readonly fault: Fault;
  readonly chance: Chance;
  /** Since when the fault is on the link. */
  readonly origin: number;
  /** Of `to`: the ends whose copy of a frame it takes; undefined: the frame as a whole. */
  readonly to: readonly boolean[] | undefined;
  /** Taken off the link again. */
  over = false;
  fired = 0;
  /** Of `reorder`, by direction. */
  readonly held: Held<T>[][];
  holding = 0;
  readonly #surroundings: Surroundings;
  readonly #from: readonly boolean[] | undefined;
  readonly #question: Question | undefined;
  readonly #lastNth: number;
  #matched = 0;
  /** Of `loss`, by direction: in its bad state. */
  readonly #bad: boolean[];
  /** Of `delay`, by direction: when the last frame is let go. */
  readonly #last: number[];
  /** Of `rate`, by direction. */
  readonly #bottlenecks: Bottleneck[];

  /** `number` tells faults of one name apart. */
  constructor(fault: Fault, surroundings: Surroundings, origin: number, number: number) {
    const { ends, seed, link } = surroundings;
    this.fault = fault;
    this.origin = origin;
    this.#surroundings = surroundings;
    this.chance = new Chance(seed, `${link}/${fault.name}/${number}`);
    const from = endsOf(fault.from, ends);
    const to = endsOf(fault.to, ends);
    // of two ends, to one is from the other
    const cable = ends.length === 2 && to !== undefined;
    this.#from = cable ? to.map((is, at) => !is && (from?.[at] ?? true)) : from;
    this.to = cable ? undefined : to;
    this.#question = questionOf(fault.match);
    this.#lastNth = fault.nth === undefined ? Number.POSITIVE_INFINITY : Math.max(...fault.nth);
    this.held = ends.map(() => []);
    this.#bad = ends.map(() => false);
    this.#last = ends.map(() => 0);
    this.#bottlenecks = ends.map(() => new Bottleneck());
  }

  /** Whether the fault strikes this frame. Asked once for each frame: it counts, and draws. */
  strikes(seen: Seen, from: number, now: number): boolean {
    const { fault } = this;
    const time = now - this.origin + EXACT;
    if (
      this.over ||
      time < fault.after ||
      time >= fault.until ||
      this.fired >= fault.times ||
      this.#matched >= this.#lastNth
    ) {
      return false;
    }
    if (this.#from !== undefined && !this.#from[from]!) return false;
    if (this.#question !== undefined && !this.#question(seen)) return false;
    if (!this.#able(seen, now)) return false;
    this.#matched++;
    if (fault.nth !== undefined && !fault.nth.includes(this.#matched)) return false;
    if (fault.every > 1 && this.#matched % fault.every !== 0) return false;
    if (fault.probability < 1 && this.chance.next() >= fault.probability) return false;
    return fault.action.type === 'loss' ? this.#loses(from) : true;
  }

  /** What else the action wants of a frame. */
  #able(seen: Seen, now: number): boolean {
    const { action } = this.fault;
    const { medium } = this.#surroundings;
    switch (action.type) {
      case 'mtu':
        return seen.bytes.length - (medium === 'ethernet' ? 14 : 0) > action.mtu;
      case 'down':
        return this.downAt(now);
      case 'corrupt':
        return action.field === undefined
          ? seen.bytes.length > (medium === 'ethernet' ? 14 : 0)
          : rangeOf(seen.bytes, medium, action.field) !== undefined;
      default:
        return true;
    }
  }

  #loses(from: number): boolean {
    const { action } = this.fault;
    if (action.type !== 'loss') return false;
    const bad = this.#bad[from]!;
    if (action.enter > 0)
      this.#bad[from] = bad ? this.chance.next() >= action.leave : this.chance.next() < action.enter;
    return this.chance.next() < (this.#bad[from] ? action.bad : action.good);
  }

  // down

  downAt(now: number): boolean {
    const { action, after, until } = this.fault;
    const time = now - this.origin + EXACT;
    if (action.type !== 'down' || time < after || time >= until) return false;
    const since = time - after;
    return action.up === Number.POSITIVE_INFINITY
      ? since < action.down
      : since % (action.down + action.up) < action.down;
  }

  /** When the link next goes down or up, after `now`; Infinity: never again. */
  turnAfter(now: number): number {
    const { action, after, until } = this.fault;
    if (action.type !== 'down') return Number.POSITIVE_INFINITY;
    const start = this.origin + after;
    const end = this.origin + until;
    if (now < start) return start;
    const period = action.down + action.up;
    const round = period === Number.POSITIVE_INFINITY ? 0 : Math.floor((now - start + EXACT) / period);
    for (let at = round; at <= round + 1; at++) {
      const begin = at === 0 ? start : start + at * period;
      for (const turn of [begin, begin + action.down]) {
        if (turn <= now) continue;
        if (turn < end) return turn;
        return now < end && this.downAt(now) ? end : Number.POSITIVE_INFINITY;
      }
    }
    return Number.POSITIVE_INFINITY;
  }

  // delay and rate: when a frame that arrives at `now` goes on

  delayed(from: number, now: number): number {
    const { action } = this.fault;
    if (action.type !== 'delay') return now;
    const { delay, jitter, overtake } = action;
    const spread = jitter === 0 ? 0 : jitter * (2 * this.chance.next() - 1);
    const due = now + Math.max(0, delay + spread);
    if (overtake) return due;
    this.#last[from] = Math.max(due, this.#last[from]!);
    return this.#last[from];
  }

  /** Undefined: the queue is full. */
  sent(length: number, from: number, now: number): number | undefined {
    const { action } = this.fault;
    if (action.type !== 'rate') return now;
    return this.#bottlenecks[from]!.send(length, now, action);
  }

  // corrupt

  /** Flips bits in place; which ones. */
  spoil(bytes: Uint8Array): number[] {
    const { action } = this.fault;
    if (action.type !== 'corrupt') return [];
    const { medium } = this.#surroundings;
    const link = medium === 'ethernet' ? 14 : 0;
    const packet = { at: link, length: bytes.length - link };
    const range = (action.field === undefined ? undefined : rangeOf(bytes, medium, action.field)) ?? packet;
    const flipped = new Set<number>();
    const wanted = Math.min(action.bits, range.length * 8);
    while (flipped.size < wanted) flipped.add(range.at * 8 + this.chance.below(range.length * 8));
    for (const bit of flipped) bytes[bit >> 3] = bytes[bit >> 3]! ^ (0x80 >> (bit & 7));
    return [...flipped].sort((a, b) => a - b);
  }
}

function endsOf(text: string | undefined, ends: readonly End[]): boolean[] | undefined {
  if (text === undefined) return undefined;
  return ends.map(({ node, interface: name }) => text === node || text === `${node}:${name}`);
}

/** A slow line with a queue in front: a token bucket, in closed form. */
class Bottleneck {
  /** Bytes that may pass at once, as of `#at`. */
  #tokens = 0;
  /** When the last frame has passed. */
  #at = Number.NEGATIVE_INFINITY;
  /** When each frame that waits has passed, and its length. */
  readonly #waiting: { readonly passed: number; readonly length: number }[] = [];
  #bytes = 0;

  send(
    length: number,
    now: number,
    { rate, burst, queueBytes, queueFrames }: { rate: number; burst: number; queueBytes: number; queueFrames: number },
  ): number | undefined {
    while (this.#waiting.length > 0 && this.#waiting[0]!.passed <= now) this.#bytes -= this.#waiting.shift()!.length;
    // one frame always has room, however long
    if (this.#waiting.length > 0 && (this.#bytes + length > queueBytes || this.#waiting.length >= queueFrames)) {
      return undefined;
    }
    const start = Math.max(now, this.#at);
    const saved = this.#at === Number.NEGATIVE_INFINITY ? burst : this.#tokens + ((start - this.#at) * rate) / 8;
    const tokens = Math.min(burst, saved);
    const passed = start + (Math.max(0, length - tokens) * 8) / rate;
    this.#tokens = Math.max(0, tokens - length);
    this.#at = passed;
    if (passed > now) {
      this.#waiting.push({ passed, length });
      this.#bytes += length;
    }
    return passed;
  }
}
