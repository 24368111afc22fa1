/**
 * Cutting a packet at its source (RFC 8200 4.5). Routers never do.
 *
 *   unfragmentable: IPv6 header, Hop-by-Hop, Destination Options before a Routing header, Routing header - in every fragment
 *   then:           a Fragment header and a part of the rest, its length a multiple of 8 but for the last
 *
 * KAME: the fragmentation part of ip6_output (ip6_insertfraghdr).
 */
import { drop } from '../drop.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Fragment from '../wire/fragment.ts';
import * as Ip6 from '../wire/ip6.ts';
import { NextHeader } from '../wire/next-header.ts';
import * as Options from '../wire/options.ts';
import { holdsAllHeaders } from './header-chain.ts';
import type { SendError } from './output.ts';

const MAX_PAYLOAD = 65_535;

/**
 * Cut a packet (`pkt.ip` at its header, transport checksum finished) into fragments of at most `mtu` bytes and hand each to `send`,
 * until one can't be sent. The packet is given back.
 */
export function fragmentOutput(
  stack: Stack,
  pkt: Packet,
  mtu: number,
  send: (fragment: Packet) => SendError | undefined,
): SendError | undefined {
  const { ip, tail, view, bytes } = pkt;
  const { counters, pool } = stack;
  const nextHeaderAt = lastUnfragmentable(view, ip, tail);
  const start =
    nextHeaderAt === ip + Ip6.NEXT_HEADER ? ip + Ip6.LENGTH : nextHeaderAt + Options.headerLength(view, nextHeaderAt);
  const unfragmentable = start - ip;
  const size = (mtu - unfragmentable - Fragment.LENGTH) & ~7;
  if (size < 8 || tail - ip - Ip6.LENGTH > MAX_PAYLOAD) return refuse(stack, pkt);

  const next = view.getUint8(nextHeaderAt);
  const identification = stack.identifications.u32();
  for (let at = start; at < tail; at += size) {
    const end = Math.min(at + size, tail);
    const fragment = pool.take(unfragmentable + Fragment.LENGTH + end - at);
    const { head } = fragment;
    const header = head + unfragmentable;
    fragment.ip = head;
    fragment.tail = header + Fragment.LENGTH + end - at;
    fragment.bytes.set(bytes.subarray(ip, start), head);
    fragment.bytes[head + nextHeaderAt - ip] = NextHeader.fragment;
    Ip6.setPayloadLength(fragment.view, head, fragment.tail - head - Ip6.LENGTH);
    Fragment.write(fragment.view, header, next, at - start, end < tail, identification);
    fragment.bytes.set(bytes.subarray(at, end), header + Fragment.LENGTH);
    // its receiver would refuse a first fragment that lacks a header (RFC 7112 5)
    if (at === start && !holdsAllHeaders(fragment.view, header, fragment.tail)) {
      fragment.give();
      return refuse(stack, pkt);
    }
    counters.ip6.fragmentsCreated++;
    const error = send(fragment);
    if (error !== undefined) {
      pkt.give();
      return error;
    }
  }
  counters.ip6.fragmented++;
  pkt.give();
  return undefined;
}

function refuse(stack: Stack, pkt: Packet): 'EMSGSIZE' {
  drop(stack, pkt, 'ip6', 'cannotFragment');
  return 'EMSGSIZE';
}

/** Where the byte lies that names the first header of the fragmentable part. */
function lastUnfragmentable(view: DataView, ip: number, tail: number): number {
  let last = ip + Ip6.NEXT_HEADER;
  let next = view.getUint8(last);
  let at = ip + Ip6.LENGTH;
  while (at + 8 <= tail) {
    const length = Options.headerLength(view, at);
    if (at + length > tail) return last;
    if (next === NextHeader.hopByHop || next === NextHeader.routing) last = at;
    else if (next !== NextHeader.destinationOptions) return last;
    next = view.getUint8(at);
    at += length;
  }
  return last;
}
