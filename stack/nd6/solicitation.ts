/**
 * Neighbor solicitations, RFC 4861 7.2.2-7.2.4: "what is your link-layer address", "are you there", and in duplicate address
 * detection "does anybody have this". KAME: nd6_ns_input, nd6_ns_output.
 */
import type { InterfaceAddress } from '../ip6/addresses.ts';
import { zoneOf } from '../ip6/scope.ts';
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as Nd from '../wire/nd.ts';
import { advertise, advertiseAnycast, advertiseProxied } from './advertisement.ts';
import { linkLayerLength, newMessage, sendMessage } from './message.ts';
import type { Neighbor } from './neighbor.ts';
import { isOnLink } from './on-link.ts';
import { neighborSource, ownSource } from './source.ts';
import { countOptions, findOption, isValid, linkLayerFits, linkLayerOf, refuse } from './validity.ts';

const BAD = 'badNeighborSolicitation';

/**
 * A neighbor solicitation came in: `pkt.ip` at its IPv6 header, `pkt.at` at the ICMPv6 header, checksum good. The packet is only
 * lent. False: it was invalid, counted and traced as a drop; raw sockets should not see it. KAME: nd6_ns_input.
 */
export function nsInput(stack: Stack, pkt: Packet): boolean {
  const ifp = stack.interfaces[pkt.receivedOn]!;
  const { view, ip } = pkt;
  const target = pkt.at + Nd.TARGET;
  const source = ip + Ip6.SOURCE;
  stack.counters.nd6.solicitationsReceived++;
  if (!isValid(stack, pkt, Nd.SOLICITATION_LENGTH, BAD)) return false;
  if (Address.isMulticast(view, target)) return refuse(stack, pkt, BAD, 'target is a group');
  const option = findOption(stack, pkt, Nd.SOLICITATION_LENGTH, Nd.OptionType.sourceLinkLayer);
  if (!linkLayerFits(ifp, pkt, option)) return refuse(stack, pkt, BAD, 'link-layer address of a wrong length');
  const detection = Address.isUnspecified(view, source);
  if (detection && !Address.isSolicitedNode(view, ip + Ip6.DESTINATION)) {
    return refuse(stack, pkt, BAD, 'from :: to no solicited-node group');
  }
  if (detection && option >= 0) return refuse(stack, pkt, BAD, 'link-layer address from ::');
  // an off-link source must not get into the neighbor cache
  if (!detection && stack.sysctl.icmp6.nd6_onlink_ns_rfc4861 === 0 && !isOnLink(stack, ifp, view, source)) {
    return refuse(stack, pkt, BAD, 'source is not on-link');
  }
  countOptions(stack, pkt, Nd.SOLICITATION_LENGTH);

  const entry = stack.addresses.get(view, target, zoneOf(ifp, view, target));
  if (entry !== undefined && entry.interface === ifp) {
    onOwnTarget(stack, ifp, pkt, entry, detection, option);
    return true;
  }
  const neighbor = stack.neighbors.find(view, target, ifp.index);
  if (neighbor?.proxy) {
    learnSource(stack, ifp, pkt, detection, option);
    advertiseProxied(stack, neighbor, view, detection ? undefined : source);
  }
  // not for us: nothing is learned from it (RFC 4861 7.2.3)
  return true;
}

/** Somebody asks for one of our addresses. */
function onOwnTarget(
  stack: Stack,
  ifp: Interface,
  pkt: Packet,
  entry: InterfaceAddress,
  detection: boolean,
  option: number,
): void {
  const { view } = pkt;
  const source = pkt.ip + Ip6.SOURCE;
  switch (entry.state) {
    case 'tentative':
      // from a real source it is somebody resolving an address that is not ours yet (RFC 4862 5.4.3)
      if (detection) stack.dad.onSolicitation(entry, nonceOf(stack, pkt));
      return;
    case 'duplicated':
      return;
    case 'preferred':
    case 'deprecated':
      // our own, come back over the link
      if (!detection && ownSource(ifp, view, source) !== undefined) {
        stack.counters.nd6.ownEcho++;
        return;
      }
      learnSource(stack, ifp, pkt, detection, option);
      if (entry.anycast) advertiseAnycast(stack, entry, view, detection ? undefined : source);
      else advertise(stack, entry, view, detection ? undefined : source);
      return;
  }
}

/** RFC 4861 7.2.3: an entry is made for who told his link-layer address, and only then (ND-09). */
function learnSource(stack: Stack, ifp: Interface, pkt: Packet, detection: boolean, option: number): void {
  const mac = linkLayerOf(ifp, pkt, option);
  if (detection || mac === undefined) return;
  stack.neighbors.findOrMake(ifp, pkt.view, pkt.ip + Ip6.SOURCE)?.onHeard(mac);
}

function nonceOf(stack: Stack, pkt: Packet): Uint8Array | undefined {
  const option = findOption(stack, pkt, Nd.SOLICITATION_LENGTH, Nd.OptionType.nonce);
  return option < 0 ? undefined : pkt.bytes.subarray(option + 2, option + Nd.optionLength(pkt.view, option));
}

/**
 * Ask a neighbor: all that listen to its solicited-node group while its link-layer address is unknown, itself in PROBE.
 * `prompting`: the packet that waits for it, whose source is ours to use then (RFC 4861 7.2.2). KAME: nd6_ns_output.
 */
export function solicitNeighbor(stack: Stack, neighbor: Neighbor, prompting: Packet | undefined): void {
  const ifp = neighbor.interface;
  const source =
    (prompting && ownSource(ifp, prompting.view, prompting.ip + Ip6.SOURCE)) ?? neighborSource(ifp, neighbor.view, 0);
  // all addresses tentative: nobody to answer to yet; the next try is a retransmission away
  if (source === undefined) return;
  const destination =
    neighbor.state === 'incomplete' ? Address.viewOf(Address.solicitedNode(neighbor.address)) : neighbor.view;
  const length = Nd.SOLICITATION_LENGTH + linkLayerLength(ifp);
  const pkt = newMessage(stack, source.address, destination, 0, length);
  Nd.writeSolicitation(pkt.view, pkt.at);
  Address.set(pkt.view, pkt.at + Nd.TARGET, neighbor.address);
  const options = pkt.at + Nd.SOLICITATION_LENGTH;
  if (ifp.mac !== undefined) Nd.writeLinkLayer(pkt.view, options, Nd.OptionType.sourceLinkLayer, ifp.mac);
  stack.counters.nd6.solicitationsSent++;
  sendMessage(stack, ifp, pkt);
}

/** Ask whether anybody has our tentative address (RFC 4862 5.4.2); `nonce` as in RFC 7527. KAME: nd6_dad_ns_output. */
export function solicitDuplicate(stack: Stack, entry: InterfaceAddress, nonce: Uint8Array | undefined): void {
  const group = Address.viewOf(Address.solicitedNode(entry.address));
  const length = Nd.SOLICITATION_LENGTH + (nonce === undefined ? 0 : 8);
  const pkt = newMessage(stack, Address.UNSPECIFIED, group, 0, length);
  Nd.writeSolicitation(pkt.view, pkt.at);
  Address.set(pkt.view, pkt.at + Nd.TARGET, entry.address);
  if (nonce !== undefined) Nd.writeNonce(pkt.view, pkt.at + Nd.SOLICITATION_LENGTH, nonce);
  stack.counters.nd6.solicitationsSent++;
  sendMessage(stack, entry.interface, pkt);
}
