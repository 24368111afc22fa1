/**
 * Routing header, RFC 8200 4.4. With no segments left it is passed by, whatever its type; else it would have to be of a type
 * that we process: none by default, as type 0 let anybody bounce packets between two nodes (RFC 5095). The `rthdr0` knob
 * brings RFC 2460's type 0 back for the lab, with the refusals of the KAME note's 1.14. KAME: route6_input, ip6_rthdr0.
 */
import { DONE, drop } from '../drop.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import { isMulticast } from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as Routing from '../wire/routing.ts';
import { ip6Forward } from './forward.ts';
import { headerProblem } from './icmp6-error.ts';
import { mayBeHop } from './wire-addresses.ts';

export function routingInput(stack: Stack, pkt: Packet): number {
  const { view, at } = pkt;
  if (at + Routing.LENGTH > pkt.tail) return drop(stack, pkt, 'ip6', 'tooShort');
  const length = Routing.headerLength(view, at);
  if (at + length > pkt.tail) return drop(stack, pkt, 'ip6', 'tooShort');
  if (Routing.segmentsLeft(view, at) === 0) {
    pkt.nextHeaderAt = at;
    pkt.at = at + length;
    return Routing.nextHeader(view, at);
  }
  if (Routing.type(view, at) === Routing.Type.source && stack.sysctl.ip6.rthdr0 !== 0) return onToNextHop(stack, pkt);
  stack.counters.ip6.routingHeaderRefused++;
  return headerProblem(stack, pkt, at + Routing.TYPE);
}

/** RFC 2460 4.4: swap the destination with the next address of the list, and forward. */
function onToNextHop(stack: Stack, pkt: Packet): typeof DONE {
  const { view, at } = pkt;
  const destination = pkt.ip + Ip6.DESTINATION;
  const count = Routing.addresses(view, at);
  const left = Routing.segmentsLeft(view, at) - 1;
  if (Routing.lengthField(view, at) % 2 !== 0) return headerProblem(stack, pkt, at + 1);
  if (left >= count) return headerProblem(stack, pkt, at + Routing.SEGMENTS_LEFT);
  const hop = at + Routing.ADDRESSES + 16 * (count - left - 1);
  if (isMulticast(view, destination) || !mayBeHop(view, hop)) return drop(stack, pkt, 'ip6', 'badOptions');
  const { forwarding, forwsrcrt } = stack.sysctl.ip6;
  if (forwarding === 0 && forwsrcrt === 0) return drop(stack, pkt, 'ip6', 'cannotForward');
  Routing.setSegmentsLeft(view, at, left);
  for (let word = 0; word < 16; word += 4) {
    const passed = view.getInt32(destination + word);
    view.setInt32(destination + word, view.getInt32(hop + word));
    view.setInt32(hop + word, passed);
  }
  const ifp = stack.interfaces[pkt.receivedOn];
  if (ifp === undefined) return drop(stack, pkt, 'ip6', 'cannotForward');
  ip6Forward(stack, ifp, pkt);
  return DONE;
}
