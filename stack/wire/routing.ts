/**
 * Routing header, RFC 8200 §4.4; type 0 RFC 2460 §4.4 (deprecated by RFC 5095), type 2 RFC 6275 §6.4.
 *
 *   0: next header  1: length in units of 8 without the first  2: type  3: segments left  4: reserved  8: address(16)...
 *
 * KAME: struct ip6_rthdr, ip6_rthdr0.
 */
export const LENGTH = 8;
/** Of the header: the pointer of Parameter Problem for an unknown type. */
export const TYPE = 2;
export const SEGMENTS_LEFT = 3;
export const ADDRESSES = 8;

export const Type = { source: 0, home: 2, segment: 4 } as const;

export const nextHeader = (v: DataView, at: number): number => v.getUint8(at);
/** In bytes, of the whole header. */
export const headerLength = (v: DataView, at: number): number => (v.getUint8(at + 1) + 1) * 8;
/** An odd one can't be of type 0. */
export const lengthField = (v: DataView, at: number): number => v.getUint8(at + 1);
export const type = (v: DataView, at: number): number => v.getUint8(at + 2);
export const segmentsLeft = (v: DataView, at: number): number => v.getUint8(at + 3);
/** Of types 0 and 2. */
export const addresses = (v: DataView, at: number): number => v.getUint8(at + 1) >> 1;

export const setSegmentsLeft = (v: DataView, at: number, value: number): void => v.setUint8(at + 3, value);

/** All but the `count` addresses, which go to `at + ADDRESSES`. */
export function write(v: DataView, at: number, next: number, routingType: number, left: number, count: number): void {
  v.setUint8(at, next);
  v.setUint8(at + 1, count * 2);
  v.setUint8(at + 2, routingType);
  v.setUint8(at + 3, left);
  v.setUint32(at + 4, 0);
}
