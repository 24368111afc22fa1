/**
 * A packet made here goes out: route, zones, source, path MTU, fragments, next hop; a group's copy to ourselves (RFC 8200 5).
 * KAME: ip6_output.
 */
import { drop } from '../drop.ts';
import type { Interface } from '../link/interface.ts';
import { finishChecksum, segmentLength } from '../link/offload.ts';
import { nd6Output } from '../nd6/output.ts';
import type { Packet } from '../packet/packet.ts';
import { type Route, RouteFlag } from '../route/table.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';
import { NextHeader } from '../wire/next-header.ts';
import * as Options from '../wire/options.ts';
import { fragmentOutput } from './fragment.ts';
import { zoneOf } from './scope.ts';
import { outgoingInterface } from './source-address.ts';

export interface OutputOptions {
  /** Zone of a scoped destination (an interface index); 0 or absent: found by `interface` or the default zone. */
  readonly zone?: number;
  /** Leave by this interface (IPV6_PKTINFO, IPV6_MULTICAST_IF, Neighbor Discovery). */
  readonly interface?: Interface | undefined;
  /** With `interface`: the destination is a neighbor there, whatever the routes say (Neighbor Discovery). */
  readonly onLink?: boolean;
  /** The packet is dropped with EMSGSIZE instead of being fragmented. KAME: IPV6_DONTFRAG. */
  readonly dontFragment?: boolean;
  /** Fragment at 1280. KAME: IPV6_MINMTU. */
  readonly minMtu?: boolean;
  /** A copy of a multicast packet comes back if this node is a member; default true. */
  readonly multicastLoop?: boolean;
  /** The source may be `::` (DAD, MLD). KAME: IPV6_UNSPECSRC. */
  readonly unspecifiedSource?: boolean;
}

/** Why a packet was not sent, as errno(2) names it. */
export type SendError =
  | 'EHOSTUNREACH'
  | 'ENETUNREACH'
  | 'ENETDOWN'
  | 'EMSGSIZE'
  | 'ENOBUFS'
  | 'EADDRNOTAVAIL'
  | 'EINVAL'
  | 'ENXIO';

const NO_OPTIONS: OutputOptions = {};
const LONGEST_PAYLOAD = 65_535;
/** A Hop-by-Hop header with a Jumbo Payload option. */
const JUMBO_HEADER = 8;

/**
 * Send a packet whose IPv6 header is complete but for the payload length (`head` at it). Routes, sets the payload length,
 * fragments, resolves. The packet is no longer the caller's, whatever the result. KAME: ip6_output.
 */
export function ip6Output(stack: Stack, pkt: Packet, options: OutputOptions = NO_OPTIONS): SendError | undefined {
  const { view } = pkt;
  stack.counters.ip6.localOut++;
  pkt.ip = pkt.head;
  const payload = pkt.tail - pkt.head - Ip6.LENGTH;
  if (payload < 0) return fail(stack, pkt, 'outDropped', 'EINVAL');
  if (payload <= LONGEST_PAYLOAD) Ip6.setPayloadLength(view, pkt.ip, payload);
  else if (!makeJumbogram(pkt)) return fail(stack, pkt, 'cannotFragment', 'EMSGSIZE');
  if (Address.isMulticast(view, pkt.ip + Ip6.DESTINATION)) return sendToGroup(stack, pkt, options);
  return sendToNode(stack, pkt, options);
}

function sendToNode(stack: Stack, pkt: Packet, options: OutputOptions): SendError | undefined {
  const { view, ip } = pkt;
  const destination = ip + Ip6.DESTINATION;
  if (Address.isUnspecified(view, destination)) return fail(stack, pkt, 'badScope', 'EHOSTUNREACH');
  const zone = destinationZone(stack, view, destination, options);
  const route = options.onLink ? undefined : stack.routes.lookup(view, destination, zone);
  if (route !== undefined && (route.flags & RouteFlag.local) !== 0) return sendToSelf(stack, pkt, zone, route, options);

  const out = options.interface ?? route?.interface;
  if (out === undefined) return fail(stack, pkt, 'noRoute', 'EHOSTUNREACH');
  // an interface that the caller chose is also where it thinks the destination is, if no route by it says otherwise
  const by = route !== undefined && route.interface === out ? route : undefined;
  if (by !== undefined) {
    if ((by.flags & RouteFlag.blackhole) !== 0) return fail(stack, pkt, 'noRoute', undefined);
    if ((by.flags & RouteFlag.reject) !== 0) return fail(stack, pkt, 'noRoute', 'EHOSTUNREACH');
    by.use++;
  }
  if (!out.up) return fail(stack, pkt, 'outDropped', 'ENETDOWN');
  if (out.nd.disabled) return fail(stack, pkt, 'disabled', 'ENETDOWN');
  if (zone !== zoneOf(out, view, destination)) return fail(stack, pkt, 'badScope', 'EHOSTUNREACH');
  if (!sourceMayLeaveBy(stack, pkt, out, options)) return fail(stack, pkt, 'badScope', 'EADDRNOTAVAIL');

  let mtu = out.linkMtu;
  if (by !== undefined && by.mtu !== 0 && by.mtu < mtu) mtu = by.mtu;
  mtu = stack.pathMtu.of(view, destination, zone, mtu);
  if (options.minMtu && mtu > Ip6.MINIMUM_MTU) mtu = Ip6.MINIMUM_MTU;
  return sendWithin(stack, out, pkt, mtu, by?.gatewayView, options);
}

/** RFC 4007 6: the zone the caller named, that of the interface it named, or the default zone (SC-08, SC-09). */
function destinationZone(stack: Stack, view: DataView, at: number, options: OutputOptions): number {
  if (options.zone !== undefined && options.zone !== 0) {
    const ifp = stack.interfaces[options.zone];
    return ifp === undefined ? 0 : zoneOf(ifp, view, at);
  }
  if (options.interface !== undefined) return zoneOf(options.interface, view, at);
  if (stack.sysctl.ip6.use_defaultzone === 0 || stack.defaultInterface === undefined) return 0;
  return zoneOf(stack.defaultInterface, view, at);
}

/** To one of our own addresses: through lo0, but with the zones of the interface that has it. */
function sendToSelf(
  stack: Stack,
  pkt: Packet,
  zone: number,
  route: Route,
  options: OutputOptions,
): SendError | undefined {
  const { view, ip } = pkt;
  const owner = stack.addresses.get(view, ip + Ip6.DESTINATION, zone)?.interface ?? stack.loopback;
  if (!sourceMayLeaveBy(stack, pkt, owner, options, true)) return fail(stack, pkt, 'badScope', 'EADDRNOTAVAIL');
  route.use++;
  if (pkt.tail - ip <= stack.loopback.mtu) return loopback(stack, owner, pkt);
  if (options.dontFragment) return fail(stack, pkt, 'cannotFragment', 'EMSGSIZE');
  finishChecksum(pkt);
  return fragmentOutput(stack, pkt, stack.loopback.mtu, (fragment) => loopback(stack, owner, fragment));
}

/** KAME: looutput. */
function loopback(stack: Stack, owner: Interface, pkt: Packet): undefined {
  pkt.receivedOn = owner.index;
  pkt.loopback = true;
  stack.loopback.transmit(pkt);
  return undefined;
}

function sendToGroup(stack: Stack, pkt: Packet, options: OutputOptions): SendError | undefined {
  const { view, ip } = pkt;
  const destination = ip + Ip6.DESTINATION;
  const out = outgoingInterface(stack, view, destination, options.zone ?? 0, options.interface);
  if (out === undefined) return fail(stack, pkt, 'noRoute', 'EHOSTUNREACH');
  if (!out.up) return fail(stack, pkt, 'outDropped', 'ENETDOWN');
  if (out.nd.disabled) return fail(stack, pkt, 'disabled', 'ENETDOWN');
  const scope = Address.multicastScope(view, destination);
  if (scope === 0 || Address.hasEmbeddedZone(view, destination)) return fail(stack, pkt, 'badScope', 'EINVAL');
  if (!sourceMayLeaveBy(stack, pkt, out, options)) return fail(stack, pkt, 'badScope', 'EADDRNOTAVAIL');

  const leaves = scope !== Address.Scope.interfaceLocal && out.kind !== 'loopback' && Ip6.hopLimit(view, ip) > 0;
  if (options.multicastLoop !== false && stack.mld.isMember(out, view, destination)) {
    if (!leaves) return loopback(stack, out, pkt);
    loopback(stack, out, pkt.copy());
  }
  if (!leaves) {
    pkt.give();
    return undefined;
  }
  // routers don't tell who sends to a group what is too big (RFC 8201 allows it, nobody counts on it)
  const wide = stack.sysctl.ip6.mcast_pmtu !== 0 && !options.minMtu;
  const mtu = wide ? out.linkMtu : Math.min(out.linkMtu, Ip6.MINIMUM_MTU);
  return sendWithin(stack, out, pkt, mtu, undefined, options);
}

/** Send whole what fits into `mtu`, in fragments what does not. `gateway`: the next hop, unless it is the destination. */
function sendWithin(
  stack: Stack,
  out: Interface,
  pkt: Packet,
  mtu: number,
  gateway: DataView | undefined,
  options: OutputOptions,
): SendError | undefined {
  const length = pkt.tail - pkt.ip;
  if (length <= mtu || segmentLength(pkt) <= mtu) return sendBy(stack, out, pkt, gateway);
  if (options.dontFragment || pkt.segmentKind !== 'none') {
    return fail(stack, pkt, 'cannotFragment', 'EMSGSIZE');
  }
  finishChecksum(pkt);
  return fragmentOutput(stack, pkt, mtu, (fragment) => sendBy(stack, out, fragment, gateway));
}

function sendBy(stack: Stack, out: Interface, pkt: Packet, gateway: DataView | undefined): SendError | undefined {
  if (gateway !== undefined) return nd6Output(stack, out, pkt, gateway, 0);
  return nd6Output(stack, out, pkt, pkt.view, pkt.head + Ip6.DESTINATION);
}

/**
 * No group, `::` only where the caller says so, ::1 only to ourselves; of our own addresses only those that may be used (a
 * duplicate one sends nothing, ND-05; an anycast one is no source, RQ-05), and a scoped one only within its zone (SC-06).
 */
function sourceMayLeaveBy(stack: Stack, pkt: Packet, out: Interface, options: OutputOptions, toSelf = false): boolean {
  const { view } = pkt;
  const source = pkt.ip + Ip6.SOURCE;
  if (Address.isMulticast(view, source)) return false;
  if (Address.isUnspecified(view, source)) return options.unspecifiedSource === true;
  if (Address.isLoopback(view, source) && out.kind !== 'loopback' && !toSelf) return false;
  const entry = stack.addresses.get(view, source, zoneOf(out, view, source));
  if (entry === undefined) return !Address.isLinkLocal(view, source);
  return entry.usable && !entry.anycast;
}

/** Longer than the header can say: a Jumbo Payload option says it (RFC 2675 2). Not together with other hop-by-hop options. */
function makeJumbogram(pkt: Packet): boolean {
  const { view } = pkt;
  const first = Ip6.nextHeader(view, pkt.head);
  if (first === NextHeader.hopByHop || pkt.headroom < JUMBO_HEADER) return false;
  const from = pkt.head;
  const ip = pkt.push(JUMBO_HEADER);
  pkt.bytes.copyWithin(ip, from, from + Ip6.LENGTH);
  pkt.ip = ip;
  const options = ip + Ip6.LENGTH;
  Options.writeHeader(view, options, first, JUMBO_HEADER);
  view.setUint8(options + 2, Options.OptionType.jumbo);
  view.setUint8(options + 3, 4);
  view.setUint32(options + 4, pkt.tail - options);
  Ip6.setNextHeader(view, ip, NextHeader.hopByHop);
  Ip6.setPayloadLength(view, ip, 0);
  return true;
}

function fail(
  stack: Stack,
  pkt: Packet,
  counter: Parameters<typeof drop<'ip6'>>[3],
  error: SendError | undefined,
): SendError | undefined {
  drop(stack, pkt, 'ip6', counter);
  return error;
}
