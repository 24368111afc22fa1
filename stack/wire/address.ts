/**
 * IPv6 addresses, RFC 4291; text RFC 5952, scopes RFC 4007. 16 bytes.
 *
 * On the data path an address is where it lies, `(view, at)`, and nothing is copied. Off it an address is a
 * `Uint8Array(16)` that nobody changes. A zone stands beside the address, never inside.
 *
 * KAME: struct in6_addr, IN6_IS_ADDR_*, in6_matchlen, in6_are_prefix_equal.
 */
export const LENGTH = 16;

/** Off the data path: 16 bytes that nobody changes. */
export type Address = Uint8Array;

/** RFC 4291 §2.7; unicast addresses have one of them too (RFC 4007 §4). KAME: IPV6_ADDR_SCOPE_*. */
export const Scope = {
  interfaceLocal: 1,
  linkLocal: 2,
  adminLocal: 4,
  siteLocal: 5,
  organization: 8,
  global: 14,
} as const;
export type Scope = (typeof Scope)[keyof typeof Scope];

// ---- where it lies

/** Four words: 3 ns, byte loop 8 ns (Node 24). */
export const equals = (a: DataView, aAt: number, b: DataView, bAt: number): boolean =>
  a.getInt32(aAt + 12) === b.getInt32(bAt + 12) &&
  a.getInt32(aAt + 8) === b.getInt32(bAt + 8) &&
  a.getInt32(aAt + 4) === b.getInt32(bAt + 4) &&
  a.getInt32(aAt) === b.getInt32(bAt);

/** Whether `address` lies at `v[at]`. */
export function same(v: DataView, at: number, address: Address): boolean {
  for (let byte = 15; byte >= 0; byte--) if (v.getUint8(at + byte) !== address[byte]) return false;
  return true;
}

const topIsZero = (v: DataView, at: number): boolean => v.getInt32(at) === 0 && v.getInt32(at + 4) === 0;

export const isUnspecified = (v: DataView, at: number): boolean =>
  topIsZero(v, at) && v.getInt32(at + 8) === 0 && v.getInt32(at + 12) === 0;
export const isLoopback = (v: DataView, at: number): boolean =>
  topIsZero(v, at) && v.getInt32(at + 8) === 0 && v.getInt32(at + 12) === 1;
export const isMulticast = (v: DataView, at: number): boolean => v.getUint8(at) === 0xff;
/** fe80::/10. */
export const isLinkLocal = (v: DataView, at: number): boolean => (v.getUint16(at) & 0xffc0) === 0xfe80;
/** fec0::/10, deprecated by RFC 3879 but scoped still. */
export const isSiteLocal = (v: DataView, at: number): boolean => (v.getUint16(at) & 0xffc0) === 0xfec0;
/** ::ffff:0:0/96. */
export const isV4Mapped = (v: DataView, at: number): boolean => topIsZero(v, at) && v.getInt32(at + 8) === 0xffff;
/** ::/96 without :: and ::1. */
export const isV4Compatible = (v: DataView, at: number): boolean =>
  topIsZero(v, at) && v.getInt32(at + 8) === 0 && v.getUint32(at + 12) > 1;
/** ff02::1:ff00:0/104, RFC 4291 §2.7.1. */
export const isSolicitedNode = (v: DataView, at: number): boolean =>
  v.getUint32(at) === 0xff020000 &&
  v.getInt32(at + 4) === 0 &&
  v.getInt32(at + 8) === 1 &&
  v.getUint8(at + 12) === 0xff;

/** The scope field; only of a multicast address. */
export const multicastScope = (v: DataView, at: number): number => v.getUint8(at + 1) & 0xf;
export const isInterfaceLocalMulticast = (v: DataView, at: number): boolean =>
  isMulticast(v, at) && multicastScope(v, at) === Scope.interfaceLocal;
export const isLinkLocalMulticast = (v: DataView, at: number): boolean =>
  isMulticast(v, at) && multicastScope(v, at) === Scope.linkLocal;

/** ::1 counts as link-local (RFC 4007 §4), :: as global. KAME: in6_addrscope. */
export function scope(v: DataView, at: number): number {
  if (isMulticast(v, at)) return multicastScope(v, at);
  if (isLinkLocal(v, at)) return Scope.linkLocal;
  if (isSiteLocal(v, at)) return Scope.siteLocal;
  return isLoopback(v, at) ? Scope.linkLocal : Scope.global;
}

/** Its meaning depends on the link: it needs a zone. KAME: IN6_IS_SCOPE_LINKLOCAL and interface-local groups. */
export const isLinkScoped = (v: DataView, at: number): boolean =>
  isLinkLocal(v, at) || (isMulticast(v, at) && multicastScope(v, at) <= Scope.linkLocal);

/** The form that KAME keeps inside its kernel, `fe80:1::`: never valid on the wire or in a command. */
export const hasEmbeddedZone = (v: DataView, at: number): boolean => isLinkScoped(v, at) && v.getUint16(at + 2) !== 0;

export function copy(from: DataView, fromAt: number, to: DataView, toAt: number): void {
  to.setInt32(toAt, from.getInt32(fromAt));
  to.setInt32(toAt + 4, from.getInt32(fromAt + 4));
  to.setInt32(toAt + 8, from.getInt32(fromAt + 8));
  to.setInt32(toAt + 12, from.getInt32(fromAt + 12));
}

/** How many leading bits agree, 0..128. KAME: in6_matchlen. */
export function matchedLength(a: DataView, aAt: number, b: DataView, bAt: number): number {
  for (let word = 0; word < 16; word += 4) {
    const differ = a.getInt32(aAt + word) ^ b.getInt32(bAt + word);
    if (differ !== 0) return word * 8 + Math.clz32(differ);
  }
  return 128;
}

/** Whether the first `length` bits agree. KAME: in6_are_prefix_equal. */
export function prefixMatches(a: DataView, aAt: number, b: DataView, bAt: number, length: number): boolean {
  let bits = length;
  for (let word = 0; bits > 0; word += 4, bits -= 32) {
    const differ = a.getInt32(aAt + word) ^ b.getInt32(bAt + word);
    if (bits >= 32 ? differ !== 0 : differ >>> (32 - bits) !== 0) return false;
  }
  return true;
}

/** Clears what lies behind the first `length` bits. */
export function maskAt(v: DataView, at: number, length: number): void {
  for (let word = 0, bits = length; word < 16; word += 4, bits -= 32) {
    if (bits <= 0) v.setInt32(at + word, 0);
    else if (bits < 32) v.setInt32(at + word, v.getInt32(at + word) & (-1 << (32 - bits)));
  }
}

/** ff02::1:ff and the last three bytes of the address at `v[at]`. */
export function setSolicitedNode(to: DataView, toAt: number, v: DataView, at: number): void {
  to.setUint32(toAt, 0xff020000);
  to.setUint32(toAt + 4, 0);
  to.setUint32(toAt + 8, 1);
  to.setUint32(toAt + 12, 0xff000000 | v.getUint32(at + 12));
}

/** Put an address of the control plane into a packet. */
export function set(v: DataView, at: number, address: Address): void {
  for (let byte = 0; byte < 16; byte++) v.setUint8(at + byte, address[byte]!);
}

/** A copy of what lies there, for the control plane. */
export function get(v: DataView, at: number): Address {
  const address = new Uint8Array(16);
  for (let byte = 0; byte < 16; byte++) address[byte] = v.getUint8(at + byte);
  return address;
}

// ---- off the data path

/** To ask the questions above of an address: `isLinkLocal(viewOf(address), 0)`. Make it once and keep it. */
export const viewOf = (address: Address): DataView =>
  new DataView(address.buffer, address.byteOffset, address.byteLength);

/** Two addresses of the control plane. */
export function equal(a: Address, b: Address): boolean {
  for (let byte = 15; byte >= 0; byte--) if (a[byte] !== b[byte]) return false;
  return true;
}

/** The address with all behind `length` bits cleared. */
export function masked(address: Address, length: number): Address {
  const prefix = Uint8Array.from(address);
  maskAt(viewOf(prefix), 0, length);
  return prefix;
}

/** RFC 4291 §2.7.1. */
export function solicitedNode(address: Address): Address {
  const group = new Uint8Array(16);
  setSolicitedNode(viewOf(group), 0, viewOf(address), 0);
  return group;
}

/** Modified EUI-64 of a MAC address: ff:fe in the middle, universal bit inverted (RFC 4291 appendix A). */
export const interfaceId = (mac: Uint8Array): Uint8Array =>
  Uint8Array.of(mac[0]! ^ 2, mac[1]!, mac[2]!, 0xff, 0xfe, mac[3]!, mac[4]!, mac[5]!);

/** The first 8 bytes of `prefix` and an 8-byte interface identifier. */
export function withInterfaceId(prefix: Address, id: Uint8Array): Address {
  const address = new Uint8Array(16);
  address.set(prefix.subarray(0, 8));
  address.set(id, 8);
  return address;
}

/** fe80:: and the EUI-64 of the MAC. */
export const linkLocal = (mac: Uint8Array): Address => withInterfaceId(LINK_LOCAL_PREFIX, interfaceId(mac));

function parseIp4Bytes(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    // no leading zero: some readers take it for octal
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes.push(Number(part));
  }
  return bytes;
}

/** The groups on one side of `::`, an IPv4 tail allowed at the end of the text. */
function parseGroups(text: string, tail: boolean): number[] | undefined {
  const bytes: number[] = [];
  if (text === '') return bytes;
  const groups = text.split(':');
  for (let index = 0; index < groups.length; index++) {
    const group = groups[index]!;
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      const ip4 = tail && index === groups.length - 1 ? parseIp4Bytes(group) : undefined;
      if (ip4 === undefined) return undefined;
      bytes.push(...ip4);
    }
  }
  return bytes;
}

/** Text of RFC 4291 §2.2, no zone and no prefix length; undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 45) return undefined;
  const [left, right, more] = text.split('::');
  if (left === undefined || more !== undefined) return undefined;
  const head = parseGroups(left, right === undefined);
  const tail = right === undefined ? [] : parseGroups(right, true);
  if (head === undefined || tail === undefined) return undefined;
  const length = head.length + tail.length;
  if (right === undefined ? length !== 16 : length > 14) return undefined;
  const address = new Uint8Array(16);
  address.set(head);
  address.set(tail, 16 - tail.length);
  return address;
}

/** RFC 5952: small letters, the longest run of zero groups (the first of equals, two or more) as `::`. */
export function formatAddress(bytes: Uint8Array, at = 0): string {
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; ) {
    let end = start;
    while (end < 8 && bytes[at + 2 * end]! === 0 && bytes[at + 2 * end + 1]! === 0) end++;
    if (end - start > bestLength) {
      bestStart = start;
      bestLength = end - start;
    }
    start = end + 1;
  }
  // mapped and compatible addresses end in an IPv4 address (RFC 5952 §5; as inet_ntop prints them)
  const mapped = bestLength === 5 && bytes[at + 10] === 0xff && bytes[at + 11] === 0xff;
  const ip4 = bestStart === 0 && (bestLength === 6 || mapped);
  let text = '';
  for (let group = 0; group < 8; group++) {
    if (group === bestStart) {
      text += '::';
      group += bestLength - 1;
      continue;
    }
    if (text !== '' && !text.endsWith(':')) text += ':';
    if (group === 6 && ip4) return text + formatIp4(bytes, at + 12);
    text += ((bytes[at + 2 * group]! << 8) | bytes[at + 2 * group + 1]!).toString(16);
  }
  return text;
}

/** `192.0.2.1`. */
export const formatIp4 = (bytes: Uint8Array, at = 0): string =>
  `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;

export const parseIp4 = (text: string): Uint8Array | undefined => {
  const bytes = parseIp4Bytes(text);
  return bytes && Uint8Array.from(bytes);
};

export interface Scoped {
  readonly address: Address;
  /** Name or number of the zone as written, RFC 4007 §11. */
  readonly zone: string | undefined;
}

/** `fe80::1%tap0`; the zone is only text here. */
export function parseScoped(text: string): Scoped | undefined {
  const percent = text.indexOf('%');
  const address = parseAddress(percent < 0 ? text : text.slice(0, percent));
  const zone = percent < 0 ? undefined : text.slice(percent + 1);
  if (address === undefined || (zone !== undefined && !/^[A-Za-z0-9_.:-]+$/.test(zone))) return undefined;
  return { address, zone };
}

export const formatScoped = (address: Address, zone: string | undefined): string =>
  zone === undefined ? formatAddress(address) : `${formatAddress(address)}%${zone}`;

export interface Prefix {
  readonly address: Address;
  /** Bits, 0..128. */
  readonly length: number;
}

/** `2001:db8::/64`. Bits behind the length are kept: `2001:db8::1/64` names an interface's address, too. */
export function parsePrefix(text: string): Prefix | undefined {
  const [left, right, more] = text.split('/');
  if (left === undefined || right === undefined || more !== undefined) return undefined;
  const address = parseAddress(left);
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(right) || Number(right) > 128) return undefined;
  return { address, length: Number(right) };
}

export const formatPrefix = (prefix: Prefix): string => `${formatAddress(prefix.address)}/${prefix.length}`;

/** For constants and tests: the address of a text that is known to be one. */
export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`not an IPv6 address: '${text}'`);
  return parsed;
}

export const UNSPECIFIED: Address = address('::');
export const LOOPBACK: Address = address('::1');
export const LINK_LOCAL_PREFIX: Address = address('fe80::');
export const INTERFACE_LOCAL_ALL_NODES: Address = address('ff01::1');
export const ALL_NODES: Address = address('ff02::1');
export const ALL_ROUTERS: Address = address('ff02::2');
/** Where MLDv2 reports go, RFC 3810 §5.2.14. */
export const ALL_MLDV2_ROUTERS: Address = address('ff02::16');
