/**
 * IPv4 header, RFC 791 §3.1. 20 bytes and options.
 *
 *   0: version(4) length in words(4)   1: type of service   2: total length   4: identification
 *   6: flags(3) fragment offset(13)    8: time to live      9: protocol      10: checksum
 *   12: source(4)   16: destination(4)
 *
 * KAME: struct ip.
 */
import { complement, sum } from './checksum.ts';

export const LENGTH = 20;
export const SOURCE = 12;
export const DESTINATION = 16;

export const version = (v: DataView, at: number): number => v.getUint8(at) >> 4;
/** In bytes, options included. */
export const headerLength = (v: DataView, at: number): number => (v.getUint8(at) & 0xf) * 4;
export const typeOfService = (v: DataView, at: number): number => v.getUint8(at + 1);
export const totalLength = (v: DataView, at: number): number => v.getUint16(at + 2);
export const identification = (v: DataView, at: number): number => v.getUint16(at + 4);
export const dontFragment = (v: DataView, at: number): boolean => (v.getUint8(at + 6) & 0x40) !== 0;
export const more = (v: DataView, at: number): boolean => (v.getUint8(at + 6) & 0x20) !== 0;
/** In bytes, not in 8-byte units. */
export const fragmentOffset = (v: DataView, at: number): number => (v.getUint16(at + 6) & 0x1fff) * 8;
export const timeToLive = (v: DataView, at: number): number => v.getUint8(at + 8);
export const protocol = (v: DataView, at: number): number => v.getUint8(at + 9);
export const checksum = (v: DataView, at: number): number => v.getUint16(at + 10);
export const checksumOk = (v: DataView, at: number): boolean => sum(v, at, headerLength(v, at)) === 0xffff;

/** A header without options, not a fragment; addresses are there already, the checksum is set. */
export function write(v: DataView, at: number, total: number, proto: number, ttl: number, tos = 0, id = 0): void {
  v.setUint16(at, 0x4500 | tos);
  v.setUint16(at + 2, total);
  v.setUint16(at + 4, id);
  v.setUint16(at + 6, 0);
  v.setUint8(at + 8, ttl);
  v.setUint8(at + 9, proto);
  v.setUint16(at + 10, 0);
  v.setUint16(at + 10, complement(sum(v, at, LENGTH)));
}
