import { type Clock, Timer } from '../env/clock.ts';
import type { Packet } from '../packet/packet.ts';
import { PacketQueue } from '../packet/queue.ts';
import type { Link, LinkUser } from './link.ts';

/** Packets on their way back; more are lost. KAME: the IPv6 input queue's ip6qmaxlen. */
const QUEUE = 256;

/** lo0: what is sent comes in again, at the next turn of the clock. Larger than 64 KB, so that jumbograms have a link. KAME: if_loop.c with LARGE_LOMTU. */
export class Loopback implements Link {
  readonly medium = 'ip';
  readonly mtu = 131_072;
  readonly offload = { checksum: true, tso6: true, tso4: true, uso: true };
  readonly mac = undefined;
  readonly carrier = true;
  readonly #clock: Clock;
  readonly #queue = new PacketQueue();
  readonly #timer = new Timer(() => this.#deliver());
  #user: LinkUser | undefined;
  /** Packets lost to a full queue. */
  lost = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get held(): number {
    return this.#queue.length;
  }

  attach(user: LinkUser): void {
    this.#user = user;
  }

  send(pkt: Packet): void {
    if (this.#queue.length >= QUEUE) {
      this.lost++;
      return pkt.give();
    }
    pkt.loopback = true;
    if (pkt.checksum === 'unfinished') pkt.checksum = 'good';
    this.#queue.add(pkt);
    if (!this.#timer.armed) this.#clock.arm(this.#timer, 0);
  }

  #deliver(): void {
    for (let count = this.#queue.length; count > 0; count--) this.#user!.receive(this.#queue.take()!);
    if (this.#queue.length > 0 && !this.#timer.armed) this.#clock.arm(this.#timer, 0);
  }
}
