/**
 * An IPv6 packet came in: sanity, addresses, ours or another's, then header by header through `protocols.ts` (RFC 8200 3, 4).
 *
 * Checked by words and by counters alone; nothing is allocated and nothing throws. KAME: ip6_input.
 */
import { drop } from '../drop.ts';
import type { Interface } from '../link/interface.ts';
import { checkOffload } from '../link/offload.ts';
import type { Packet } from '../packet/packet.ts';
import { protocols } from '../protocols.ts';
import type { Stack } from '../stack.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import { NextHeader } from '../wire/next-header.ts';
import { ip6Forward } from './forward.ts';
import { upperLayer } from './header-chain.ts';
import { hopByHopInput } from './options.ts';
import { zoneOf } from './scope.ts';
import { wireVerdict } from './wire-addresses.ts';

/** `head` at the IPv6 header. `ifp`: where it came in; for what lo0 brought back, the interface whose address was meant. */
export function ip6Input(stack: Stack, ifp: Interface, pkt: Packet): void {
  stack.counters.ip6.received++;
  const { view, head: ip } = pkt;
  const frame = pkt.tail - ip;
  if (frame < Ip6.LENGTH) return lose(stack, pkt, 'tooSmall');
  pkt.ip = ip;
  if (Ip6.version(view, ip) !== 6) return lose(stack, pkt, 'badVersion');
  if (ifp.nd.disabled && !pkt.loopback) return lose(stack, pkt, 'disabled');
  let next = Ip6.nextHeader(view, ip);
  stack.histograms.ip6NextHeader[next]!++;

  switch (wireVerdict(view, ip, pkt.loopback)) {
    case 'good':
      break;
    case 'unspecifiedSource':
      if (!maySendUnspecified(pkt)) return lose(stack, pkt, 'badAddress');
      break;
    case 'badAddress':
      return lose(stack, pkt, 'badAddress');
    case 'badScope':
      return lose(stack, pkt, 'badScope');
  }

  const payload = Ip6.payloadLength(view, ip);
  // zero with a Hop-by-Hop header: its Jumbo Payload option has the length (RFC 2675 3)
  if (payload !== 0 || next !== NextHeader.hopByHop) {
    if (payload > frame - Ip6.LENGTH) return lose(stack, pkt, 'tooShort');
    pkt.tail = ip + Ip6.LENGTH + payload;
  }
  if (pkt.checksum === 'unfinished' || pkt.segmentKind !== 'none') checkOffload(pkt);

  let ours = true;
  const destination = ip + Ip6.DESTINATION;
  if (view.getUint8(destination) === 0xff) {
    if (!stack.mld.isMember(ifp, view, destination)) return lose(stack, pkt, 'notMember');
  } else {
    const entry = stack.addresses.get(view, destination, zoneOf(ifp, view, destination));
    if (entry === undefined) {
      // a unicast probe of a node that we answer for (ND-13)
      ours = isNeighborDiscovery(pkt, next) && stack.neighbors.find(view, destination, ifp.index)?.proxy === true;
      if (!ours && stack.sysctl.ip6.forwarding === 0) return lose(stack, pkt, 'notForUs');
    } else if (entry.usable) {
      pkt.anycast = entry.anycast;
    } else if (!isNeighborDiscovery(pkt, next)) {
      return lose(stack, pkt, 'tentative');
    }
  }

  pkt.at = ip + Ip6.LENGTH;
  pkt.nextHeaderAt = ip + Ip6.NEXT_HEADER;
  if (next === NextHeader.hopByHop) {
    if (tooManyHeaders(stack, pkt)) return;
    next = hopByHopInput(stack, pkt);
    if (next < 0) return;
  }
  if (!ours) return ip6Forward(stack, ifp, pkt);
  stack.counters.ip6.delivered++;
  walk(stack, pkt, next);
}

/**
 * From `pkt.at` on, header by header until one of them is done with the packet. A loop, so that no number of headers can
 * exhaust our own stack (HL-01). Reassembly calls it for a whole packet.
 */
export function walk(stack: Stack, pkt: Packet, first: number): void {
  let next = first;
  while (next >= 0) {
    if (tooManyHeaders(stack, pkt)) return;
    next = protocols[next]!(stack, pkt);
  }
}

/** `hdrnestlimit` counts the IPv6 header and what follows it, but not the upper layer: as KAME, which counts calls instead. */
function tooManyHeaders(stack: Stack, pkt: Packet): boolean {
  const limit = stack.sysctl.ip6.hdrnestlimit;
  if (++pkt.headers <= limit || limit === 0) return false;
  drop(stack, pkt, 'ip6', 'tooManyHeaders');
  return true;
}

/** `::` says "I have no address yet": Neighbor Discovery's solicitations and MLD may (RFC 4861 4, RFC 3590 4), nobody else. */
function maySendUnspecified(pkt: Packet): boolean {
  const upper = upperLayer(pkt.view, pkt.ip, pkt.tail);
  if (upper.protocol !== NextHeader.icmp6 || upper.inner || upper.at >= pkt.tail) return false;
  switch (Icmp6.type(pkt.view, upper.at)) {
    case Icmp6.Type.neighborSolicitation:
    case Icmp6.Type.routerSolicitation:
    case Icmp6.Type.mldReport:
    case Icmp6.Type.mldDone:
    case Icmp6.Type.mld2Report:
      return true;
    default:
      return false;
  }
}

/** What may still reach a tentative address (RFC 4862 5.4): solicitations and advertisements. */
function isNeighborDiscovery(pkt: Packet, next: number): boolean {
  const at = pkt.ip + Ip6.LENGTH;
  if (next !== NextHeader.icmp6 || at >= pkt.tail) return false;
  const type = Icmp6.type(pkt.view, at);
  return type === Icmp6.Type.neighborSolicitation || type === Icmp6.Type.neighborAdvertisement;
}

function lose(stack: Stack, pkt: Packet, counter: Parameters<typeof drop<'ip6'>>[3]): void {
  drop(stack, pkt, 'ip6', counter);
}
