/**
 * The obvious reassembler: every byte of a packet has its place in a map. Slow, unbounded and meant to be right by reading;
 * `stack/ip6/reassembly.ts` must agree with it. RFC 8200 4.5, RFC 5722.
 */
export interface Piece {
  readonly id: number;
  readonly offset: number;
  readonly more: boolean;
  readonly bytes: Uint8Array;
}

/** 'whole': this piece completed the packet. */
export type Verdict =
  | { readonly kind: 'held' | 'duplicate' | 'overlap' }
  | { readonly kind: 'whole'; readonly bytes: Uint8Array };

interface Entry {
  readonly bytes: Map<number, number>;
  readonly pieces: Piece[];
  abandoned: boolean;
}

export class ByteMapReassembler {
  readonly #entries = new Map<number, Entry>();

  take(piece: Piece): Verdict {
    let entry = this.#entries.get(piece.id);
    if (entry === undefined) {
      entry = { bytes: new Map(), pieces: [], abandoned: false };
      this.#entries.set(piece.id, entry);
    }
    if (entry.abandoned) return { kind: 'overlap' };
    if (entry.pieces.some((held) => equal(held, piece))) return { kind: 'duplicate' };

    const end = piece.offset + piece.bytes.length;
    const overlaps = piece.bytes.some((_, at) => entry.bytes.has(piece.offset + at));
    const lastHeld = entry.pieces.find((held) => !held.more);
    const farthest = Math.max(0, ...[...entry.bytes.keys()].map((place) => place + 1));
    const beyondEnd = lastHeld !== undefined && end > lastHeld.offset + lastHeld.bytes.length;
    const secondEnd = !piece.more && (lastHeld !== undefined || farthest > end);
    if (overlaps || beyondEnd || secondEnd) {
      entry.abandoned = true;
      return { kind: 'overlap' };
    }

    entry.pieces.push(piece);
    piece.bytes.forEach((byte, at) => {
      entry.bytes.set(piece.offset + at, byte);
    });
    const last = entry.pieces.find((held) => !held.more);
    if (last === undefined) return { kind: 'held' };
    const total = last.offset + last.bytes.length;
    const whole = new Uint8Array(total);
    for (let place = 0; place < total; place++) {
      const byte = entry.bytes.get(place);
      if (byte === undefined) return { kind: 'held' };
      whole[place] = byte;
    }
    this.#entries.delete(piece.id);
    return { kind: 'whole', bytes: whole };
  }
}

function equal(a: Piece, b: Piece): boolean {
  return (
    a.offset === b.offset &&
    a.more === b.more &&
    a.bytes.length === b.bytes.length &&
    a.bytes.every((byte, at) => byte === b.bytes[at])
  );
}
