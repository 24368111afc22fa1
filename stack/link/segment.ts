import { type Clock, Timer } from '../env/clock.ts';
import type { Packet } from '../packet/packet.ts';
import { PacketQueue } from '../packet/queue.ts';
import { type Link, type LinkUser, type Medium, NO_OFFLOAD } from './link.ts';

/** Sees every frame on a segment as it is sent, `head` at the link-layer header. The packet is only lent. */
export type Tap = (pkt: Packet, from: SegmentEnd) => void;

/**
 * Stands in a segment's way and decides of each frame that is sent. True: it goes on. False: it does not, and what the
 * filter wants of it comes back through `carry`, now or later. The packet is only lent.
 */
export type WireFilter = (pkt: Packet, from: SegmentEnd) => boolean;

/** Default one-way delay, in milliseconds: that of a short cable between real machines. */
const LATENCY = 0.05;
/** Frames in flight on one segment; more are lost, as in a full switch. */
const IN_FLIGHT = 8192;

/**
 * An in-memory cable: two ends or many. Every frame reaches every other end (a hub, so that no end depends on
 * learned addresses), after a fixed delay, in the order it was sent.
 */
export class Segment {
  readonly medium: Medium;
  readonly mtu: number;
  readonly latency: number;
  readonly #clock: Clock;
  readonly #ends: SegmentEnd[] = [];
  readonly #queue = new PacketQueue();
  readonly #senders: SegmentEnd[] = [];
  readonly #targets: (SegmentEnd | undefined)[] = [];
  readonly #dues: number[] = [];
  readonly #timer = new Timer(() => this.#deliver());
  #tap: Tap | undefined;
  #filter: WireFilter | undefined;
  #up = true;
  /** Frames lost because too many were in flight, or the segment was down. */
  lost = 0;

  constructor(clock: Clock, options: { medium?: Medium; mtu?: number; latency?: number } = {}) {
    this.#clock = clock;
    this.medium = options.medium ?? 'ethernet';
    this.mtu = options.mtu ?? 1500;
    this.latency = options.latency ?? LATENCY;
  }

  /** A new end; `mac` for an Ethernet segment. */
  connect(mac?: Uint8Array): SegmentEnd {
    const end = new SegmentEnd(this, mac);
    this.#ends.push(end);
    return end;
  }

  tap(tap: Tap | undefined): void {
    this.#tap = tap;
  }

  filter(filter: WireFilter | undefined): void {
    this.#filter = filter;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Cut or mend the cable: every end loses or gets its carrier. */
  set up(up: boolean) {
    if (up === this.#up) return;
    this.#up = up;
    for (const end of this.#ends) end.user?.carrier(up);
  }

  /** Frames under way. */
  get held(): number {
    return this.#queue.length;
  }

  transmit(pkt: Packet, from: SegmentEnd): void {
    if (!this.#up || this.#queue.length >= IN_FLIGHT) {
      this.lost++;
      return pkt.give();
    }
    this.#tap?.(pkt, from);
    if (this.#filter !== undefined && !this.#filter(pkt, from)) return pkt.give();
    this.#take(pkt, from, undefined);
  }

  /** On its way past tap and filter, to one end or to all but `from`. */
  carry(pkt: Packet, from: SegmentEnd, to?: SegmentEnd): void {
    if (this.#up && this.#queue.length < IN_FLIGHT) return this.#take(pkt, from, to);
    this.lost++;
    pkt.give();
  }

  #take(pkt: Packet, from: SegmentEnd, to: SegmentEnd | undefined): void {
    this.#queue.add(pkt);
    this.#senders.push(from);
    this.#targets.push(to);
    this.#dues.push(this.#clock.now + this.latency);
    if (!this.#timer.armed) this.#clock.arm(this.#timer, this.latency);
  }

  #deliver(): void {
    // as many as are due now: what receivers send meanwhile is due later, or another round
    while (this.#dues.length > 0 && this.#dues[0]! <= this.#clock.now) {
      this.#dues.shift();
      const pkt = this.#queue.take()!;
      const sender = this.#senders.shift()!;
      this.#fanOut(pkt, sender, this.#targets.shift());
    }
    if (this.#dues.length > 0) this.#clock.arm(this.#timer, this.#dues[0]! - this.#clock.now);
  }

  #fanOut(pkt: Packet, sender: SegmentEnd, target: SegmentEnd | undefined): void {
    if (!this.#up) {
      this.lost++;
      return pkt.give();
    }
    let last: SegmentEnd | undefined;
    for (const end of this.#ends) {
      if (end === sender || (target !== undefined && end !== target) || end.user === undefined || !end.hears(pkt))
        continue;
      if (last !== undefined) last.user!.receive(arrive(pkt.copy()));
      last = end;
    }
    if (last === undefined) pkt.give();
    else last.user!.receive(arrive(pkt));
  }
}

/** What the sender knew of a packet does not travel: bytes do, and a checksum that was struck on the way must be found out. */
function arrive(pkt: Packet): Packet {
  pkt.forget();
  return pkt;
}

export class SegmentEnd implements Link {
  readonly segment: Segment;
  mac: Uint8Array | undefined;
  readonly offload = NO_OFFLOAD;
  user: LinkUser | undefined;

  constructor(segment: Segment, mac: Uint8Array | undefined) {
    this.segment = segment;
    this.mac = mac;
  }

  get medium(): Medium {
    return this.segment.medium;
  }

  get mtu(): number {
    return this.segment.mtu;
  }

  get carrier(): boolean {
    return this.segment.up;
  }

  attach(user: LinkUser): void {
    this.user = user;
  }

  setMac(mac: Uint8Array): void {
    this.mac = mac;
  }

  send(pkt: Packet): void {
    this.segment.transmit(pkt, this);
  }

  /** The station's own filter: unicast to others is not for it, multicast always is. */
  hears(pkt: Packet): boolean {
    const mac = this.mac;
    if (mac === undefined || pkt.length < 6) return true;
    const bytes = pkt.bytes;
    const at = pkt.head;
    if ((bytes[at]! & 1) !== 0) return true;
    for (let byte = 5; byte >= 0; byte--) if (bytes[at + byte] !== mac[byte]) return false;
    return true;
  }
}
