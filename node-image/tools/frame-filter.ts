/**
 * Filter expressions of tcpdump, the part of pcap-filter(7) that IPv6 has use for:
 *
 *   ip6 arp icmp6 udp tcp   [src|dst] host ADDRESS   [src|dst] net PREFIX   [src|dst] port N   ether host MAC
 *   not, and, or, ( )       && || !
 */
import { parseAddress, parsePrefix, prefixMatches, viewOf } from '#stack/wire/address.ts';
import type { Decoded } from '#stack/wire/decode.ts';
import { formatMac, parseMac } from '#stack/wire/ethernet.ts';
import { ToolError } from './options.ts';

export type Filter = (frame: Decoded) => boolean;

const PROTOCOLS: Readonly<Record<string, Filter>> = {
  ip6: (frame) => frame.ip6 !== undefined,
  arp: (frame) => frame.arp !== undefined,
  icmp6: (frame) => frame.icmp6 !== undefined,
  udp: (frame) => frame.udp !== undefined,
  tcp: (frame) => frame.tcp !== undefined,
};

type Side = 'src' | 'dst' | undefined;

/** Everything, for an empty text. Throws ToolError. */
export function parseFilter(text: string): Filter {
  const words = text
    .replaceAll(/[()]|&&|\|\||!/g, ' $& ')
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return () => true;
  const filter = either(words);
  if (words.length > 0) throw new ToolError(`syntax error in filter expression: ${words[0]}`);
  return filter;
}

function either(words: string[]): Filter {
  const filters = [both(words)];
  while (words[0] === 'or' || words[0] === '||') {
    words.shift();
    filters.push(both(words));
  }
  return (frame) => filters.some((filter) => filter(frame));
}

function both(words: string[]): Filter {
  const filters = [one(words)];
  while (words[0] === 'and' || words[0] === '&&') {
    words.shift();
    filters.push(one(words));
  }
  return (frame) => filters.every((filter) => filter(frame));
}

function one(words: string[]): Filter {
  const word = words.shift();
  if (word === undefined) throw new ToolError('syntax error in filter expression: it ends too early');
  if (word === 'not' || word === '!') {
    const filter = one(words);
    return (frame) => !filter(frame);
  }
  if (word === '(') {
    const filter = either(words);
    if (words.shift() !== ')') throw new ToolError('syntax error in filter expression: ) is missing');
    return filter;
  }
  const protocol = Object.hasOwn(PROTOCOLS, word) ? PROTOCOLS[word] : undefined;
  if (protocol !== undefined) return protocol;
  if (word === 'ether') return ether(words);
  const side = word === 'src' || word === 'dst' ? word : undefined;
  return located(side, side === undefined ? word : (words.shift() ?? ''), words);
}

function ether(words: string[]): Filter {
  const side = words[0] === 'src' || words[0] === 'dst' ? words.shift() : undefined;
  if (words[0] === 'host') words.shift();
  const mac = parseMac(words.shift() ?? '');
  if (mac === undefined) throw new ToolError('syntax error in filter expression: ether wants a link-layer address');
  const text = formatMac(mac);
  return ({ eth }) =>
    eth !== undefined && ((side !== 'dst' && eth.src === text) || (side !== 'src' && eth.dst === text));
}

/** What stands on either side of a packet: an address, a prefix, a port. */
function located(side: Side, kind: string, words: string[]): Filter {
  switch (kind) {
    case 'host':
      return within(side, `${words.shift()}/128`);
    case 'net':
      return within(side, words.shift() ?? '');
    case 'port': {
      const port = Number(words.shift());
      if (!(port >= 0 && port <= 65_535)) throw new ToolError('syntax error in filter expression: port wants a number');
      return (frame) => {
        const ends = frame.udp ?? frame.tcp;
        return (
          ends !== undefined && ((side !== 'dst' && ends.srcPort === port) || (side !== 'src' && ends.dstPort === port))
        );
      };
    }
    default:
      if (side === undefined && parseAddress(kind) === undefined)
        throw new ToolError(`syntax error in filter expression: ${kind}`);
      return within(side, `${kind}/128`);
  }
}

function within(side: Side, text: string): Filter {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new ToolError(`syntax error in filter expression: ${text.replace(/\/128$/, '')}`);
  const view = viewOf(prefix.address);
  const has = (address: string): boolean => prefixMatches(viewOf(parseAddress(address)!), 0, view, 0, prefix.length);
  return ({ ip6 }) => ip6 !== undefined && ((side !== 'dst' && has(ip6.src)) || (side !== 'src' && has(ip6.dst)));
}
