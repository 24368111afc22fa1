/**
 * A packet for another node: hop limit, route, scope, size, and on it goes. A router never fragments (RFC 8200 5).
 * Nothing is allocated on the way through. KAME: ip6_forward.
 */
import { drop } from '../drop.ts';
import type { Interface } from '../link/interface.ts';
import { segmentLength } from '../link/offload.ts';
import { nd6Output } from '../nd6/output.ts';
import { redirectOutput } from '../nd6/redirect.ts';
import type { Packet } from '../packet/packet.ts';
import { type Route, RouteFlag } from '../route/table.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import { icmp6Error } from './icmp6-error.ts';
import { staysInZone, zoneOf } from './scope.ts';

/** `pkt.ip` at the header, `ifp` where it came in. The bytes are as received until nothing can go wrong any more (IN-02). */
export function ip6Forward(stack: Stack, ifp: Interface, pkt: Packet): void {
  const { view, ip } = pkt;
  const source = ip + Ip6.SOURCE;
  const destination = ip + Ip6.DESTINATION;
  if (pkt.linkMulticast || !mayBeForwarded(view, source, destination)) return refuse(stack, pkt);
  const hops = Ip6.hopLimit(view, ip);
  if (hops <= 1) {
    stack.counters.ip6.cannotForward++;
    return icmp6Error(stack, pkt, Icmp6.Type.timeExceeded, Icmp6.TimeExceeded.hopLimit);
  }

  const route = stack.routes.lookup(view, destination, zoneOf(ifp, view, destination));
  if (route === undefined) {
    stack.counters.ip6.noRoute++;
    stack.counters.ip6.cannotForward++;
    return icmp6Error(stack, pkt, Icmp6.Type.unreachable, Icmp6.Unreachable.noRoute);
  }
  if ((route.flags & (RouteFlag.reject | RouteFlag.blackhole)) !== 0) return rejected(stack, pkt, route);
  const out = route.interface;
  if (out.nd.disabled || !out.up) return refuse(stack, pkt);
  if (!staysInZone(ifp, out, view, source)) {
    stack.counters.ip6.badScope++;
    stack.counters.ip6.cannotForward++;
    return icmp6Error(stack, pkt, Icmp6.Type.unreachable, Icmp6.Unreachable.beyondScope);
  }
  if (!staysInZone(ifp, out, view, destination)) {
    stack.counters.ip6.badScope++;
    return refuse(stack, pkt);
  }
  if (out === ifp && isPingPong(out, route)) {
    stack.counters.ip6.cannotForward++;
    return icmp6Error(stack, pkt, Icmp6.Type.unreachable, Icmp6.Unreachable.address);
  }
  const mtu = route.mtu !== 0 && route.mtu < out.linkMtu ? route.mtu : out.linkMtu;
  if (pkt.tail - ip > mtu && segmentLength(pkt) > mtu) {
    stack.counters.ip6.cannotForward++;
    return icmp6Error(stack, pkt, Icmp6.Type.packetTooBig, 0, mtu);
  }

  if (out === ifp && stack.sysctl.ip6.redirect !== 0) redirectOutput(stack, ifp, pkt, route);
  Ip6.setHopLimit(view, ip, hops - 1);
  pkt.head = ip;
  route.use++;
  stack.counters.ip6.forwarded++;
  if (route.gatewayView !== undefined) nd6Output(stack, out, pkt, route.gatewayView, 0);
  else nd6Output(stack, out, pkt, view, destination);
}

/** No `::` as source (RFC 4291 2.5.2), no group, no loopback either way; a link-local destination is for the link it was sent on. */
function mayBeForwarded(view: DataView, source: number, destination: number): boolean {
  if (Address.isMulticast(view, destination) || Address.isMulticast(view, source)) return false;
  if (Address.isUnspecified(view, source) || Address.isLoopback(view, source)) return false;
  return !Address.isLoopback(view, destination) && !Address.isLinkLocal(view, destination);
}

/** On-link on the point-to-point link that it came by, and not us: the other end would send it back (RFC 4443 3.1). */
function isPingPong(out: Interface, route: Route): boolean {
  return out.kind === 'pointToPoint' && route.gateway === undefined;
}

/** A blackhole says nothing, a reject route says what it is (RFC 4443 3.1 code 6; KAME: "no route"). */
function rejected(stack: Stack, pkt: Packet, route: Route): void {
  if ((route.flags & RouteFlag.blackhole) !== 0) return refuse(stack, pkt);
  stack.counters.ip6.cannotForward++;
  icmp6Error(stack, pkt, Icmp6.Type.unreachable, Icmp6.Unreachable.rejectRoute);
}

function refuse(stack: Stack, pkt: Packet): void {
  drop(stack, pkt, 'ip6', 'cannotForward');
}
