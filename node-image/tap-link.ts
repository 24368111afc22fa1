/**
 * A TAP or TUN device as a link of the stack. Frames move in batches: one system call reads up to 64, and what the stack sends
 * within one turn of the event loop is written by one call at its end.
 */
import { FrameBatch, type TunTap, vnet } from 'tun-tap';
import { type Link, type LinkUser, type Medium, NO_OFFLOAD, type Offload } from '#stack/link/link.ts';
import type { Packet, SegmentKind } from '#stack/packet/packet.ts';
import type { Pool } from '#stack/packet/pool.ts';

/** Frames read for one readiness, then others have their turn. */
const SLOTS = 64;
const ETHERNET_HEADER = 14;
const LARGEST_OFFLOADED = 65_536 + ETHERNET_HEADER + vnet.LENGTH;

const SEGMENT_KINDS: Readonly<Record<number, SegmentKind>> = {
  [vnet.TCP4]: 'tcp4',
  [vnet.TCP6]: 'tcp6',
  [vnet.UDP_SEGMENTS]: 'udp',
};
const VNET_KINDS: Readonly<Record<SegmentKind, number>> = {
  none: vnet.NOT_SEGMENTED,
  tcp4: vnet.TCP4,
  tcp6: vnet.TCP6,
  udp: vnet.UDP_SEGMENTS,
};

export interface TapLinkOptions {
  readonly mtu: number;
  readonly mac: Uint8Array | undefined;
  readonly pool: Pool;
  /** What the device was opened to take unfinished. */
  readonly offload?: Offload;
}

export class TapLink implements Link {
  readonly medium: Medium;
  readonly mtu: number;
  readonly offload: Offload;
  readonly mac: Uint8Array | undefined;
  carrier = false;
  /** Frames that the kernel did not take. */
  lost = 0;
  readonly #device: TunTap;
  readonly #pool: Pool;
  /** Bytes of struct virtio_net_hdr before each frame. */
  readonly #prefix: number;
  readonly #incoming: FrameBatch;
  readonly #outgoing: FrameBatch;
  #queued = 0;
  #flushScheduled = false;
  readonly #flush = (): void => {
    this.#flushScheduled = false;
    this.#write();
  };
  #user: LinkUser | undefined;

  constructor(device: TunTap, options: TapLinkOptions) {
    this.#device = device;
    this.#pool = options.pool;
    this.medium = device.mode === 'tap' ? 'ethernet' : 'ip';
    this.mtu = options.mtu;
    this.mac = options.mac;
    this.offload = options.offload ?? NO_OFFLOAD;
    this.#prefix = device.vnetHeader ? vnet.LENGTH : 0;
    const slot = device.vnetHeader ? LARGEST_OFFLOADED : options.mtu + ETHERNET_HEADER + 4;
    this.#incoming = new FrameBatch(SLOTS, slot);
    this.#outgoing = new FrameBatch(SLOTS, slot);
  }

  attach(user: LinkUser): void {
    this.#user = user;
  }

  /** Frames are taken from now on. `gone`: the device was removed. */
  start(gone: (error: Error) => void): void {
    this.#device.onReadable((error) => {
      if (error === undefined) return this.#read();
      this.setCarrier(false);
      gone(error);
    });
  }

  setCarrier(up: boolean): void {
    if (up === this.carrier) return;
    this.carrier = up;
    this.#user?.carrier(up);
  }

  close(): void {
    if (this.#device.closed) return;
    this.#write();
    this.#device.close();
  }

  send(pkt: Packet): void {
    const prefix = this.#prefix;
    const batch = this.#outgoing;
    const { length, head } = pkt;
    if (length + prefix > batch.slotSize || this.#device.closed) {
      this.lost++;
      return pkt.give();
    }
    const slot = this.#queued++;
    const at = slot * batch.slotSize;
    if (prefix !== 0) writeOffload(batch.view, at, pkt);
    batch.bytes.set(pkt.bytes.subarray(head, head + length), at + prefix);
    batch.lengths[slot] = prefix + length;
    pkt.give();
    if (this.#queued === SLOTS) this.#write();
    else if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      queueMicrotask(this.#flush);
    }
  }

  /** All queued frames go to the kernel; what it has no room for is lost, as in a full transmit ring. */
  #write(): void {
    const count = this.#queued;
    this.#queued = 0;
    if (count === 0 || this.#device.closed) return;
    const batch = this.#outgoing;
    const refused = batch.refused;
    this.lost += count - this.#device.write(batch, 0, count) + (batch.refused - refused);
  }

  #read(): void {
    const batch = this.#incoming;
    const count = this.#device.read(batch);
    const prefix = this.#prefix;
    const { bytes, lengths, slotSize, view } = batch;
    for (let slot = 0; slot < count; slot++) {
      const length = lengths[slot]! - prefix;
      if (length <= 0 || this.#user === undefined || !this.carrier) continue;
      const at = slot * slotSize;
      const pkt = this.#pool.take(length);
      pkt.tail = pkt.head + length;
      pkt.bytes.set(bytes.subarray(at + prefix, at + prefix + length), pkt.head);
      if (prefix !== 0) readOffload(view, at, pkt);
      this.#user.receive(pkt);
    }
    // replies to this batch go at once, not behind the next one
    if (this.#queued > 0) this.#write();
  }
}

function readOffload(v: DataView, at: number, pkt: Packet): void {
  const flags = vnet.flags(v, at);
  if ((flags & vnet.NEEDS_CHECKSUM) !== 0) {
    const start = vnet.checksumStart(v, at);
    pkt.checksum = 'unfinished';
    pkt.checksumStart = pkt.head + start;
    pkt.checksumAt = pkt.head + start + vnet.checksumOffset(v, at);
  } else if ((flags & vnet.DATA_VALID) !== 0) pkt.checksum = 'good';
  const kind = SEGMENT_KINDS[vnet.segmentation(v, at) & ~vnet.ECN];
  if (kind === undefined) return;
  pkt.segmentKind = kind;
  pkt.segmentSize = vnet.segmentSize(v, at);
}

function writeOffload(v: DataView, at: number, pkt: Packet): void {
  if (pkt.checksum !== 'unfinished') return vnet.writePlain(v, at);
  const start = pkt.checksumStart - pkt.head;
  const offset = pkt.checksumAt - pkt.checksumStart;
  const kind = VNET_KINDS[pkt.segmentKind];
  if (kind === vnet.NOT_SEGMENTED) vnet.writeUnfinished(v, at, start, offset);
  else vnet.writeSegmented(v, at, kind, 0, pkt.segmentSize, start, offset);
}
