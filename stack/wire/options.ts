/**
 * Hop-by-Hop and Destination Options headers, RFC 8200 §4.2, §4.3, §4.6.
 *
 *   header  0: next header  1: length in units of 8 without the first   2: option...
 *   option  0: type, whose top two bits say what who doesn't know it does   1: length of data   2: data
 *
 * KAME: struct ip6_hbh, ip6_dest, ip6_opt.
 */
export const nextHeader = (v: DataView, at: number): number => v.getUint8(at);
/** In bytes, of the whole header. */
export const headerLength = (v: DataView, at: number): number => (v.getUint8(at + 1) + 1) * 8;
/** Where options start in the header. */
export const OPTIONS = 2;

export const OptionType = {
  pad1: 0,
  padN: 1,
  tunnelEncapsulationLimit: 4,
  routerAlert: 5,
  jumbo: 0xc2,
  homeAddress: 0xc9,
} as const;
export type OptionType = (typeof OptionType)[keyof typeof OptionType];

export const Action = { skip: 0, discard: 1, problem: 2, problemUnlessMulticast: 3 } as const;
export type Action = (typeof Action)[keyof typeof Action];

export const type = (v: DataView, at: number): number => v.getUint8(at);
/** What is to be done with an option that nobody knows. */
export const action = (v: DataView, at: number): number => v.getUint8(at) >> 6;
export const DATA = 2;

/**
 * Bytes of the whole option, or 0 when it runs over `end`. The walk:
 * `for (let o = at + OPTIONS, n; o < end; o += n) { n = length(v, o, end); if (n === 0) return drop(...); ... }`
 */
export function length(v: DataView, at: number, end: number): number {
  if (v.getUint8(at) === OptionType.pad1) return 1;
  if (at + 2 > end) return 0;
  const bytes = 2 + v.getUint8(at + 1);
  return at + bytes > end ? 0 : bytes;
}

/** RFC 2711: 0 is MLD, 1 RSVP, 2 active networks. */
export const routerAlert = (v: DataView, at: number): number => v.getUint16(at + 2);
export const RouterAlert = { mld: 0, rsvp: 1, activeNetworks: 2 } as const;
/** RFC 2675. */
export const jumboLength = (v: DataView, at: number): number => v.getUint32(at + 2);
/** RFC 6275 §6.3: where the address lies in the option. */
export const HOME_ADDRESS = 2;

/** `bytes` of padding: Pad1 or PadN. */
export function writePad(v: DataView, at: number, bytes: number): void {
  if (bytes === 0) return;
  v.setUint8(at, bytes === 1 ? OptionType.pad1 : OptionType.padN);
  if (bytes > 1) v.setUint8(at + 1, bytes - 2);
  for (let byte = 2; byte < bytes; byte++) v.setUint8(at + byte, 0);
}

/** A header's first two bytes; `bytes` is the whole length, a multiple of 8. */
export function writeHeader(v: DataView, at: number, next: number, bytes: number): void {
  v.setUint8(at, next);
  v.setUint8(at + 1, bytes / 8 - 1);
}

/** A Hop-by-Hop header of nothing but a router alert, as MLD sends it (RFC 2710 §3). */
export const ROUTER_ALERT_HEADER = 8;
export function writeRouterAlert(v: DataView, at: number, next: number, value: number): void {
  writeHeader(v, at, next, ROUTER_ALERT_HEADER);
  v.setUint8(at + 2, OptionType.routerAlert);
  v.setUint8(at + 3, 2);
  v.setUint16(at + 4, value);
  writePad(v, at + 6, 2);
}
