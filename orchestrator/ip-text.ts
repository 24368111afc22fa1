/** Addresses and prefixes of both families as people write them in a topology, and what a range is for. */
import { formatAddress, formatIp4, parseAddress, parseIp4 } from '#stack/wire/address.ts';

export interface Ip {
  readonly family: 4 | 6;
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array;
}

export function parseIp(text: string): Ip | undefined {
  const family = text.includes(':') ? 6 : 4;
  const bytes = family === 6 ? parseAddress(text) : parseIp4(text);
  return bytes && { family, bytes };
}

export const formatIp = ({ family, bytes }: Ip): string => (family === 6 ? formatAddress(bytes) : formatIp4(bytes));

/** `2001:db8::1%ab/64` and also `2001:db8::1/64%ab`: an address with its zone or interface and its prefix length. */
export interface IpPrefix extends Ip {
  readonly length: number;
  readonly zone: string | undefined;
}

export function parsePrefix(text: string): IpPrefix | undefined {
  const parts = /^([^%/]+)(?:%([^%/]+))?\/(0|[1-9]\d{0,2})(?:%([^%/]+))?$/.exec(text);
  const ip = parts && parseIp(parts[1]!);
  if (!parts || !ip || (parts[2] && parts[4])) return undefined;
  const length = Number(parts[3]);
  return length <= 8 * ip.bytes.length ? { ...ip, length, zone: parts[2] ?? parts[4] } : undefined;
}

/** `fe80::1%ab`: a next hop with its zone. */
export function parseZoned(text: string): (Ip & { readonly zone: string | undefined }) | undefined {
  const parts = /^([^%/]+)(?:%([^%/]+))?$/.exec(text);
  const ip = parts && parseIp(parts[1]!);
  return parts && ip ? { ...ip, zone: parts[2] } : undefined;
}

/** The same address with every bit after the prefix zero. */
export function network(ip: Ip, length: number): Ip {
  const bytes = ip.bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))));
  return { family: ip.family, bytes };
}

export const sameIp = (a: Ip, b: Ip): boolean =>
  a.family === b.family && a.bytes.every((byte, i) => byte === b.bytes[i]);

export const within = (ip: Ip, prefix: Ip, length: number): boolean =>
  ip.family === prefix.family && sameIp(network(ip, length), network(prefix, length));

const inAny = (ranges: readonly string[]): ((ip: Ip) => boolean) => {
  const prefixes = ranges.map((range) => parsePrefix(range)!);
  return (ip) => prefixes.some((prefix) => within(ip, prefix, prefix.length));
};

export const isLinkLocal = inAny(['fe80::/10']);
export const isMulticast = inAny(['ff00::/8', '224.0.0.0/4']);
export const isUnspecified = inAny(['::/128', '0.0.0.0/32']);

/** Ranges that mean nobody in particular, so that a lab's frames can hurt no one if they ever get out. */
export const isForLabs = inAny([
  '2001:db8::/32', // documentation, RFC 3849
  '3fff::/20', // documentation, RFC 9637
  '2001:2::/48', // benchmarking, RFC 5180
  'fc00::/7', // unique local, RFC 4193
  'fe80::/10',
  '::1/128',
  '192.0.2.0/24', // documentation, RFC 5737
  '198.51.100.0/24',
  '203.0.113.0/24',
  '198.18.0.0/15', // benchmarking, RFC 2544
  '10.0.0.0/8', // private, RFC 1918
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '127.0.0.0/8',
]);
