/**
 * Neighbor Discovery messages and options, RFC 4861 §4. Each message starts with the ICMPv6 type, code, checksum.
 *
 *   solicitation    (24)  4: reserved                            8: target(16)
 *   advertisement   (24)  4: router(1) solicited(1) override(1)  8: target(16)
 *   router solicit.  (8)  4: reserved
 *   router advert.  (16)  4: hop limit  5: managed(1) other(1) home agent(1) preference(2)  6: router lifetime
 *                         8: reachable time  12: retrans timer
 *   redirect        (40)  4: reserved                            8: target(16)  24: destination(16)
 *   option                0: type  1: length in units of 8       2: ...
 *
 * KAME: struct nd_neighbor_solicit, nd_neighbor_advert, nd_router_solicit, nd_router_advert, nd_redirect, nd_opt_hdr.
 */
import * as Address from './address.ts';
import { Type } from './icmp6.ts';

export const SOLICITATION_LENGTH = 24;
export const ADVERTISEMENT_LENGTH = 24;
export const ROUTER_SOLICITATION_LENGTH = 8;
export const ROUTER_ADVERTISEMENT_LENGTH = 16;
export const REDIRECT_LENGTH = 40;

/** Every message comes with this hop limit: it has crossed no router (RFC 4861 §6.1, §7.1, §8.1). */
export const HOP_LIMIT = 255;

/** Of a solicitation, an advertisement and a redirect. */
export const TARGET = 8;
/** Of a redirect. */
export const REDIRECT_DESTINATION = 24;

// ---- neighbor advertisement

export const router = (v: DataView, at: number): boolean => (v.getUint8(at + 4) & 0x80) !== 0;
export const solicited = (v: DataView, at: number): boolean => (v.getUint8(at + 4) & 0x40) !== 0;
export const override = (v: DataView, at: number): boolean => (v.getUint8(at + 4) & 0x20) !== 0;

// ---- router advertisement

/** 0: unspecified. */
export const hopLimit = (v: DataView, at: number): number => v.getUint8(at + 4);
export const managed = (v: DataView, at: number): boolean => (v.getUint8(at + 5) & 0x80) !== 0;
export const otherConfiguration = (v: DataView, at: number): boolean => (v.getUint8(at + 5) & 0x40) !== 0;
export const homeAgent = (v: DataView, at: number): boolean => (v.getUint8(at + 5) & 0x20) !== 0;
/** RFC 4191 §2.1: 1 high, 0 medium, -1 low; the reserved value counts as medium. */
export const preference = (v: DataView, at: number): number => preferenceOf(v.getUint8(at + 5));
/** Seconds. */
export const routerLifetime = (v: DataView, at: number): number => v.getUint16(at + 6);
/** Milliseconds; 0: unspecified. */
export const reachableTime = (v: DataView, at: number): number => v.getUint32(at + 8);
/** Milliseconds; 0: unspecified. */
export const retransTimer = (v: DataView, at: number): number => v.getUint32(at + 12);

const preferenceOf = (flags: number): number => [0, 1, 0, -1][(flags >> 3) & 3]!;

// ---- writers: the checksum is left zero, addresses and options are the caller's

const start = (v: DataView, at: number, type: number, word: number): void => {
  v.setUint8(at, type);
  v.setUint8(at + 1, 0);
  v.setUint16(at + 2, 0);
  v.setUint32(at + 4, word);
};

/** The target goes to `at + TARGET`. */
export const writeSolicitation = (v: DataView, at: number): void => start(v, at, Type.neighborSolicitation, 0);

/** The target goes to `at + TARGET`. */
export const writeAdvertisement = (
  v: DataView,
  at: number,
  isRouter: boolean,
  asked: boolean,
  replace: boolean,
): void =>
  start(
    v,
    at,
    Type.neighborAdvertisement,
    (isRouter ? 0x80000000 : 0) + (asked ? 0x40000000 : 0) + (replace ? 0x20000000 : 0),
  );

export const writeRouterSolicitation = (v: DataView, at: number): void => start(v, at, Type.routerSolicitation, 0);

export interface RouterAdvertisement {
  readonly hopLimit: number;
  readonly managed: boolean;
  readonly otherConfiguration: boolean;
  readonly homeAgent: boolean;
  readonly preference: number;
  /** Seconds. */
  readonly routerLifetime: number;
  /** Milliseconds. */
  readonly reachableTime: number;
  /** Milliseconds. */
  readonly retransTimer: number;
}

export const parseRouterAdvertisement = (v: DataView, at: number): RouterAdvertisement => ({
  hopLimit: hopLimit(v, at),
  managed: managed(v, at),
  otherConfiguration: otherConfiguration(v, at),
  homeAgent: homeAgent(v, at),
  preference: preference(v, at),
  routerLifetime: routerLifetime(v, at),
  reachableTime: reachableTime(v, at),
  retransTimer: retransTimer(v, at),
});

export function writeRouterAdvertisement(v: DataView, at: number, from: RouterAdvertisement): void {
  start(v, at, Type.routerAdvertisement, 0);
  v.setUint8(at + 4, from.hopLimit);
  v.setUint8(
    at + 5,
    (from.managed ? 0x80 : 0) |
      (from.otherConfiguration ? 0x40 : 0) |
      (from.homeAgent ? 0x20 : 0) |
      preferenceBits(from.preference),
  );
  v.setUint16(at + 6, from.routerLifetime);
  v.setUint32(at + 8, from.reachableTime);
  v.setUint32(at + 12, from.retransTimer);
}

const preferenceBits = (preference: number): number => (preference & 3) << 3;

/** Target and destination go to `at + TARGET` and `at + REDIRECT_DESTINATION`. */
export const writeRedirect = (v: DataView, at: number): void => start(v, at, Type.redirect, 0);

// ---- options, where they lie

export const OptionType = {
  sourceLinkLayer: 1,
  targetLinkLayer: 2,
  prefixInformation: 3,
  redirectedHeader: 4,
  mtu: 5,
  nonce: 14,
  routeInformation: 24,
  rdnss: 25,
  dnssl: 31,
} as const;
export type OptionType = (typeof OptionType)[keyof typeof OptionType];

export const optionType = (v: DataView, at: number): number => v.getUint8(at);
/** In bytes, not in 8-byte units. */
export const optionLength = (v: DataView, at: number): number => v.getUint8(at + 1) * 8;

/**
 * No option between `at` and `end` is empty or longer than the rest (RFC 4861 §4.6); when so, they can be walked by
 * `for (let o = at; o < end; o += optionLength(v, o))`.
 */
export function optionsValid(v: DataView, at: number, end: number): boolean {
  while (at < end) {
    if (at + 2 > end) return false;
    const length = optionLength(v, at);
    if (length === 0 || at + length > end) return false;
    at += length;
  }
  return true;
}

/** Where the first option of the type lies among the first `limit` of valid options; -1 without one. */
export function findOption(v: DataView, at: number, end: number, type: number, limit = 255): number {
  for (let seen = 0; at < end && seen < limit; at += optionLength(v, at), seen++)
    if (v.getUint8(at) === type) return at;
  return -1;
}

/** Of a source or target link-layer option: the address, where it lies. */
export const LINK_LAYER = 2;

/** Prefix information, RFC 4861 §4.6.2: always 32 bytes. */
export const PREFIX_INFORMATION_LENGTH = 32;
export const PREFIX = 16;
export const prefixLength = (v: DataView, at: number): number => v.getUint8(at + 2);
export const onLink = (v: DataView, at: number): boolean => (v.getUint8(at + 3) & 0x80) !== 0;
export const autonomous = (v: DataView, at: number): boolean => (v.getUint8(at + 3) & 0x40) !== 0;
/** Seconds; 0xffffffff: for ever. */
export const validLifetime = (v: DataView, at: number): number => v.getUint32(at + 4);
/** Seconds; 0xffffffff: for ever. */
export const preferredLifetime = (v: DataView, at: number): number => v.getUint32(at + 8);

/** MTU option, RFC 4861 §4.6.4: always 8 bytes. */
export const optionMtu = (v: DataView, at: number): number => v.getUint32(at + 4);

/** Redirected header, RFC 4861 §4.6.3: where the quoted packet starts. */
export const REDIRECTED = 8;

/** An Ethernet address as option `type`: 8 bytes, which is returned. */
export function writeLinkLayer(v: DataView, at: number, type: number, mac: Uint8Array): number {
  v.setUint8(at, type);
  v.setUint8(at + 1, 1);
  for (let byte = 0; byte < 6; byte++) v.setUint8(at + 2 + byte, mac[byte]!);
  return 8;
}

/** The head of a redirected header option whose quoted packet of `quoted` bytes (padded to 8 by the caller) follows. */
export function writeRedirectedHeader(v: DataView, at: number, quoted: number): number {
  v.setUint8(at, OptionType.redirectedHeader);
  v.setUint8(at + 1, 1 + ((quoted + 7) >> 3));
  v.setUint16(at + 2, 0);
  v.setUint32(at + 4, 0);
  return 8;
}

/** Enhanced DAD's 6 bytes, RFC 7527: 8 in all. */
export function writeNonce(v: DataView, at: number, nonce: Uint8Array): number {
  return writeOption(v, at, { type: 'nonce', nonce });
}

// ---- options as objects, off the data path

/** Times in seconds as on the wire, 0xffffffff for ever. `malformed`: a known type with a length it can't have. */
export type Option =
  | { readonly type: 'sourceLinkLayer' | 'targetLinkLayer'; readonly address: Uint8Array }
  | {
      readonly type: 'prefixInformation';
      readonly prefix: Uint8Array;
      readonly length: number;
      readonly onLink: boolean;
      readonly autonomous: boolean;
      readonly validLifetime: number;
      readonly preferredLifetime: number;
    }
  | { readonly type: 'redirectedHeader'; readonly packet: Uint8Array }
  | { readonly type: 'mtu'; readonly mtu: number }
  | { readonly type: 'nonce'; readonly nonce: Uint8Array }
  | {
      readonly type: 'routeInformation';
      readonly prefix: Uint8Array;
      readonly length: number;
      readonly preference: number;
      readonly lifetime: number;
    }
  | { readonly type: 'rdnss'; readonly lifetime: number; readonly servers: readonly Uint8Array[] }
  | { readonly type: 'dnssl'; readonly lifetime: number; readonly domains: readonly string[] }
  | { readonly type: 'unknown' | 'malformed'; readonly number: number; readonly bytes: Uint8Array };

const bytesOf = (v: DataView, at: number, length: number): Uint8Array =>
  new Uint8Array(v.buffer, v.byteOffset + at, length).slice();

/** All options between `at` and `end`; undefined when one of them is empty or overruns. */
export function parseOptions(v: DataView, at: number, end: number): Option[] | undefined {
  if (!optionsValid(v, at, end)) return undefined;
  const options: Option[] = [];
  for (; at < end; at += optionLength(v, at)) options.push(parseOption(v, at));
  return options;
}

/** One option that fits. */
export function parseOption(v: DataView, at: number): Option {
  const number = optionType(v, at);
  const length = optionLength(v, at);
  const malformed = (): Option => ({ type: 'malformed', number, bytes: bytesOf(v, at + 2, length - 2) });
  switch (number) {
    case OptionType.sourceLinkLayer:
      return { type: 'sourceLinkLayer', address: bytesOf(v, at + 2, length - 2) };
    case OptionType.targetLinkLayer:
      return { type: 'targetLinkLayer', address: bytesOf(v, at + 2, length - 2) };
    case OptionType.prefixInformation:
      if (length !== PREFIX_INFORMATION_LENGTH) return malformed();
      return {
        type: 'prefixInformation',
        prefix: Address.get(v, at + PREFIX),
        length: prefixLength(v, at),
        onLink: onLink(v, at),
        autonomous: autonomous(v, at),
        validLifetime: validLifetime(v, at),
        preferredLifetime: preferredLifetime(v, at),
      };
    case OptionType.redirectedHeader:
      return { type: 'redirectedHeader', packet: bytesOf(v, at + REDIRECTED, length - REDIRECTED) };
    case OptionType.mtu:
      return length === 8 ? { type: 'mtu', mtu: optionMtu(v, at) } : malformed();
    case OptionType.nonce:
      return { type: 'nonce', nonce: bytesOf(v, at + 2, length - 2) };
    case OptionType.routeInformation: {
      // RFC 4191 §2.3: the prefix may be cut to 0, 8 or 16 bytes
      const bits = v.getUint8(at + 2);
      if (length > 24 || bits > 128 || bits > (length - 8) * 8) return malformed();
      const prefix = new Uint8Array(16);
      prefix.set(bytesOf(v, at + 8, length - 8));
      const preference = preferenceOf(v.getUint8(at + 3));
      return { type: 'routeInformation', prefix, length: bits, preference, lifetime: v.getUint32(at + 4) };
    }
    case OptionType.rdnss: {
      if (length < 24 || length % 16 !== 8) return malformed();
      const servers: Uint8Array[] = [];
      for (let server = at + 8; server < at + length; server += 16) servers.push(Address.get(v, server));
      return { type: 'rdnss', lifetime: v.getUint32(at + 4), servers };
    }
    case OptionType.dnssl: {
      const domains = length < 16 ? undefined : parseDomains(bytesOf(v, at + 8, length - 8));
      return domains ? { type: 'dnssl', lifetime: v.getUint32(at + 4), domains } : malformed();
    }
    default:
      return { type: 'unknown', number, bytes: bytesOf(v, at + 2, length - 2) };
  }
}

/** Labels of RFC 1035 §3.1 without compression, zero bytes behind the last name. */
function parseDomains(bytes: Uint8Array): string[] | undefined {
  const domains: string[] = [];
  let labels: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at]!;
    if (length > 63 || at + 1 + length > bytes.length) return undefined;
    if (length === 0) {
      if (labels.length > 0) domains.push(labels.join('.'));
      labels = [];
    } else labels.push(String.fromCharCode(...bytes.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return labels.length === 0 && domains.length > 0 ? domains : undefined;
}

function domainBytes(domains: readonly string[]): Uint8Array {
  const bytes: number[] = [];
  for (const domain of domains) {
    for (const label of domain.split('.')) {
      if (label.length === 0 || label.length > 63) throw new Error(`not a domain name: '${domain}'`);
      bytes.push(label.length, ...Array.from(label, (char) => char.charCodeAt(0) & 0xff));
    }
    bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

/** Bytes the option takes, a multiple of 8. */
export const lengthOf = (option: Option): number => (2 + body(option).length + 7) & ~7;

/** Writes one option, padded with zeros; returns the bytes taken. */
export function writeOption(v: DataView, at: number, option: Option): number {
  const content = body(option);
  const length = (2 + content.length + 7) & ~7;
  if (length > 255 * 8) throw new Error(`an option of ${length} bytes does not fit`);
  v.setUint8(at, 'number' in option ? option.number : OptionType[option.type]);
  v.setUint8(at + 1, length / 8);
  for (let byte = 0; byte < length - 2; byte++) v.setUint8(at + 2 + byte, content[byte] ?? 0);
  return length;
}

/** All behind type and length. */
function body(option: Option): Uint8Array {
  switch (option.type) {
    case 'sourceLinkLayer':
    case 'targetLinkLayer':
      return option.address;
    case 'prefixInformation': {
      const bytes = new Uint8Array(30);
      const v = new DataView(bytes.buffer);
      v.setUint8(0, option.length);
      v.setUint8(1, (option.onLink ? 0x80 : 0) | (option.autonomous ? 0x40 : 0));
      v.setUint32(2, option.validLifetime);
      v.setUint32(6, option.preferredLifetime);
      bytes.set(option.prefix, 14);
      return bytes;
    }
    case 'redirectedHeader':
      return Uint8Array.of(0, 0, 0, 0, 0, 0, ...option.packet);
    case 'mtu':
      return Uint8Array.of(0, 0, ...word(option.mtu));
    case 'nonce':
      return option.nonce;
    case 'routeInformation': {
      const prefix = option.prefix.subarray(0, option.length === 0 ? 0 : option.length <= 64 ? 8 : 16);
      return Uint8Array.of(option.length, preferenceBits(option.preference), ...word(option.lifetime), ...prefix);
    }
    case 'rdnss':
      return Uint8Array.of(0, 0, ...word(option.lifetime), ...option.servers.flatMap((server) => [...server]));
    case 'dnssl':
      return Uint8Array.of(0, 0, ...word(option.lifetime), ...domainBytes(option.domains));
    case 'unknown':
    case 'malformed':
      return option.bytes;
  }
}

const word = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
