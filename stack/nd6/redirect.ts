/**
 * Redirects, RFC 4861 8: a router tells a host of the better first hop for a destination. KAME: icmp6_redirect_input,
 * icmp6_redirect_output, rtredirect.
 */
import { zoneOf } from '../ip6/scope.ts';
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import { addRoute, changeRoute, removeRoute } from '../route/routes.ts';
import { type Route, RouteFlag } from '../route/table.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as Nd from '../wire/nd.ts';
import { linkLayerLength, newMessage, sendMessage } from './message.ts';
import { isOnLink } from './on-link.ts';
import { linkLocalSource } from './source.ts';
import { countOptions, findOption, isValid, linkLayerFits, linkLayerOf, refuse } from './validity.ts';

const BAD = 'badRedirect';
/** Routes made by redirects at once; the oldest makes room. KAME: ip6_maxdynroutes. */
const MAX_ROUTES = 1024;

/** A redirect came in; as nsInput. KAME: icmp6_redirect_input. */
export function redirectInput(stack: Stack, pkt: Packet): boolean {
  const ifp = stack.interfaces[pkt.receivedOn]!;
  const { view, at, ip } = pkt;
  const source = ip + Ip6.SOURCE;
  const target = at + Nd.TARGET;
  const destination = at + Nd.REDIRECT_DESTINATION;
  if (!isValid(stack, pkt, Nd.REDIRECT_LENGTH, BAD)) return false;
  if (!Address.isLinkLocal(view, source)) return refuse(stack, pkt, BAD, 'source is not link-local');
  if (Address.isMulticast(view, destination)) return refuse(stack, pkt, BAD, 'destination is a group');
  const onLink = Address.equals(view, target, view, destination);
  if (!onLink && !Address.isLinkLocal(view, target)) return refuse(stack, pkt, BAD, 'target is not link-local');
  const option = findOption(stack, pkt, Nd.REDIRECT_LENGTH, Nd.OptionType.targetLinkLayer);
  if (!linkLayerFits(ifp, pkt, option)) return refuse(stack, pkt, BAD, 'link-layer address of a wrong length');
  countOptions(stack, pkt, Nd.REDIRECT_LENGTH);
  // a router is told by its routing protocols; a host may be told not to listen
  if (stack.sysctl.ip6.forwarding !== 0 || stack.sysctl.icmp6.rediraccept === 0) return true;
  const zone = zoneOf(ifp, view, destination);
  if (!isFirstHop(stack, ifp, view, source, destination, zone)) {
    return refuse(stack, pkt, BAD, 'not from the first hop to the destination');
  }

  stack.redirects.take(ifp, Address.get(view, destination), zone, onLink ? undefined : Address.get(view, target));
  const neighbor = stack.neighbors.findOrMake(ifp, view, target);
  neighbor?.onHeard(linkLayerOf(ifp, pkt, option));
  if (neighbor !== undefined && !onLink) neighbor.router = true;
  return true;
}

/** RFC 4861 8.1: only the router that we use for the destination may send us elsewhere. */
function isFirstHop(
  stack: Stack,
  ifp: Interface,
  view: DataView,
  source: number,
  destination: number,
  zone: number,
): boolean {
  const route = stack.routes.lookup(view, destination, zone);
  if (route?.gatewayView === undefined || route.interface !== ifp) return false;
  return Address.equals(route.gatewayView, 0, view, source);
}

/** Host routes made by redirects: they live `redirtimeout` seconds, and their number is bounded. */
export class Redirects {
  readonly #stack: Stack;
  /** Oldest first; some may have gone by now. */
  #routes: Route[] = [];

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** `gateway` undefined: the destination is on-link. KAME: rtredirect. */
  take(ifp: Interface, destination: Uint8Array, zone: number, gateway: Uint8Array | undefined): void {
    const stack = this.#stack;
    const expires = stack.clock.now + stack.sysctl.icmp6.redirtimeout * 1000;
    const known = stack.routes.find(destination, 128, zone);
    if (known !== undefined) {
      // what the administrator set stays
      if ((known.flags & RouteFlag.dynamic) === 0) return;
      changeRoute(stack, known, gateway, ifp);
      known.expires = expires;
      return stack.routeExpiry.watch(known);
    }
    const flags = RouteFlag.dynamic;
    const route = addRoute(stack, { destination, prefixLength: 128, zone, interface: ifp, gateway, flags, expires });
    if (typeof route === 'string') return;
    this.#routes.push(route);
    if (this.#routes.length > MAX_ROUTES) this.#forgetOldest();
  }

  /**
   * A neighbor does not answer, or is a router no more: what was redirected to it finds its way afresh, by the routers that are left
   * (RFC 4861 7.2.5, 7.3.3). KAME: rt6_flush.
   */
  neighborLost(ifp: Interface, neighbor: DataView): void {
    if (this.#routes.length === 0) return;
    this.#forget((route) => {
      if (route.interface !== ifp) return false;
      if (route.gatewayView !== undefined) return Address.equals(route.gatewayView, 0, neighbor, 0);
      return Address.equals(Address.viewOf(route.destination), 0, neighbor, 0);
    });
  }

  /** Nobody can be reached by it: the destinations may be by another. */
  interfaceDown(ifp: Interface): void {
    this.#forget((route) => route.interface === ifp);
  }

  #forget(lost: (route: Route) => boolean): void {
    const before = this.#routes;
    this.#routes = before.filter((route) => !lost(route));
    if (this.#routes.length < before.length) for (const route of before) if (lost(route)) this.#remove(route);
  }

  #forgetOldest(): void {
    this.#remove(this.#routes.shift()!);
  }

  #remove(route: Route): void {
    if (this.#stack.routes.find(route.destination, 128, route.zone) === route) removeRoute(this.#stack, route);
  }
}

/**
 * A packet is about to leave by the interface it came in by: tell its source of the better first hop, if the rules of RFC 4861 8.2
 * allow. The packet (`pkt.ip` at its header, as received) is only lent. KAME: icmp6_redirect_output.
 */
export function redirectOutput(stack: Stack, ifp: Interface, pkt: Packet, route: Route): void {
  const { view, ip } = pkt;
  const source = ip + Ip6.SOURCE;
  const destination = ip + Ip6.DESTINATION;
  if (stack.sysctl.ip6.forwarding === 0 || stack.sysctl.ip6.redirect === 0) return;
  if (Address.isMulticast(view, destination) || Address.isUnspecified(view, source)) return;
  if (!isOnLink(stack, ifp, view, source)) return;
  // hosts know routers by their link-local addresses: one with another can't be told
  const gateway = route.gatewayView;
  if (gateway !== undefined && !Address.isLinkLocal(gateway, 0)) return;
  // sent back to whom it came from: he sent it to us on purpose, or is a router himself
  if (gateway !== undefined && Address.equals(gateway, 0, view, source)) return;
  const own = linkLocalSource(ifp);
  if (own === undefined || !stack.errorRate.allows()) return;

  const target = gateway ?? view;
  const targetAt = gateway === undefined ? destination : 0;
  const mac = stack.neighbors.find(target, targetAt, ifp.index)?.linkAddress;
  const linkLayer = mac === undefined ? 0 : linkLayerLength(ifp);
  const room = Ip6.MINIMUM_MTU - Ip6.LENGTH - Nd.REDIRECT_LENGTH - linkLayer - Nd.REDIRECTED;
  const quoted = Math.min(pkt.tail - ip, room & ~7);
  const padded = (quoted + 7) & ~7;

  const length = Nd.REDIRECT_LENGTH + linkLayer + Nd.REDIRECTED + padded;
  const redirect = newMessage(stack, own.address, view, source, length);
  const { view: out, at } = redirect;
  Nd.writeRedirect(out, at);
  Address.copy(target, targetAt, out, at + Nd.TARGET);
  Address.copy(view, destination, out, at + Nd.REDIRECT_DESTINATION);
  let option = at + Nd.REDIRECT_LENGTH;
  if (mac !== undefined) option += Nd.writeLinkLayer(out, option, Nd.OptionType.targetLinkLayer, mac);
  Nd.writeRedirectedHeader(out, option, quoted);
  redirect.bytes.set(pkt.bytes.subarray(ip, ip + quoted), option + Nd.REDIRECTED);
  redirect.bytes.fill(0, option + Nd.REDIRECTED + quoted, option + Nd.REDIRECTED + padded);
  stack.counters.ip6.redirectSent++;
  stack.counters.icmp6.outRedirect++;
  sendMessage(stack, ifp, redirect);
}
