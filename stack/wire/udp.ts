/**
 * UDP header, RFC 768. Always 8 bytes.
 *
 *   0: source port   2: destination port   4: length   6: checksum
 *
 * KAME: struct udphdr.
 */
export const LENGTH = 8;
export const CHECKSUM = 6;

export const sourcePort = (v: DataView, at: number): number => v.getUint16(at);
export const destinationPort = (v: DataView, at: number): number => v.getUint16(at + 2);
/** Header included. */
export const length = (v: DataView, at: number): number => v.getUint16(at + 4);
/** 0: none, which IPv6 does not allow (RFC 8200 §8.1). */
export const checksum = (v: DataView, at: number): number => v.getUint16(at + 6);

export const setLength = (v: DataView, at: number, value: number): void => v.setUint16(at + 4, value);
export const setChecksum = (v: DataView, at: number, value: number): void => v.setUint16(at + 6, value);

/** `total`: header included. The checksum is left zero. */
export function write(v: DataView, at: number, source: number, destination: number, total: number): void {
  v.setUint16(at, source);
  v.setUint16(at + 2, destination);
  v.setUint16(at + 4, total);
  v.setUint16(at + 6, 0);
}
