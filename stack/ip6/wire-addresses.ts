/**
 * Addresses that must not be on the wire (RFC 4291 2, RFC 4007 9, and 1.14 of the KAME note): checked of every packet that
 * comes in, before anything else looks at it. KAME: the address checks of ip6_input.
 */
import { isLinkScoped } from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';

export type WireVerdict = 'good' | 'unspecifiedSource' | 'badAddress' | 'badScope';

/** Of the IPv6 header at `view[ip]`. `looped`: it came back through lo0, where ::1 and ff01:: are at home. */
export function wireVerdict(view: DataView, ip: number, looped: boolean): WireVerdict {
  const source = ip + Ip6.SOURCE;
  const destination = ip + Ip6.DESTINATION;
  // 2000::/3 has none of them: two reads for nearly every packet
  const toGlobal = view.getUint8(destination) >> 5 === 1;
  if (view.getUint8(source) >> 5 === 1) return toGlobal ? 'good' : destinationVerdict(view, destination, looped);
  const verdict = toGlobal ? 'good' : destinationVerdict(view, destination, looped);
  return verdict === 'good' ? sourceVerdict(view, source, looped) : verdict;
}

function sourceVerdict(view: DataView, at: number, looped: boolean): WireVerdict {
  const top = view.getUint8(at);
  if (top === 0xff) return 'badAddress';
  if (top === 0) return zeroPrefixVerdict(view, at, looped, 'unspecifiedSource');
  return hasZoneInside(view, at) ? 'badScope' : 'good';
}

function destinationVerdict(view: DataView, at: number, looped: boolean): WireVerdict {
  const top = view.getUint8(at);
  if (top === 0) return zeroPrefixVerdict(view, at, looped, 'badAddress');
  if (top === 0xff) {
    const scope = view.getUint8(at + 1) & 0xf;
    // interface-local never leaves a node, and 0 is reserved (RFC 4291 2.7)
    if (scope === 0 || (scope === 1 && !looped)) return 'badScope';
  }
  return hasZoneInside(view, at) ? 'badScope' : 'good';
}

/** ::/8: unspecified, loopback, and IPv4 in disguise. */
function zeroPrefixVerdict(view: DataView, at: number, looped: boolean, unspecified: WireVerdict): WireVerdict {
  if ((view.getInt32(at) | view.getInt32(at + 4)) !== 0) return 'good';
  const third = view.getInt32(at + 8);
  if (third === 0xffff) return 'badScope';
  if (third !== 0) return 'good';
  const last = view.getInt32(at + 12);
  if (last === 0) return unspecified;
  return last === 1 && looped ? 'good' : 'badAddress';
}

/** KAME's embedded form, `fe80:1::`, means something to the sender alone (SC-03). */
function hasZoneInside(view: DataView, at: number): boolean {
  return view.getUint16(at + 2) !== 0 && isLinkScoped(view, at);
}

/** May the address at `view[at]` be a hop of a routing header? IV-07, RFC 5095's reasons. */
export function mayBeHop(view: DataView, at: number): boolean {
  const top = view.getUint8(at);
  if (top === 0xff) return false;
  if (top === 0) return zeroPrefixVerdict(view, at, false, 'badAddress') === 'good';
  return !hasZoneInside(view, at);
}
