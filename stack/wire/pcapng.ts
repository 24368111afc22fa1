/**
 * pcapng blocks (IETF draft-ietf-opsawg-pcapng), little-endian; a file is a section header, the interfaces, then packets.
 *
 *   0: block type   4: total length   8: body, options, padded to 4   last 4: total length again
 *   option: 0: code(2)  2: length(2)  4: value, padded to 4
 *
 * The same values give the same bytes: there is no clock and no host name in here.
 */

export const LinkType = { ethernet: 1, raw: 101 } as const;

/** Options of a section: free text, one comment a line of it. */
export interface Section {
  readonly comments?: readonly string[];
  readonly hardware?: string;
  readonly os?: string;
  readonly application?: string;
}

export interface CaptureInterface {
  readonly linkType: keyof typeof LinkType;
  readonly name: string;
  readonly description?: string;
  /** 0: no limit. */
  readonly snapLength?: number;
  /** Times count 10 to the minus this many seconds; 9 by default. */
  readonly resolution?: 9 | 6;
}

export interface CapturedPacket {
  /** Position of its description among the section's, from 0. */
  readonly interface: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly bytes: Uint8Array;
  /** Bytes on the wire, when fewer were kept. */
  readonly originalLength?: number;
  /** As the interface was described; 9 by default. */
  readonly resolution?: 9 | 6;
  readonly comments?: readonly string[];
}

export interface CaptureStatistics {
  readonly interface: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly resolution?: 9 | 6;
  readonly received: bigint;
  /** For want of room. */
  readonly dropped: bigint;
}

/** Milliseconds, with a fraction, as `time`. */
export const nanoseconds = (milliseconds: number): bigint => {
  const whole = Math.floor(milliseconds);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * 1e6));
};

export function sectionHeader(section: Section = {}): Uint8Array {
  const body = new Uint8Array(16);
  const v = new DataView(body.buffer);
  v.setUint32(0, 0x1a2b3c4d, true);
  v.setUint16(4, 1, true);
  // section length: not told
  v.setBigInt64(8, -1n, true);
  return block(0x0a0d0d0a, body, [
    ...texts(COMMENT, section.comments),
    ...texts(2, one(section.hardware)),
    ...texts(3, one(section.os)),
    ...texts(4, one(section.application)),
  ]);
}

export function interfaceDescription(description: CaptureInterface): Uint8Array {
  const body = new Uint8Array(8);
  const v = new DataView(body.buffer);
  v.setUint16(0, LinkType[description.linkType], true);
  v.setUint32(4, description.snapLength ?? 0, true);
  return block(1, body, [
    ...texts(2, [description.name]),
    ...texts(3, one(description.description)),
    { code: 9, value: Uint8Array.of(description.resolution ?? 9) },
  ]);
}

export function enhancedPacket(packet: CapturedPacket): Uint8Array {
  const body = new Uint8Array(20 + padded(packet.bytes.length));
  const v = new DataView(body.buffer);
  v.setUint32(0, packet.interface, true);
  setTime(v, 4, packet.time, packet.resolution);
  v.setUint32(12, packet.bytes.length, true);
  v.setUint32(16, packet.originalLength ?? packet.bytes.length, true);
  body.set(packet.bytes, 20);
  return block(6, body, texts(COMMENT, packet.comments));
}

export function interfaceStatistics(statistics: CaptureStatistics): Uint8Array {
  const body = new Uint8Array(12);
  const v = new DataView(body.buffer);
  v.setUint32(0, statistics.interface, true);
  setTime(v, 4, statistics.time, statistics.resolution);
  return block(5, body, [
    { code: 4, value: counter(statistics.received) },
    { code: 5, value: counter(statistics.dropped) },
  ]);
}

const COMMENT = 1;

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

const padded = (length: number): number => (length + 3) & ~3;

const one = (text: string | undefined): string[] => (text === undefined ? [] : [text]);

const texts = (code: number, lines: readonly string[] = []): Option[] =>
  lines.map((line) => ({ code, value: new TextEncoder().encode(line).subarray(0, 0xffff) }));

function counter(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

/** High word first, each little-endian. */
function setTime(v: DataView, at: number, time: bigint, resolution: 9 | 6 = 9): void {
  const units = resolution === 9 ? time : time / 1000n;
  v.setUint32(at, Number((units >> 32n) & 0xffffffffn), true);
  v.setUint32(at + 4, Number(units & 0xffffffffn), true);
}

function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
  let length = 12 + body.length;
  for (const option of options) length += 4 + padded(option.value.length);
  if (options.length > 0) length += 4;
  const bytes = new Uint8Array(length);
  const v = new DataView(bytes.buffer);
  v.setUint32(0, type, true);
  v.setUint32(4, length, true);
  bytes.set(body, 8);
  let at = 8 + body.length;
  for (const { code, value } of options) {
    v.setUint16(at, code, true);
    v.setUint16(at + 2, value.length, true);
    bytes.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  // the end of options is four zeros, which are there
  v.setUint32(length - 4, length, true);
  return bytes;
}
