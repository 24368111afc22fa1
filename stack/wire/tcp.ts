/**
 * TCP header, RFC 9293 §3.1. 20 bytes and options.
 *
 *   0: source port   2: destination port   4: sequence   8: acknowledgment
 *   12: length in words(4) reserved(4) flags(8)   14: window   16: checksum   18: urgent pointer
 *
 * KAME: struct tcphdr.
 */
export const LENGTH = 20;
export const CHECKSUM = 16;

export const Flag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;

export const sourcePort = (v: DataView, at: number): number => v.getUint16(at);
export const destinationPort = (v: DataView, at: number): number => v.getUint16(at + 2);
export const sequence = (v: DataView, at: number): number => v.getUint32(at + 4);
export const acknowledgment = (v: DataView, at: number): number => v.getUint32(at + 8);
/** In bytes, options included. */
export const headerLength = (v: DataView, at: number): number => (v.getUint8(at + 12) >> 4) * 4;
export const flags = (v: DataView, at: number): number => v.getUint8(at + 13);
export const window = (v: DataView, at: number): number => v.getUint16(at + 14);
export const checksum = (v: DataView, at: number): number => v.getUint16(at + 16);
export const urgent = (v: DataView, at: number): number => v.getUint16(at + 18);

export const setSequence = (v: DataView, at: number, value: number): void => v.setUint32(at + 4, value);
export const setFlags = (v: DataView, at: number, value: number): void => v.setUint8(at + 13, value);
export const setChecksum = (v: DataView, at: number, value: number): void => v.setUint16(at + 16, value);

/** A header without options, checksum and urgent pointer zero. */
export function write(
  v: DataView,
  at: number,
  source: number,
  destination: number,
  seq: number,
  ack: number,
  bits: number,
  win: number,
): void {
  v.setUint16(at, source);
  v.setUint16(at + 2, destination);
  v.setUint32(at + 4, seq);
  v.setUint32(at + 8, ack);
  v.setUint8(at + 12, (LENGTH / 4) << 4);
  v.setUint8(at + 13, bits);
  v.setUint16(at + 14, win);
  v.setUint32(at + 16, 0);
}

// ---- options, RFC 9293 §3.1

export const OptionType = { end: 0, nop: 1, mss: 2, windowScale: 3, sackPermitted: 4, sack: 5, timestamps: 8 } as const;
/** Bytes of the whole option, or 0 when it runs over `end`. */
export function optionLength(v: DataView, at: number, end: number): number {
  const kind = v.getUint8(at);
  if (kind === OptionType.end || kind === OptionType.nop) return 1;
  if (at + 2 > end) return 0;
  const bytes = v.getUint8(at + 1);
  return bytes < 2 || at + bytes > end ? 0 : bytes;
}
