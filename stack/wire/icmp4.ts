/**
 * ICMP, RFC 792. Errors and echoes have 8 bytes in front of their data.
 *
 *   0: type   1: code   2: checksum   4: identifier(2) sequence(2) (echo), 6: next-hop MTU (unreachable, RFC 1191)
 *
 * KAME: struct icmp.
 */
export const HEADER = 8;

export const Type = {
  echoReply: 0,
  unreachable: 3,
  redirect: 5,
  echoRequest: 8,
  timeExceeded: 11,
  parameterProblem: 12,
} as const;
export const Unreachable = { net: 0, host: 1, protocol: 2, port: 3, needFragmentation: 4, prohibited: 13 } as const;

export const type = (v: DataView, at: number): number => v.getUint8(at);
export const code = (v: DataView, at: number): number => v.getUint8(at + 1);
export const checksum = (v: DataView, at: number): number => v.getUint16(at + 2);
export const identifier = (v: DataView, at: number): number => v.getUint16(at + 4);
export const sequence = (v: DataView, at: number): number => v.getUint16(at + 6);
export const mtu = (v: DataView, at: number): number => v.getUint16(at + 6);
