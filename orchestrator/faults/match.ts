/**
 * Frames named by what they mean: `{ icmp6: neighborAdvertisement }`, `{ udp: 53, length: { min: 1280 } }`.
 *
 * Every field of a match is one entry of MATCHERS: the form it takes in a file, and the question it asks of a frame. A
 * protocol joins with an entry here; what `decode` does not tell, its question reads from the bytes.
 */
import { z } from 'zod';
import { type Decoded, decode } from '#stack/wire/decode.ts';
import { Type } from '#stack/wire/icmp6.ts';
import { OptionType } from '#stack/wire/nd.ts';
import { NextHeader } from '#stack/wire/next-header.ts';
import { Flag } from '#stack/wire/tcp.ts';
import { parseIp, parsePrefix, within } from '../ip-text.ts';
import { fields, flag, list, named, number, text } from '../schema-forms.ts';
import { expected, expectedOneOf } from '../topology-problems.ts';

/** A frame under question, decoded when a question first needs it. */
export class Seen {
  bytes: Uint8Array = new Uint8Array(0);
  readonly #linkType: 'ethernet' | 'raw';
  #decoded: Decoded | undefined;

  constructor(medium: 'ethernet' | 'tun') {
    this.#linkType = medium === 'tun' ? 'raw' : 'ethernet';
  }

  /** Another frame from here on. */
  is(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#decoded = undefined;
  }

  get decoded(): Decoded {
    this.#decoded ??= decode(this.bytes, this.#linkType);
    return this.#decoded;
  }
}

export type Question = (seen: Seen) => boolean;

interface Matcher<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  readonly question: (value: z.output<S>) => Question;
}
const matcher = <S extends z.ZodType>(schema: S, question: (value: z.output<S>) => Question): Matcher<S> => ({
  schema,
  question,
});

// Forms

function numbers(most: number, what: string) {
  const one = number(0, most);
  const range = fields('a range such as { min: 1, max: 9 }', { min: one.optional(), max: one.optional() });
  return z.union([one, list(one, 'a list of numbers'), range], {
    error: expected(`${what}: a number from 0 to ${most}, a list of them, or { min, max }`),
  });
}
type Numbers = z.output<ReturnType<typeof numbers>>;

function oneOrMore(names: readonly string[]) {
  const one = z.enum(names as [string, ...string[]], { error: expectedOneOf(names) });
  return z.union([one, list(one, 'a list of names')], { error: expectedOneOf(names) });
}

const ADDRESS = 'an address or prefix such as "2001:db8::1" or "2001:db8::/32"';
const isPrefix = (value: string): boolean => {
  const prefix = parsePrefix(value);
  return prefix !== undefined && prefix.zone === undefined;
};
const address = text(
  ADDRESS,
  (value) => parseIp(value) !== undefined || isPrefix(value),
  '^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$',
);
const addresses = z.union([address, list(address, 'a list of addresses')], {
  error: expected(`${ADDRESS}, or a list`),
});
const mac = text('a hardware address such as 02:00:00:00:00:01', /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i);
const any = z.literal('any');
const port = numbers(65_535, 'ports');

// Answers

const has = (wanted: Numbers | undefined, value: number | undefined): boolean => {
  if (wanted === undefined) return true;
  if (value === undefined) return false;
  if (typeof wanted === 'number') return value === wanted;
  if (Array.isArray(wanted)) return wanted.includes(value);
  return value >= (wanted.min ?? 0) && value <= (wanted.max ?? Number.POSITIVE_INFINITY);
};

const same = (wanted: boolean | undefined, value: boolean | undefined): boolean =>
  wanted === undefined || wanted === (value ?? false);

function addressIn(wanted: string | readonly string[] | undefined): (value: string | undefined) => boolean {
  if (wanted === undefined) return () => true;
  const prefixes = [wanted].flat().map((one) => {
    const prefix = parsePrefix(one);
    const ip = prefix ?? parseIp(one)!;
    return { ip, length: prefix?.length ?? 8 * ip.bytes.length };
  });
  return (value) => {
    const ip = value === undefined ? undefined : parseIp(value);
    return ip !== undefined && prefixes.some((prefix) => within(ip, prefix.ip, prefix.length));
  };
}

const includes = (wanted: string | readonly string[] | undefined, value: string): boolean =>
  wanted === undefined || wanted === value || (Array.isArray(wanted) && wanted.includes(value));

// Protocols

const ICMP6 = [...Object.keys(Type), 'any'];
const ND_OPTIONS = Object.keys(OptionType);
const FLAGS = Object.keys(Flag);
const HEADERS = ['hopByHop', 'destinationOptions', 'routing', 'fragment'] as const;
const PARTS = ['any', 'first', 'middle', 'last', 'atomic'] as const;
const byte = (what: string) => numbers(255, what);

const icmp6Fields = {
  type: oneOrMore(ICMP6).optional(),
  code: byte('codes').optional(),
  target: addresses.describe('Of a solicitation, an advertisement or a redirect.').optional(),
  destination: addresses.describe('Of a redirect.').optional(),
  router: flag().optional(),
  solicited: flag().optional(),
  override: flag().optional(),
  option: oneOrMore(ND_OPTIONS).describe('A Neighbor Discovery option that it carries.').optional(),
  mtu: numbers(2 ** 32 - 1, 'MTUs')
    .describe('Of a Packet Too Big.')
    .optional(),
  id: numbers(65_535, 'identifiers').describe('Of an echo.').optional(),
  seq: numbers(65_535, 'sequence numbers').describe('Of an echo.').optional(),
};

const ports = {
  port: port.describe('Of either end.').optional(),
  srcPort: port.optional(),
  dstPort: port.optional(),
};
interface Ports {
  readonly port?: Numbers | undefined;
  readonly srcPort?: Numbers | undefined;
  readonly dstPort?: Numbers | undefined;
}
const hasPorts = (wanted: Ports, { srcPort, dstPort }: { srcPort: number; dstPort: number }): boolean =>
  (has(wanted.port, srcPort) || has(wanted.port, dstPort)) &&
  has(wanted.srcPort, srcPort) &&
  has(wanted.dstPort, dstPort);
/** `udp: 53` and `udp: { dstPort: 53 }`. */
const portsOf = <T extends Ports>(value: 'any' | Numbers | T): T | Ports =>
  value === 'any' ? {} : isNumbers(value) ? { port: value } : value;
const isNumbers = (value: unknown): value is Numbers =>
  typeof value === 'number' ||
  Array.isArray(value) ||
  (typeof value === 'object' && value !== null && ('min' in value || 'max' in value));

const PORTS = 'a port such as 53, a list, or { port, srcPort, dstPort }';

export const MATCHERS = {
  eth: matcher(
    fields('fields of Ethernet such as { dst: 02:00:00:00:00:01 }', {
      src: mac.optional(),
      dst: mac.optional(),
      type: numbers(65_535, 'types').optional(),
    }),
    ({ src, dst, type }) =>
      ({ decoded: { eth } }) =>
        eth !== undefined &&
        (src === undefined || eth.src === src.toLowerCase()) &&
        (dst === undefined || eth.dst === dst.toLowerCase()) &&
        has(type, eth.type),
  ),
  arp: matcher(z.enum(['any', 'request', 'reply'], { error: expectedOneOf(['any', 'request', 'reply']) }), (value) => {
    const operation = value === 'request' ? 1 : 2;
    return ({ decoded: { arp } }) => arp !== undefined && (value === 'any' || arp.operation === operation);
  }),
  ip6: matcher(
    z.union(
      [
        any,
        fields('fields of IPv6 such as { dst: "2001:db8::1" }', {
          src: addresses.optional(),
          dst: addresses.optional(),
          hopLimit: byte('hop limits').optional(),
          nextHeader: byte('next headers').optional(),
          payloadLength: numbers(65_535, 'lengths').optional(),
          trafficClass: byte('traffic classes').optional(),
          flowLabel: numbers(0xf_ffff, 'flow labels').optional(),
        }),
      ],
      { error: expected('any, or fields of IPv6 such as { dst: "2001:db8::1" }') },
    ),
    (value) => {
      if (value === 'any') return ({ decoded }) => decoded.ip6 !== undefined;
      const [src, dst] = [addressIn(value.src), addressIn(value.dst)];
      return ({ decoded: { ip6 } }) =>
        ip6 !== undefined &&
        src(ip6.src) &&
        dst(ip6.dst) &&
        has(value.hopLimit, ip6.hopLimit) &&
        has(value.nextHeader, ip6.nextHeader) &&
        has(value.payloadLength, ip6.payloadLength) &&
        has(value.trafficClass, ip6.trafficClass) &&
        has(value.flowLabel, ip6.flowLabel);
    },
  ),
  ip4: matcher(
    z.union(
      [
        any,
        fields('fields of IPv4 such as { dst: 198.51.100.1 }', {
          src: addresses.optional(),
          dst: addresses.optional(),
          ttl: byte('times to live').optional(),
          protocol: byte('protocols').optional(),
        }),
      ],
      { error: expected('any, or fields of IPv4 such as { dst: 198.51.100.1 }') },
    ),
    (value) => {
      if (value === 'any') return ({ decoded }) => decoded.ip4 !== undefined;
      const [src, dst] = [addressIn(value.src), addressIn(value.dst)];
      return ({ decoded: { ip4 } }) =>
        ip4 !== undefined &&
        src(ip4.src) &&
        dst(ip4.dst) &&
        has(value.ttl, ip4.ttl) &&
        has(value.protocol, ip4.protocol);
    },
  ),
  header: matcher(
    oneOrMore(HEADERS),
    (value) =>
      ({ decoded: { headers = [] } }) =>
        [value].flat().every((name) => headers.includes(NextHeader[name as (typeof HEADERS)[number]])),
  ),
  protocol: matcher(
    byte('protocol numbers, of what follows all extension headers'),
    (value) =>
      ({ decoded: { protocol, ip4 } }) =>
        has(value, protocol ?? ip4?.protocol),
  ),
  fragment: matcher(
    z.union(
      [
        z.enum(PARTS, { error: expectedOneOf(PARTS) }),
        fields('fields of the fragment header such as { offset: 0, more: true }', {
          offset: numbers(65_528, 'offsets in bytes').optional(),
          more: flag().optional(),
          id: numbers(2 ** 32 - 1, 'identifications').optional(),
        }),
      ],
      { error: expected(`one of ${PARTS.join(', ')}, or { offset, more, id }`) },
    ),
    (value) =>
      ({ decoded: { fragment } }) => {
        if (fragment === undefined) return false;
        const { offset, more, id } = fragment;
        switch (value) {
          case 'any':
            return true;
          case 'first':
            return offset === 0 && more;
          case 'middle':
            return offset > 0 && more;
          case 'last':
            return offset > 0 && !more;
          case 'atomic':
            return offset === 0 && !more;
          default:
            return has(value.offset, offset) && same(value.more, more) && has(value.id, id);
        }
      },
  ),
  icmp6: matcher(
    z.union([oneOrMore(ICMP6), fields('fields of ICMPv6 such as { type: echoRequest }', icmp6Fields)], {
      error: expectedOneOf(ICMP6),
    }),
    (value) => {
      const wanted = typeof value === 'string' || Array.isArray(value) ? { type: value } : value;
      const [target, destination] = [addressIn(wanted.target), addressIn(wanted.destination)];
      return ({ decoded: { icmp6 } }) =>
        icmp6 !== undefined &&
        (includes(wanted.type, icmp6.name) || includes(wanted.type, 'any')) &&
        has(wanted.code, icmp6.code) &&
        target(icmp6.target) &&
        destination(icmp6.destination) &&
        same(wanted.router, icmp6.router) &&
        same(wanted.solicited, icmp6.solicited) &&
        same(wanted.override, icmp6.override) &&
        (wanted.option === undefined || (icmp6.options ?? []).some(({ name }) => includes(wanted.option, name))) &&
        has(wanted.mtu, icmp6.mtu) &&
        has(wanted.id, icmp6.echo?.id) &&
        has(wanted.seq, icmp6.echo?.seq);
    },
  ),
  icmp4: matcher(
    z.union(
      [
        any,
        fields('fields of ICMP such as { type: 8 }', {
          type: byte('types').optional(),
          code: byte('codes').optional(),
        }),
      ],
      { error: expected('any, or { type, code }') },
    ),
    (value) =>
      ({ decoded: { icmp4 } }) =>
        icmp4 !== undefined && (value === 'any' || (has(value.type, icmp4.type) && has(value.code, icmp4.code))),
  ),
  udp: matcher(
    z.union([any, port, fields('fields of UDP such as { dstPort: 53 }', ports)], { error: expected(PORTS) }),
    (value) => {
      const wanted = portsOf(value);
      return ({ decoded: { udp } }) => udp !== undefined && hasPorts(wanted, udp);
    },
  ),
  tcp: matcher(
    z.union(
      [
        any,
        port,
        fields('fields of TCP such as { flags: syn }', {
          ...ports,
          flags: oneOrMore(FLAGS).describe('All of these are set.').optional(),
          without: oneOrMore(FLAGS).describe('None of these is set.').optional(),
        }),
      ],
      { error: expected(PORTS) },
    ),
    (value) => {
      const wanted: Ports & { flags?: string | string[]; without?: string | string[] } = portsOf(value) as Ports;
      const [set, unset] = [bits(wanted.flags), bits(wanted.without)];
      return ({ decoded: { tcp } }) =>
        tcp !== undefined && hasPorts(wanted, tcp) && (tcp.flags & set) === set && (tcp.flags & unset) === 0;
    },
  ),
  length: matcher(
    numbers(65_549, 'bytes of the frame, link-layer header included'),
    (value) =>
      ({ bytes }) =>
        has(value, bytes.length),
  ),
} as const;

const bits = (names: string | readonly string[] = []): number =>
  [names].flat().reduce((sum, name) => sum | Flag[name as keyof typeof Flag], 0);

type Shape = { [Name in keyof typeof MATCHERS]: z.ZodOptional<(typeof MATCHERS)[Name]['schema']> };

/** The fields of a match, for a map of them. */
export const matchShape = Object.fromEntries(
  Object.entries(MATCHERS).map(([name, { schema }]) => [name, named(`match-${name}`, schema as z.ZodType).optional()]),
) as unknown as Shape;

export type Match = { readonly [Name in keyof Shape]?: z.output<Shape[Name]> | undefined };

/** All of a match's fields must agree. Undefined: any frame does, and need not be looked at. */
export function questionOf(match: Match): Question | undefined {
  const questions = Object.entries(match)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => (MATCHERS[name as keyof typeof MATCHERS] as Matcher).question(value));
  if (questions.length <= 1) return questions[0];
  return (seen) => questions.every((question) => question(seen));
}
