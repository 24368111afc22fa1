/**
 * Ethernet header, RFC 894 and RFC 2464. Always 14 bytes.
 *
 *   0: destination(6)   6: source(6)   12: type
 *
 * KAME: struct ether_header.
 */
export const LENGTH = 14;
export const DESTINATION = 0;
export const SOURCE = 6;
/** Bytes of a station's address. */
export const ADDRESS = 6;

export const EtherType = { ip4: 0x0800, arp: 0x0806, vlan: 0x8100, ip6: 0x86dd } as const;
export type EtherType = (typeof EtherType)[keyof typeof EtherType];

/** A station's address off the data path: 6 bytes that nobody changes. */
export type Mac = Uint8Array;
export const BROADCAST: Mac = new Uint8Array(6).fill(0xff);

export const type = (v: DataView, at: number): number => v.getUint16(at + 12);
/** A group: multicast or broadcast. */
export const isMulticast = (v: DataView, at: number): boolean => (v.getUint8(at) & 1) !== 0;
export const isBroadcast = (v: DataView, at: number): boolean =>
  v.getUint16(at) === 0xffff && v.getUint32(at + 2) === 0xffffffff;
/** Two station addresses, wherever they lie. */
export const equals = (a: DataView, aAt: number, b: DataView, bAt: number): boolean =>
  a.getUint32(aAt + 2) === b.getUint32(bAt + 2) && a.getUint16(aAt) === b.getUint16(bAt);
export const same = (v: DataView, at: number, mac: Mac): boolean => {
  for (let byte = 5; byte >= 0; byte--) if (v.getUint8(at + byte) !== mac[byte]) return false;
  return true;
};

export const setType = (v: DataView, at: number, value: number): void => v.setUint16(at + 12, value);
export const setAddress = (v: DataView, at: number, mac: Mac): void => {
  for (let byte = 0; byte < 6; byte++) v.setUint8(at + byte, mac[byte]!);
};
/** The group's station address, 33:33 and its last four bytes (RFC 2464 §7); the group lies at `group[groupAt]`. */
export const setMulticast = (v: DataView, at: number, group: DataView, groupAt: number): void => {
  v.setUint16(at, 0x3333);
  v.setUint32(at + 2, group.getUint32(groupAt + 12));
};

export function write(v: DataView, at: number, destination: Mac, source: Mac, etherType: number): void {
  setAddress(v, at, destination);
  setAddress(v, at + SOURCE, source);
  v.setUint16(at + 12, etherType);
}

/** The same mapping off the data path. */
export const multicastMac = (group: Uint8Array): Mac => Uint8Array.of(0x33, 0x33, ...group.subarray(12, 16));

/** `02:00:00:00:00:01`; one digit a byte is taken too, as BSD prints it. Undefined when it is no such text. */
export function parseMac(text: string): Mac | undefined {
  const parts = text.split(':');
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-fA-F]{1,2}$/.test(part))) return undefined;
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
}

export function formatMac(bytes: Uint8Array, at = 0): string {
  let text = '';
  for (let byte = at; byte < at + 6; byte++)
    text += (byte === at ? '' : ':') + bytes[byte]!.toString(16).padStart(2, '0');
  return text;
}
