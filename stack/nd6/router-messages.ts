/**
 * Router solicitations and advertisements as far as the neighbor cache is concerned: who is a router, and its link-layer address
 * (RFC 4861 6.1, 6.2.6, 6.3.4). KAME: nd6_rs_input, nd6_ra_input.
 */
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as Nd from '../wire/nd.ts';
import { countOptions, findOption, isValid, linkLayerFits, linkLayerOf, refuse } from './validity.ts';

/** A router solicitation came in; as nsInput. KAME: nd6_rs_input. */
export function rsInput(stack: Stack, pkt: Packet): boolean {
  const ifp = stack.interfaces[pkt.receivedOn]!;
  const bad = 'badRouterSolicitation';
  if (!isValid(stack, pkt, Nd.ROUTER_SOLICITATION_LENGTH, bad)) return false;
  const option = findOption(stack, pkt, Nd.ROUTER_SOLICITATION_LENGTH, Nd.OptionType.sourceLinkLayer);
  if (!linkLayerFits(ifp, pkt, option)) return refuse(stack, pkt, bad, 'link-layer address of a wrong length');
  const unspecified = Address.isUnspecified(pkt.view, pkt.ip + Ip6.SOURCE);
  if (unspecified && option >= 0) return refuse(stack, pkt, bad, 'link-layer address from ::');
  countOptions(stack, pkt, Nd.ROUTER_SOLICITATION_LENGTH);
  // a host has nothing to say to it
  if (unspecified || stack.sysctl.ip6.forwarding === 0) return true;
  learn(stack, ifp, pkt, option, false);
  return true;
}

/** A router advertisement came in; as nsInput. KAME: nd6_ra_input. */
export function raInput(stack: Stack, pkt: Packet): boolean {
  const ifp = stack.interfaces[pkt.receivedOn]!;
  const bad = 'badRouterAdvertisement';
  if (!isValid(stack, pkt, Nd.ROUTER_ADVERTISEMENT_LENGTH, bad)) return false;
  if (!Address.isLinkLocal(pkt.view, pkt.ip + Ip6.SOURCE)) return refuse(stack, pkt, bad, 'source is not link-local');
  const option = findOption(stack, pkt, Nd.ROUTER_ADVERTISEMENT_LENGTH, Nd.OptionType.sourceLinkLayer);
  if (!linkLayerFits(ifp, pkt, option)) return refuse(stack, pkt, bad, 'link-layer address of a wrong length');
  countOptions(stack, pkt, Nd.ROUTER_ADVERTISEMENT_LENGTH);
  learn(stack, ifp, pkt, option, true);
  return true;
}

/**
 * The sender's link-layer address, and whether it is a router. An entry is made for who told the address, and for a router on a link
 * that has none: there the entry keeps the one bit (ND-10).
 */
function learn(stack: Stack, ifp: Interface, pkt: Packet, option: number, router: boolean): void {
  const source = pkt.ip + Ip6.SOURCE;
  const mac = linkLayerOf(ifp, pkt, option);
  const bare = ifp.link.medium === 'ip';
  const make = mac !== undefined || (bare && router);
  const neighbor = make
    ? stack.neighbors.findOrMake(ifp, pkt.view, source)
    : stack.neighbors.find(pkt.view, source, ifp.index);
  if (neighbor === undefined) return;
  neighbor.onHeard(mac);
  neighbor.router = router;
}
