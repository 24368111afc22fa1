/**
 * MLD messages received: Queries start answers, others' Reports end them (RFC 2710 4, 5). Everything is checked first,
 * as anybody on the link can send it. KAME: mld6_input.
 */
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as MldMessage from '../wire/mld.ts';

/**
 * `pkt.ip` at the IPv6 header, `pkt.at` at an ICMPv6 header of type 130 to 132, checksum good. The packet is only lent.
 * False: it was invalid, counted and traced as a drop; raw sockets should not see it.
 */
export function mldInput(stack: Stack, pkt: Packet): boolean {
  const { view, ip, at } = pkt;
  const ifp = stack.interfaces[pkt.receivedOn];
  const type = Icmp6.type(view, at);
  if (ifp === undefined) return true;
  const group = at + MldMessage.GROUP;
  const valid =
    pkt.tail - at >= MldMessage.LENGTH &&
    Ip6.hopLimit(view, ip) === 1 &&
    Address.isLinkLocal(view, ip + Ip6.SOURCE) &&
    (Address.isMulticast(view, group) || (type === Icmp6.Type.mldQuery && Address.isUnspecified(view, group)));

  switch (type) {
    case Icmp6.Type.mldQuery:
      stack.counters.mld6.queriesReceived++;
      if (!valid || !isQueryDestination(view, ip, group)) return refuse(stack, pkt, 'badQueries');
      onQuery(stack, ifp, pkt, group);
      return true;
    case Icmp6.Type.mldReport:
      stack.counters.mld6.reportsReceived++;
      // a report is sent to the group it is about
      if (!valid || !Address.equals(view, group, view, ip + Ip6.DESTINATION)) return refuse(stack, pkt, 'badReports');
      if (!pkt.loopback) stack.mld.membership(ifp, view, group)?.onReport();
      return true;
    default:
      return true; // Done is for routers
  }
}

function onQuery(stack: Stack, ifp: Interface, pkt: Packet, group: number): void {
  // a querier of version 2 is answered as well; only its long delays are written differently (RFC 3810 8.2.1)
  const newer = pkt.tail - pkt.at >= MldMessage.QUERY2_LENGTH;
  const delay = newer ? MldMessage.maxResponseDelay2(pkt.view, pkt.at) : MldMessage.maxResponseDelay(pkt.view, pkt.at);
  if (Address.isUnspecified(pkt.view, group)) {
    for (const membership of stack.mld.groups(ifp)) membership.onQuery(delay);
  } else {
    stack.mld.membership(ifp, pkt.view, group)?.onQuery(delay);
  }
}

/** A General Query goes to ff02::1, a specific one to its group (RFC 2710 5); a unicast one is taken as RFC 3810 5.1.15 asks. */
function isQueryDestination(view: DataView, ip: number, group: number): boolean {
  const destination = ip + Ip6.DESTINATION;
  if (!Address.isMulticast(view, destination)) return true;
  if (Address.isUnspecified(view, group)) return Address.same(view, destination, Address.ALL_NODES);
  return Address.equals(view, group, view, destination);
}

function refuse(stack: Stack, pkt: Packet, counter: 'badQueries' | 'badReports'): false {
  stack.counters.mld6[counter]++;
  stack.trace?.dropped(pkt, 'mld6', counter);
  return false;
}
