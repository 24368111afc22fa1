/**
 * From a socket to ip6Output: zone, source, hop limit, the extension headers asked for (RFC 3542), payload, checksum.
 *
 *   IPv6   Hop-by-Hop   Routing   Destination Options   upper layer
 *
 * KAME: udp6_output, rip6_output, ip6_setpktopts, in6_selecthlim.
 */
import { ip6Output } from '../ip6/output.ts';
import { zoneOf, zoneOfScopeId } from '../ip6/scope.ts';
import { outgoingInterface, selectSource } from '../ip6/source-address.ts';
import type { Interface } from '../link/interface.ts';
import { hintReachable } from '../nd6/reachability-hint.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';
import { NextHeader } from '../wire/next-header.ts';
import * as Routing from '../wire/routing.ts';
import type { Endpoint, SendOptions, SocketErrno } from './socket.ts';

/** Hops that fit into a type 0 Routing header: its length is a byte. */
const MAX_HOPS = 127;
/** The largest packet any link of ours takes. */
const MAX_LENGTH = 131_072;

/** What the upper layer adds to a payload. */
export interface UpperLayer {
  readonly protocol: number;
  /** Bytes in front of the payload. */
  readonly headerLength: number;
  /** Fill the header at `at` and the checksum; the destination in the IPv6 header is the final one (RFC 8200 8.1). */
  complete(pkt: Packet, at: number): void;
}

/** The sending socket's own end. */
export interface LocalEnd {
  /** Bound or connected from; undefined: chosen for each datagram. */
  readonly source: Endpoint | undefined;
  readonly flowLabel: number;
  readonly multicastLoop: boolean;
}

/** Send one datagram. */
export function socketOutput(
  stack: Stack,
  upper: UpperLayer,
  local: LocalEnd,
  payload: Uint8Array,
  to: Endpoint,
  options: SendOptions,
): SocketErrno | undefined {
  const invalid = findInvalid(options, to);
  if (invalid !== undefined) return invalid;
  const zone = zoneOfDestination(stack, to, options.interface, local.source);
  if (typeof zone === 'string') return zone;

  // routes lead to the first hop, the source suits the last
  const hops = options.routingHops ?? [];
  const firstHop = hops.length === 0 ? to.address : hops[0]!;
  const hopView = Address.viewOf(firstHop);
  const out = outgoingInterface(stack, hopView, 0, zone, options.interface);
  if (out === undefined) return 'EHOSTUNREACH';
  const source = sourceFor(stack, to, zone, out, options, local);
  if (typeof source === 'string') return source;

  const hopByHop = options.hopByHop?.length ?? 0;
  const routing = hops.length === 0 ? 0 : Routing.LENGTH + 16 * hops.length;
  const destinationOptions = options.destinationOptions?.length ?? 0;
  const extensions = hopByHop + routing + destinationOptions;
  const length = extensions + upper.headerLength + payload.length;
  if (length > MAX_LENGTH) return 'EMSGSIZE';

  const pkt = stack.pool.take(Ip6.LENGTH + length);
  const { view, bytes, head } = pkt;
  pkt.ip = head;
  pkt.tail = head + Ip6.LENGTH + length;
  const hopLimit = options.hopLimit ?? defaultHopLimit(stack, hopView, out);
  const flowLabel = options.flowLabel ?? local.flowLabel;
  Ip6.write(view, head, 0, upper.protocol, hopLimit, options.trafficClass ?? 0, flowLabel);
  Address.set(view, head + Ip6.SOURCE, source);
  Address.set(view, head + Ip6.DESTINATION, to.address);

  // each header names the next; the last one written names the upper layer
  let named = head + Ip6.NEXT_HEADER;
  let at = head + Ip6.LENGTH;
  if (options.hopByHop !== undefined) {
    bytes[named] = NextHeader.hopByHop;
    bytes.set(options.hopByHop, at);
    named = at;
    at += hopByHop;
  }
  const routingAt = at;
  if (routing > 0) {
    bytes[named] = NextHeader.routing;
    Routing.write(view, at, upper.protocol, Routing.Type.source, hops.length, hops.length);
    named = at;
    at += routing;
  }
  if (options.destinationOptions !== undefined) {
    bytes[named] = NextHeader.destinationOptions;
    bytes.set(options.destinationOptions, at);
    named = at;
    at += destinationOptions;
  }
  bytes[named] = upper.protocol;
  pkt.at = at;
  bytes.set(payload, at + upper.headerLength);
  upper.complete(pkt, at);
  if (routing > 0) writeHops(pkt, routingAt, hops, to.address);
  if (options.reachable) hintReachable(stack, hopView, 0, zone);
  return ip6Output(stack, pkt, {
    zone,
    interface: options.interface,
    minMtu: options.minMtu ?? false,
    dontFragment: options.dontFragment ?? false,
    multicastLoop: local.multicastLoop,
  });
}

/** The packet goes to the first hop; the header has the rest and the final destination (RFC 2460 4.4). */
function writeHops(pkt: Packet, routingAt: number, hops: readonly Uint8Array[], final: Uint8Array): void {
  Address.set(pkt.view, pkt.ip + Ip6.DESTINATION, hops[0]!);
  for (let hop = 0; hop < hops.length; hop++) {
    Address.set(pkt.view, routingAt + Routing.ADDRESSES + 16 * hop, hops[hop + 1] ?? final);
  }
}

function findInvalid(options: SendOptions, to: Endpoint): 'EINVAL' | undefined {
  if (to.address.length !== 16 || !isByte(options.hopLimit) || !isByte(options.trafficClass)) return 'EINVAL';
  if (!isOptionsHeader(options.hopByHop) || !isOptionsHeader(options.destinationOptions)) return 'EINVAL';
  const hops = options.routingHops;
  if (hops === undefined || hops.length === 0) return undefined;
  if (hops.length > MAX_HOPS || to.address[0] === 0xff) return 'EINVAL';
  return hops.every(mayBeHop) ? undefined : 'EINVAL';
}

function isByte(value: number | undefined): boolean {
  return value === undefined || (Number.isInteger(value) && value >= 0 && value <= 255);
}

/** Its length field must say how long it is: a header that lies would hide the payload. */
function isOptionsHeader(header: Uint8Array | undefined): boolean {
  return header === undefined || (header.length >= 8 && header.length === (header[1]! + 1) * 8);
}

/** KAME note 1.14: never multicast, `::`, or one that stands for an IPv4 address. */
function mayBeHop(hop: Uint8Array): boolean {
  if (hop.length !== 16) return false;
  const view = Address.viewOf(hop);
  return !(
    Address.isMulticast(view, 0) ||
    Address.isUnspecified(view, 0) ||
    Address.isV4Mapped(view, 0) ||
    Address.isV4Compatible(view, 0)
  );
}

/**
 * The zone a program means: what it said, else its outgoing interface, else the zone of the address it sends from (SC-09).
 * A scoped unicast address without any can't be reached (SC-08); a group goes where multicast goes.
 */
export function zoneOfDestination(
  stack: Stack,
  to: Endpoint,
  wanted: Interface | undefined,
  source: Endpoint | undefined,
): number | SocketErrno {
  const view = Address.viewOf(to.address);
  if (!Address.isLinkScoped(view, 0)) return 0;
  // said: no default zone in between, as the interface decides before it
  if (to.zone === 0 && wanted !== undefined) return wanted.index;
  if (to.zone === 0 && source !== undefined && source.zone !== 0) return source.zone;
  const zone = zoneOfScopeId(stack, view, 0, to.zone);
  if (typeof zone === 'string') return zone;
  if (zone !== 0) return wanted === undefined || wanted.index === zone ? zone : 'EINVAL';
  return Address.isMulticast(view, 0) ? 0 : 'EHOSTUNREACH';
}

function sourceFor(
  stack: Stack,
  to: Endpoint,
  zone: number,
  out: Interface,
  options: SendOptions,
  local: LocalEnd,
): Uint8Array | SocketErrno {
  if (options.source !== undefined) {
    if (options.source.length !== 16) return 'EINVAL';
    // of lo0's own packets, the zone is that of the interface meant
    const scope = stack.interfaces[zone] ?? out;
    const view = Address.viewOf(options.source);
    return mayBeSource(stack, view, zoneOf(scope, view, 0)) ? options.source : 'EADDRNOTAVAIL';
  }
  if (local.source !== undefined) {
    const view = Address.viewOf(local.source.address);
    return mayBeSource(stack, view, local.source.zone) ? local.source.address : 'EADDRNOTAVAIL';
  }
  // through a routing header there need be no route to the destination itself
  const wanted = options.routingHops?.length ? out : options.interface;
  const chosen = selectSource(stack, Address.viewOf(to.address), 0, { zone, interface: wanted });
  return typeof chosen === 'string' ? chosen : chosen.address;
}

/** Ours, detected to be unique, and no anycast address (RQ-05). */
export function mayBeSource(stack: Stack, view: DataView, zone: number): boolean {
  const entry = stack.addresses.get(view, 0, zone);
  return entry?.usable === true && !entry.anycast;
}

/** KAME: in6_selecthlim. */
function defaultHopLimit(stack: Stack, view: DataView, out: Interface): number {
  if (Address.isMulticast(view, 0)) return stack.sysctl.ip6.defmcasthlim;
  return out.nd.hopLimit === 0 ? stack.sysctl.ip6.hlim : out.nd.hopLimit;
}
