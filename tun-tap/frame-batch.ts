/**
 * Frames that travel together between the kernel and JavaScript: fixed slots in one ArrayBuffer, made once and used again.
 *
 * Slot i starts at `i * slotSize` of `bytes` and `view`, and holds `lengths[i]` bytes. The buffer, laid out as
 * native/batch.c reads it: 16 bytes of counters, one array a column, padding to 64, the slots.
 */
export class FrameBatch {
  readonly slots: number;
  readonly slotSize: number;
  readonly buffer: ArrayBuffer;
  /** The slots alone. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** Bytes held by each slot. */
  readonly lengths: Uint32Array<ArrayBuffer>;
  /** Packet sockets: the frame's length on the wire, larger than `lengths[i]` where it was cut. */
  readonly wireLengths: Uint32Array<ArrayBuffer>;
  /** Packet sockets: nanoseconds since 1970. */
  readonly timestamps: BigInt64Array<ArrayBuffer>;
  /** Packet sockets: one of `Kind`. */
  readonly kinds: Uint8Array<ArrayBuffer>;
  readonly #counters: Uint32Array<ArrayBuffer>;

  /** @param slots 1 to 65536  @param slotSize bytes, 1 to 1048576: headers, MTU and, where used, the 10 bytes of vnet.ts */
  constructor(slots: number, slotSize: number) {
    requireBetween('slots', slots, 1, 65_536);
    requireBetween('slotSize', slotSize, 1, 1 << 20);
    const timestamps = 16;
    const lengths = timestamps + 8 * slots;
    const wireLengths = lengths + 4 * slots;
    const kinds = wireLengths + 4 * slots;
    const frames = (kinds + slots + 63) & ~63;
    this.slots = slots;
    this.slotSize = slotSize;
    this.buffer = new ArrayBuffer(frames + slots * slotSize);
    this.bytes = new Uint8Array(this.buffer, frames);
    this.view = new DataView(this.buffer, frames);
    this.lengths = new Uint32Array(this.buffer, lengths, slots);
    this.wireLengths = new Uint32Array(this.buffer, wireLengths, slots);
    this.timestamps = new BigInt64Array(this.buffer, timestamps, slots);
    this.kinds = new Uint8Array(this.buffer, kinds, slots);
    this.#counters = new Uint32Array(this.buffer, 0, 4);
  }

  /** Frames longer than a slot, dropped by TunTap.read into this batch. */
  get oversized(): number {
    return this.#counters[0]!;
  }

  /** Frames the kernel would not take (malformed, too long, device down), passed over by a write of this batch. */
  get refused(): number {
    return this.#counters[1]!;
  }

  /** The errno of the last frame refused, 0 if none was. */
  get lastRefusal(): number {
    return this.#counters[2]!;
  }

  /** Copies a frame into a slot. For tests and slow paths; a fast one writes into `bytes` or `view` in place. */
  set(index: number, frame: Uint8Array): void {
    requireBetween('index', index, 0, this.slots - 1);
    requireBetween('frame length', frame.length, 0, this.slotSize);
    this.bytes.set(frame, index * this.slotSize);
    this.lengths[index] = frame.length;
  }

  /** A view of the frame in a slot, valid until the slot is used again. */
  frame(index: number): Uint8Array<ArrayBuffer> {
    requireBetween('index', index, 0, this.slots - 1);
    const at = index * this.slotSize;
    return this.bytes.subarray(at, at + this.lengths[index]!);
  }
}

/** Values of `FrameBatch.kinds`: to whom the frame was sent, as seen from the device (sockaddr_ll's sll_pkttype). */
export const Kind = { host: 0, broadcast: 1, multicast: 2, otherHost: 3, outgoing: 4 } as const;

function requireBetween(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`FrameBatch: ${what} must be an integer from ${least} to ${most}, not ${value}`);
  }
}
