/**
 * Multicast Listener Discovery: version 1 RFC 2710 §3, version 2 RFC 3810 §5.
 *
 *   all but v2 report  0: type  1: code  2: checksum  4: maximum response  6: reserved  8: group(16)
 *   v2 query behind it 24: suppress(1) robustness(3)  25: query interval code  26: sources  28: source(16)...
 *   v2 report          0: type  1: reserved  2: checksum  4: reserved  6: records  8: record...
 *   record             0: type  1: auxiliary length in words  2: sources  4: group(16)  20: source(16)...
 *
 * KAME: struct mld_hdr.
 */
import { Type } from './icmp6.ts';

/** Of a version 1 message. */
export const LENGTH = 24;
/** A query of at least this length is version 2 (RFC 3810 §8.1). */
export const QUERY2_LENGTH = 28;
export const GROUP = 8;

/** Milliseconds, of a version 1 query. */
export const maxResponseDelay = (v: DataView, at: number): number => v.getUint16(at + 4);
/** Milliseconds, of a version 2 query (RFC 3810 §5.1.3). */
export const maxResponseDelay2 = (v: DataView, at: number): number => {
  const code = v.getUint16(at + 4);
  return code < 0x8000 ? code : ((code & 0xfff) | 0x1000) << (((code >> 12) & 7) + 3);
};
export const suppress = (v: DataView, at: number): boolean => (v.getUint8(at + 24) & 8) !== 0;
export const robustness = (v: DataView, at: number): number => v.getUint8(at + 24) & 7;
/** Seconds (RFC 3810 §5.1.9). */
export const queryInterval = (v: DataView, at: number): number => {
  const code = v.getUint8(at + 25);
  return code < 0x80 ? code : ((code & 0xf) | 0x10) << (((code >> 4) & 7) + 3);
};
export const querySources = (v: DataView, at: number): number => v.getUint16(at + 26);
export const QUERY_SOURCES = 28;

/** Query, report or done of version 1, checksum zero; the group goes to `at + GROUP`. `delay` in milliseconds. */
export function write(v: DataView, at: number, type: number, delay = 0): void {
  v.setUint8(at, type);
  v.setUint8(at + 1, 0);
  v.setUint16(at + 2, 0);
  v.setUint16(at + 4, delay);
  v.setUint16(at + 6, 0);
}

// ---- version 2 report

export const REPORT2_LENGTH = 8;
export const RECORD_LENGTH = 20;
export const RECORD_GROUP = 4;

export const RecordType = {
  isInclude: 1,
  isExclude: 2,
  toInclude: 3,
  toExclude: 4,
  allowNewSources: 5,
  blockOldSources: 6,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

export const records = (v: DataView, at: number): number => v.getUint16(at + 6);
export const recordType = (v: DataView, at: number): number => v.getUint8(at);
export const recordSources = (v: DataView, at: number): number => v.getUint16(at + 2);
/** Bytes of the record at `at`, sources and auxiliary data included. */
export const recordLength = (v: DataView, at: number): number =>
  RECORD_LENGTH + v.getUint16(at + 2) * 16 + v.getUint8(at + 1) * 4;

/** The head of a version 2 report, checksum zero. */
export function writeReport2(v: DataView, at: number, count: number): void {
  v.setUint8(at, Type.mld2Report);
  v.setUint8(at + 1, 0);
  v.setUint16(at + 2, 0);
  v.setUint16(at + 4, 0);
  v.setUint16(at + 6, count);
}

/** A record; the group goes to `at + RECORD_GROUP`, sources behind it. */
export function writeRecord(v: DataView, at: number, type: number, sources = 0): void {
  v.setUint8(at, type);
  v.setUint8(at + 1, 0);
  v.setUint16(at + 2, sources);
}

/** The part of a version 2 query behind the group. */
export function writeQuery2(
  v: DataView,
  at: number,
  quiet: boolean,
  variable: number,
  interval: number,
  sources: number,
): void {
  v.setUint8(at + 24, (quiet ? 8 : 0) | (variable & 7));
  v.setUint8(at + 25, interval);
  v.setUint16(at + 26, sources);
}
