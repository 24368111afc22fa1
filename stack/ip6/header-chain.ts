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

/** Where the chain of headers ends. Made anew by each call: nobody looks along the chain of an ordinary packet. */
export interface Upper {
  /** The upper-layer protocol, or the last header that could be read. */
  readonly protocol: number;
  /** Its start, an absolute offset; `end` or more if it is not in the packet. */
  readonly at: number;
  /** The packet is a fragment other than the first: what is at `at` is no header. */
  readonly inner: boolean;
}

/** The upper layer of the packet at `view[ip]`, which ends at `end`. */
export function upperLayer(view: DataView, ip: number, end: number): Upper {
  return follow(view, Ip6.nextHeader(view, ip), ip + Ip6.LENGTH, end);
}

function follow(view: DataView, first: number, start: number, end: number): Upper {
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
        if (at + Fragment.LENGTH > end) return { protocol, at, inner: false };
        length = Fragment.LENGTH;
        if (Fragment.offset(view, at) !== 0) {
          return { protocol: Fragment.nextHeader(view, at), at: at + length, inner: true };
        }
        break;
      default:
        return { protocol, at, inner: false };
    }
    protocol = view.getUint8(at);
    at += length;
  }
  return { protocol, at, inner: false };
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
