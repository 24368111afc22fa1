import type { Packet } from './packet.ts';

/** First in, first out, through the packets' own `next`. */
export class PacketQueue {
  #first: Packet | undefined;
  #last: Packet | undefined;
  length = 0;

  /** The newest; it stays in the queue. */
  get last(): Packet | undefined {
    return this.#last;
  }

  add(packet: Packet): void {
    packet.next = undefined;
    if (this.#last === undefined) this.#first = packet;
    else this.#last.next = packet;
    this.#last = packet;
    this.length++;
  }

  take(): Packet | undefined {
    const packet = this.#first;
    if (packet === undefined) return undefined;
    this.#first = packet.next;
    if (this.#first === undefined) this.#last = undefined;
    packet.next = undefined;
    this.length--;
    return packet;
  }
}
