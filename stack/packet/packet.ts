import type { Pool } from './pool.ts';

/** Bytes in front of a fresh packet: two nested tunnels with AH and ESP fit, and the link's own header. */
export const HEADROOM = 256;

/** What is known of a packet's transport checksum. */
export type ChecksumState = 'unknown' | 'good' | 'unfinished';

/** What a 64 KB packet of segments is to be cut into; 'none' for an ordinary packet. */
export type SegmentKind = 'none' | 'tcp4' | 'tcp6' | 'udp';

/**
 * One packet: bytes in a pooled buffer with room in front. Layers move `head` (and `tail`); nothing is copied.
 *
 * A packet has one owner. Who returns DONE has sent, queued, kept or dropped it; keeping bytes past that means copying
 * them. All fields are set in the constructor and by `reset`, so every packet has one shape. KAME: struct mbuf.
 */
export class Packet {
  readonly pool: Pool;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  /** First byte of what the current layer sees. */
  head = 0;
  /** One past the last byte. */
  tail = 0;

  /** Start of the IPv6 (or IPv4) header, once known. */
  ip = 0;
  /** Start of the header now being processed in the header walk. */
  at = 0;
  /** Where the byte lies that named the header at `at` (the pointer of Parameter Problem code 1). */
  nextHeaderAt = 0;
  /** Headers walked so far, the IPv6 header included (`hdrnestlimit`). */
  headers = 0;

  /** Index of the interface it came in by, 0 for one made here. */
  receivedOn = 0;
  /** It arrived as link-layer multicast or broadcast (RFC 4443 2.4 e.4). KAME: M_MCAST, M_BCAST. */
  linkMulticast = false;
  /** It took a loopback path inside this node. KAME: M_LOOP. */
  loopback = false;
  /** The destination is one of this node's anycast addresses. KAME: M_ANYCAST6. */
  anycast = false;
  /** It carries a router alert option with this value; -1 without. */
  routerAlert = -1;
  /** It was put together from fragments (RFC 6980 refuses such Neighbor Discovery). */
  reassembled = false;

  checksum: ChecksumState = 'unknown';
  /** With 'unfinished': where the sum starts and where it is to be stored, as absolute offsets. */
  checksumStart = 0;
  checksumAt = 0;

  segmentKind: SegmentKind = 'none';
  /** Payload bytes of one segment, 0 for an ordinary packet. */
  segmentSize = 0;

  /** The pool's and the queues' link. */
  next: Packet | undefined = undefined;
  /** Held by an owner (false: it lies in the pool). */
  held = false;
  /** How often it was taken from the pool: tells its owner of then from that of now. */
  lease = 0;

  constructor(pool: Pool, size: number) {
    this.pool = pool;
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  get length(): number {
    return this.tail - this.head;
  }

  /** Room in front of `head`, in bytes. */
  get headroom(): number {
    return this.head;
  }

  /** Room behind `tail`, in bytes. */
  get tailroom(): number {
    return this.bytes.length - this.tail;
  }

  /** Make room for a header of `length` bytes in front; the new head. */
  push(length: number): number {
    if (length > this.head) throw new Error(`no headroom: ${length} wanted, ${this.head} left`);
    this.head -= length;
    return this.head;
  }

  /** Take a header of `length` bytes off the front. The caller has checked that it is there. */
  pull(length: number): void {
    this.head += length;
  }

  /** A copy from the same pool, offsets and offload included. */
  copy(): Packet {
    const twin = this.pool.take(this.bytes.length - HEADROOM);
    twin.bytes.set(this.bytes.subarray(this.head, this.tail), this.head);
    twin.head = this.head;
    twin.tail = this.tail;
    twin.ip = this.ip;
    twin.at = this.at;
    twin.nextHeaderAt = this.nextHeaderAt;
    twin.headers = this.headers;
    twin.receivedOn = this.receivedOn;
    twin.linkMulticast = this.linkMulticast;
    twin.loopback = this.loopback;
    twin.anycast = this.anycast;
    twin.routerAlert = this.routerAlert;
    twin.reassembled = this.reassembled;
    twin.checksum = this.checksum;
    twin.checksumStart = this.checksumStart;
    twin.checksumAt = this.checksumAt;
    twin.segmentKind = this.segmentKind;
    twin.segmentSize = this.segmentSize;
    return twin;
  }

  /** As new: empty, `HEADROOM` in front. Called by the pool. */
  reset(): void {
    this.head = HEADROOM;
    this.tail = HEADROOM;
    this.ip = HEADROOM;
    this.at = HEADROOM;
    this.nextHeaderAt = 0;
    this.next = undefined;
    this.forget();
  }

  /** A packet received becomes one made here: all that was noted of its arrival is forgotten, its bytes and offsets stay. */
  forget(): void {
    this.headers = 0;
    this.receivedOn = 0;
    this.linkMulticast = false;
    this.loopback = false;
    this.anycast = false;
    this.routerAlert = -1;
    this.reassembled = false;
    this.checksum = 'unknown';
    this.checksumStart = 0;
    this.checksumAt = 0;
    this.segmentKind = 'none';
    this.segmentSize = 0;
  }

  give(): void {
    this.pool.give(this);
  }
}
