/**
 * A link of the kernel world that is a wire in this process, so that it can have faults.
 *
 *   kernel end   a TAP (TUN) in the node's namespace, whose other side is held here
 *   kame end     the TAP (TUN) that the node opened, in the lab's namespace; here a packet socket on its kernel side
 *
 * What is read of one end is written to the other in the same batch, but for what a fault takes. Frames are recorded where
 * they enter, so a capture shows what was sent and when it came here; there is no other capture of such a link.
 *
 * Times are as exact as this process is on time. Measured (tests/bench/wire.ts, two cores busy with other work): a delayed
 * frame was 0.03 ms late in the median, 0.05 ms in nine of ten cases, and otherwise as late as the scheduler was. To that
 * end the last 1.5 ms of a wait are spent looking at the clock between events, so a wire that delays many frames keeps a
 * processor busy. An untouched frame takes 2 us, of which reading and writing it by the kernel are 1.7.
 */
import { FrameBatch, type FrameDevice, link, PacketSocket, TunTap } from 'tun-tap';
import type { LinkRecord } from '../capture.ts';
import { Line } from '../faults/line.ts';
import { ALL } from '../faults/wire.ts';
import type { TopologyLink } from '../topology.ts';
import type { LabEvent } from './driver.ts';
import type { Place } from './wiring.ts';

export interface WireLinkOptions {
  readonly seed: number;
  /** undefined: frames are not kept. */
  readonly record: LinkRecord | undefined;
  /** The lab's time. */
  readonly now: () => number;
  readonly tell: (event: LabEvent) => void;
}

/** Frames read at once. */
const SLOTS = 64;
const ETHERNET_HEADER = 14;
/** A timer comes up to this late; what is left of a wait is not trusted to it. Milliseconds. */
const TIMER = 1.5;

export class WireLink {
  /** Devices to wait for, once all are set up. */
  readonly devices: readonly { readonly device: string; readonly namespace: string }[];
  /** Frames that a device had no room for or refused. */
  lost = 0;
  readonly line: Line;
  readonly #ends: FrameDevice[] = [];
  readonly #now: () => number;
  readonly #record: LinkRecord | undefined;
  readonly #in: FrameBatch;
  readonly #out: FrameBatch;
  /** Untouched frames of the batch at hand, on their way together: slots from `#first` on, `#count` of them, to `#to`. */
  #first = 0;
  #count = 0;
  #from = 0;
  #to = ALL;
  /** Frames that the line brought back, in `#out`. */
  #outCount = 0;
  #outFrom = 0;
  #outTo = ALL;
  #wakeAt = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #closed = false;

  /** The devices are left down in kernel nodes (their owner sets them up), up in the lab's namespace. */
  constructor(plan: TopologyLink, number: number, places: readonly Place[], lab: string, options: WireLinkOptions) {
    const { seed, record, now, tell } = options;
    const slot = plan.mtu + ETHERNET_HEADER + 4;
    this.#in = new FrameBatch(SLOTS, slot);
    this.#out = new FrameBatch(SLOTS, slot);
    this.#now = now;
    this.#record = record;
    try {
      this.devices = places.map((place, at) => this.#open(place, plan, `l${number}w${at}`, lab));
      this.line = new Line({
        link: plan,
        seed,
        record,
        now,
        wake: (time) => this.#wake(time),
        deliver: (bytes, from, to) => this.#deliver(bytes, from, to),
        tell,
      });
    } catch (error) {
      this.close();
      throw error;
    }
    for (const [from, device] of this.#ends.entries()) {
      device.onReadable((gone) => {
        if (gone === undefined) this.#read(device, from);
      });
    }
  }

  #open({ end, namespace, attachment }: Place, { mtu, medium }: TopologyLink, port: string, lab: string) {
    if (attachment === 'tap') {
      link.move(end.interface, namespace, lab, port);
      link.setMtu(port, mtu, lab);
      link.setUp(port, lab);
      this.#ends.push(PacketSocket.open({ device: port, namespace: lab, promiscuous: true, ignoreOutgoing: true }));
      return { device: port, namespace: lab };
    }
    const mode = medium === 'tun' ? 'tun' : 'tap';
    const mac = mode === 'tap' ? end.mac : undefined;
    this.#ends.push(TunTap.open({ name: end.interface, mode, namespace, mtu, mac }));
    return { device: end.interface, namespace };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    for (const end of this.#ends.splice(0)) {
      if (end instanceof PacketSocket) this.#unseen(end);
      end.close();
    }
  }

  /** What came while this process stood still is missing in the record, and on the link. */
  #unseen(socket: PacketSocket): void {
    if (this.#record === undefined) return;
    try {
      this.#record.lost += socket.drops();
    } catch {
      // the device went before it
    }
  }

  // Through

  #read(device: FrameDevice, from: number): void {
    const batch = this.#in;
    const count = device.read(batch);
    for (let slot = 0; slot < count; slot++) {
      const bytes = batch.frame(slot);
      if (!this.line.transmit(bytes, from)) continue;
      const to = this.line.destination(bytes, from);
      if (this.#count > 0 && (to !== this.#to || this.#first + this.#count !== slot)) this.#pass();
      if (this.#outCount > 0) this.#flush();
      if (this.#count === 0) this.#first = slot;
      this.#count++;
      this.#from = from;
      this.#to = to;
      // what was held back for this frame goes right behind it
      if (this.line.due <= this.#now()) this.line.release();
    }
    this.#pass();
    this.#flush();
  }

  #pass(): void {
    const count = this.#count;
    this.#count = 0;
    if (count > 0) this.#write(this.#in, this.#first, count, this.#from, this.#to);
  }

  #deliver(bytes: Uint8Array, from: number, to: number): void {
    this.#pass();
    const batch = this.#out;
    if (bytes.length > batch.slotSize) {
      this.lost++;
      return;
    }
    if (this.#outCount === batch.slots || (this.#outCount > 0 && (from !== this.#outFrom || to !== this.#outTo))) {
      this.#flush();
    }
    batch.set(this.#outCount++, bytes);
    this.#outFrom = from;
    this.#outTo = to;
  }

  #flush(): void {
    const count = this.#outCount;
    this.#outCount = 0;
    if (count > 0) this.#write(this.#out, 0, count, this.#outFrom, this.#outTo);
  }

  #write(batch: FrameBatch, first: number, count: number, from: number, to: number): void {
    if (this.#closed) return;
    for (const [at, end] of this.#ends.entries()) {
      if (at === from || (to !== ALL && at !== to)) continue;
      const refused = batch.refused;
      const done = end.write(batch, first, count);
      this.lost += count - done + batch.refused - refused;
    }
  }

  // In time

  #wake(time: number): void {
    this.#wakeAt = time;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    if (time !== Number.POSITIVE_INFINITY && !this.#closed) this.#wait();
  }

  /** Never releases at once: the frame that made something due is still to go its way. */
  #wait(): void {
    const left = this.#wakeAt - this.#now();
    if (left > TIMER) this.#timer = setTimeout(this.#look, Math.min(left - TIMER, 2 ** 30));
    else this.#immediate = setImmediate(this.#look);
  }

  readonly #look = (): void => {
    if (this.#closed) return;
    if (this.#now() < this.#wakeAt) return this.#wait();
    this.line.release();
    this.#pass();
    this.#flush();
  };
}
