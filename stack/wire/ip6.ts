/**
 * IPv6 header, RFC 8200 §3. Always 40 bytes.
 *
 *   0: version(4) traffic class(8) flow label(20)   4: payload length   6: next header   7: hop limit
 *   8: source(16)   24: destination(16)
 *
 * KAME: struct ip6_hdr.
 */
export const LENGTH = 40;
export const SOURCE = 8;
export const DESTINATION = 24;
/** Where the next header byte lies: the pointer of Parameter Problem code 1. */
export const NEXT_HEADER = 6;
export const PAYLOAD_LENGTH = 4;
/** Every link carries this much, RFC 8200 §5. */
export const MINIMUM_MTU = 1280;

export const version = (v: DataView, at: number): number => v.getUint8(at) >> 4;
export const trafficClass = (v: DataView, at: number): number => (v.getUint16(at) >> 4) & 0xff;
export const flowLabel = (v: DataView, at: number): number => v.getUint32(at) & 0xfffff;
export const payloadLength = (v: DataView, at: number): number => v.getUint16(at + 4);
export const nextHeader = (v: DataView, at: number): number => v.getUint8(at + 6);
export const hopLimit = (v: DataView, at: number): number => v.getUint8(at + 7);

export const setTrafficClass = (v: DataView, at: number, value: number): void =>
  v.setUint16(at, (v.getUint16(at) & 0xf00f) | ((value & 0xff) << 4));
export const setFlowLabel = (v: DataView, at: number, value: number): void =>
  v.setUint32(at, (v.getUint32(at) & 0xfff00000) | (value & 0xfffff));
export const setPayloadLength = (v: DataView, at: number, value: number): void => v.setUint16(at + 4, value);
export const setNextHeader = (v: DataView, at: number, value: number): void => v.setUint8(at + 6, value);
export const setHopLimit = (v: DataView, at: number, value: number): void => v.setUint8(at + 7, value);

/** All but the addresses, which the caller copies to SOURCE and DESTINATION. */
export function write(
  v: DataView,
  at: number,
  payload: number,
  next: number,
  hops: number,
  traffic = 0,
  flow = 0,
): void {
  v.setUint32(at, 0x60000000 | ((traffic & 0xff) << 20) | (flow & 0xfffff));
  v.setUint16(at + 4, payload);
  v.setUint8(at + 6, next);
  v.setUint8(at + 7, hops);
}
