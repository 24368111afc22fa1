/**
 * Fragment header, RFC 8200 §4.5. Always 8 bytes.
 *
 *   0: next header   1: reserved   2: offset(13) reserved(2) more(1)   4: identification
 *
 * KAME: struct ip6_frag.
 */
export const LENGTH = 8;

export const nextHeader = (v: DataView, at: number): number => v.getUint8(at);
/** In bytes, not in 8-byte units. */
export const offset = (v: DataView, at: number): number => v.getUint16(at + 2) & 0xfff8;
export const more = (v: DataView, at: number): boolean => (v.getUint8(at + 3) & 1) !== 0;
export const identification = (v: DataView, at: number): number => v.getUint32(at + 4);
/** Alone in its packet, RFC 6946. */
export const atomic = (v: DataView, at: number): boolean => (v.getUint16(at + 2) & 0xfff9) === 0;

/** `bytes`: the offset, a multiple of 8. */
export function write(v: DataView, at: number, next: number, bytes: number, moreFollow: boolean, id: number): void {
  v.setUint8(at, next);
  v.setUint8(at + 1, 0);
  v.setUint16(at + 2, (bytes & 0xfff8) | (moreFollow ? 1 : 0));
  v.setUint32(at + 4, id);
}
