/**
 * Looking ahead along the chain of headers without processing them: for ICMPv6 errors, which must know what a packet is, and
 * for the rule that a first fragment holds all headers (RFC 7112). KAME: ip6_lasthdr, ip6_nexthdr.
 */
import * as Fragment from '../wire/fragment.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import { NextHeader } from '../wire/next-header.ts';
import * as Options from '../wire/options.ts';

/** Headers that are followed by another; past this many nobody looks on. */
const LONGEST = 512;

/** Where the chain of headers ends. One object, filled anew by each call: read it before the next one. */
export interface Upper {
  /** The upper-layer protocol, or the last header that could be read. */
  protocol: number;
  /** Its start, an absolute offset; `end` or more if it is not in the packet. */
  at: number;
  /** The packet is a fragment other than the first: what is at `at` is no header. */
  inner: boolean;
}

const found: Upper = { protocol: 0, at: 0, inner: false };

/** The upper layer of the packet at `view[ip]`, which ends at `end`. */
export function upperLayer(view: DataView, ip: number, end: number): Upper {
  return follow(view, Ip6.nextHeader(view, ip), ip + Ip6.LENGTH, end);
}

function follow(view: DataView, first: number, start: number, end: number): Upper {
  found.inner = false;
  let protocol = first;
  let at = start;
  for (let headers = 0; headers < LONGEST && at + 2 <= end; headers++) {
    let length: number;
    switch (protocol) {
      case NextHeader.hopByHop:
      case NextHeader.routing:
      case NextHeader.destinationOptions:
        length = Options.headerLength(view, at);
        break;
      case NextHeader.ah:
        length = (view.getUint8(at + 1) + 2) * 4;
        break;
      case NextHeader.fragment:
        if (at + Fragment.LENGTH > end) length = 0;
        else if (Fragment.offset(view, at) !== 0) {
          found.inner = true;
          length = 0;
        } else length = Fragment.LENGTH;
        if (length === 0) {
          found.protocol = found.inner ? Fragment.nextHeader(view, at) : protocol;
          found.at = found.inner ? at + Fragment.LENGTH : at;
          return found;
        }
        break;
      default:
        found.protocol = protocol;
        found.at = at;
        return found;
    }
    protocol = view.getUint8(at);
    at += length;
  }
  found.protocol = protocol;
  found.at = at;
  return found;
}

/**
 * RFC 7112: does a first fragment, whose Fragment header is at `view[at]`, hold every header up to and with the upper layer's?
 * A header that nobody knows counts as an upper layer of at least a byte.
 */
export function holdsAllHeaders(view: DataView, at: number, end: number): boolean {
  const upper = follow(view, Fragment.nextHeader(view, at), at + Fragment.LENGTH, end);
  if (upper.inner) return true;
  return upper.protocol === NextHeader.none || upper.at + leastLength(upper.protocol) <= end;
}

function leastLength(protocol: number): number {
  switch (protocol) {
    case NextHeader.tcp:
      return 20;
    case NextHeader.udp:
    case NextHeader.esp:
      return 8;
    case NextHeader.icmp6:
      return Icmp6.LENGTH;
    case NextHeader.ip6:
      return Ip6.LENGTH;
    default:
      return isExtension(protocol) ? 8 : 1;
  }
}

function isExtension(protocol: number): boolean {
  switch (protocol) {
    case NextHeader.hopByHop:
    case NextHeader.routing:
    case NextHeader.fragment:
    case NextHeader.destinationOptions:
    case NextHeader.ah:
      return true;
    default:
      return false;
  }
}

/**
 * An ICMPv6 error or a redirect, about which nobody may send an error (RFC 4443 2.4 e.1, e.2), or an ICMPv6 message whose type
 * is missing. A later fragment is neither: errors fit the minimum MTU, so nobody has to fragment them (RFC 4443 2.4 c).
 */
export function isErrorOrRedirect(view: DataView, ip: number, end: number): boolean {
  const upper = upperLayer(view, ip, end);
  if (upper.protocol !== NextHeader.icmp6 || upper.inner) return false;
  if (upper.at >= end) return true;
  const type = Icmp6.type(view, upper.at);
  return Icmp6.isErrorType(type) || type === Icmp6.Type.redirect;
}
