import { HEADROOM, Packet } from './packet.ts';

/** An ordinary packet: headroom, a 1500-byte MTU and room behind. */
export const SMALL = 2048;
/** An offloaded or reassembled packet: 64 KB of payload, its headers and headroom. */
export const LARGE = 65_536 + 64 + HEADROOM;

/** In tests, what a buffer is filled with when it is given back. */
const POISON = 0xdb;
/** Of so many small idle buffers one large one may be idle: it has the memory of 32. */
const SMALL_PER_LARGE = 32;

/**
 * Buffers of two sizes, reused. `take` never fails; `limit` bounds the small ones kept when idle (and by their memory the large
 * ones), not what is out: every queue that holds packets has a bound of its own.
 */
export class Pool {
  readonly #poison: boolean;
  readonly #limit: number;
  #small: Packet | undefined;
  #large: Packet | undefined;
  #idleSmall = 0;
  #idleLarge = 0;
  #taken = 0;
  #given = 0;

  constructor(options: { poison?: boolean; limit?: number } = {}) {
    this.#poison = options.poison ?? false;
    this.#limit = options.limit ?? 4096;
  }

  /** Packets taken and not yet given back. */
  get outstanding(): number {
    return this.#taken - this.#given;
  }

  /** An empty packet with room for `length` bytes behind its headroom. Larger than LARGE: a buffer of its own (jumbograms). */
  take(length: number): Packet {
    this.#taken++;
    const packet = length <= SMALL - HEADROOM ? this.#takeSmall() : this.#takeLarge(length);
    packet.held = true;
    packet.lease++;
    packet.reset();
    return packet;
  }

  #takeSmall(): Packet {
    const packet = this.#small;
    if (packet === undefined) return new Packet(this, SMALL);
    this.#small = packet.next;
    this.#idleSmall--;
    return packet;
  }

  #takeLarge(length: number): Packet {
    if (length > LARGE - HEADROOM) return new Packet(this, length + HEADROOM);
    const packet = this.#large;
    if (packet === undefined) return new Packet(this, LARGE);
    this.#large = packet.next;
    this.#idleLarge--;
    return packet;
  }

  give(packet: Packet): void {
    if (!packet.held) throw new Error('a packet was given back twice');
    packet.held = false;
    this.#given++;
    if (this.#poison) packet.bytes.fill(POISON);
    if (packet.bytes.length === SMALL) {
      if (this.#idleSmall >= this.#limit) return;
      this.#idleSmall++;
      packet.next = this.#small;
      this.#small = packet;
    } else if (packet.bytes.length === LARGE) {
      if (this.#idleLarge * SMALL_PER_LARGE >= this.#limit) return;
      this.#idleLarge++;
      packet.next = this.#large;
      this.#large = packet;
    }
  }
}
