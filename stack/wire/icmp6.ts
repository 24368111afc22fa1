/**
 * ICMPv6, RFC 4443. Errors and echoes have 8 bytes in front of their data.
 *
 *   0: type   1: code   2: checksum   4: MTU or pointer (errors), identifier(2) sequence(2) (echo)
 *
 * KAME: struct icmp6_hdr.
 */
export const LENGTH = 4;
/** Of errors and echoes. */
export const HEADER = 8;
export const CHECKSUM = 2;

export const Type = {
  unreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
  mldQuery: 130,
  mldReport: 131,
  mldDone: 132,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighborSolicitation: 135,
  neighborAdvertisement: 136,
  redirect: 137,
  nodeInformationQuery: 139,
  nodeInformationReply: 140,
  mld2Report: 143,
} as const;
export type Type = (typeof Type)[keyof typeof Type];

export const Unreachable = {
  noRoute: 0,
  prohibited: 1,
  beyondScope: 2,
  address: 3,
  port: 4,
  sourcePolicy: 5,
  rejectRoute: 6,
} as const;
export const TimeExceeded = { hopLimit: 0, reassembly: 1 } as const;
/** Code 3 is RFC 7112's. */
export const ParameterProblem = { header: 0, nextHeader: 1, option: 2, firstFragment: 3 } as const;

/** Type below 128. */
export const isErrorType = (type: number): boolean => type < 128;

export const type = (v: DataView, at: number): number => v.getUint8(at);
export const code = (v: DataView, at: number): number => v.getUint8(at + 1);
export const checksum = (v: DataView, at: number): number => v.getUint16(at + 2);
/** Packet Too Big. */
export const mtu = (v: DataView, at: number): number => v.getUint32(at + 4);
/** Parameter Problem: offset of the trouble in the packet that follows. */
export const pointer = (v: DataView, at: number): number => v.getUint32(at + 4);
/** Echo. */
export const identifier = (v: DataView, at: number): number => v.getUint16(at + 4);
export const sequence = (v: DataView, at: number): number => v.getUint16(at + 6);

export const setChecksum = (v: DataView, at: number, value: number): void => v.setUint16(at + 2, value);

/** Any message's first 8 bytes, checksum zero; `parameter`: MTU, pointer or whatever the type has there. */
export function write(v: DataView, at: number, messageType: number, messageCode: number, parameter = 0): void {
  v.setUint8(at, messageType);
  v.setUint8(at + 1, messageCode);
  v.setUint16(at + 2, 0);
  v.setUint32(at + 4, parameter);
}

/** Request or reply, checksum zero. */
export function writeEcho(v: DataView, at: number, messageType: number, id: number, seq: number): void {
  v.setUint8(at, messageType);
  v.setUint8(at + 1, 0);
  v.setUint16(at + 2, 0);
  v.setUint16(at + 4, id);
  v.setUint16(at + 6, seq);
}
