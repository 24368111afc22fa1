/**
 * The header before each frame of a device opened with `vnetHeader`: struct virtio_net_hdr, always 10 bytes, little endian.
 *
 *   0: flags   1: segmentation   2: header length(2)   4: segment size(2)   6: checksum start(2)   8: checksum offset(2)
 *
 * With NEEDS_CHECKSUM the transport checksum at start + offset holds the sum of the pseudo header alone, and whoever puts the frame
 * on a wire finishes it over the bytes from `start` to the end. Lengths and starts count from the frame's first byte.
 */
export const LENGTH = 10;

/** Bits of `flags`. */
export const NEEDS_CHECKSUM = 1;
export const DATA_VALID = 2;

/** Values of `segmentation`: the frame is to be cut into segments of `segmentSize` bytes of payload. */
export const NOT_SEGMENTED = 0;
export const TCP4 = 1;
export const UDP_FRAGMENTS = 3;
export const TCP6 = 4;
export const UDP_SEGMENTS = 5;
/** Added to TCP4 or TCP6. */
export const ECN = 0x80;

export const flags = (v: DataView, at: number): number => v.getUint8(at);
export const segmentation = (v: DataView, at: number): number => v.getUint8(at + 1);
/** Of all headers before the payload, in bytes; a hint, it may be 0. */
export const headerLength = (v: DataView, at: number): number => v.getUint16(at + 2, true);
export const segmentSize = (v: DataView, at: number): number => v.getUint16(at + 4, true);
export const checksumStart = (v: DataView, at: number): number => v.getUint16(at + 6, true);
export const checksumOffset = (v: DataView, at: number): number => v.getUint16(at + 8, true);

/** A whole, finished frame. */
export function writePlain(v: DataView, at: number): void {
  v.setUint32(at, 0);
  v.setUint32(at + 4, 0);
  v.setUint16(at + 8, 0);
}

/** A frame whose transport checksum is to be finished by others. */
export function writeUnfinished(v: DataView, at: number, start: number, offset: number): void {
  writeSegmented(v, at, NOT_SEGMENTED, 0, 0, start, offset);
}

/** A frame to be cut by others; `kind` is TCP4, TCP6 (maybe with ECN) or UDP_SEGMENTS. */
export function writeSegmented(
  v: DataView,
  at: number,
  kind: number,
  headers: number,
  size: number,
  start: number,
  offset: number,
): void {
  v.setUint8(at, NEEDS_CHECKSUM);
  v.setUint8(at + 1, kind);
  v.setUint16(at + 2, headers, true);
  v.setUint16(at + 4, size, true);
  v.setUint16(at + 6, start, true);
  v.setUint16(at + 8, offset, true);
}
