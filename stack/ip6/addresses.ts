/**
 * The addresses of a node: adding and removing one with all that belongs to it (RFC 4862 5, RFC 4291 2.8). KAME: in6.c.
 */
import { Timer } from '../env/clock.ts';
import type { Interface } from '../link/interface.ts';
import { dadStart, dadStop } from '../nd6/dad.ts';
import { addRoute, deleteRoute } from '../route/routes.ts';
import { RouteFlag } from '../route/table.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import { formatZoned, zoneOf } from './scope.ts';

/** RFC 4862 2. 'duplicated': DAD found it in use; nothing is sent from it (KAME: IN6_IFF_DUPLICATED). */
export type AddressState = 'tentative' | 'preferred' | 'deprecated' | 'duplicated';

/** One address of an interface. KAME: struct in6_ifaddr. */
export class InterfaceAddress {
  readonly interface: Interface;
  readonly address: Uint8Array;
  readonly view: DataView;
  readonly prefixLength: number;
  /** Interface index for a link-local address, else 0. */
  readonly zone: number;
  readonly anycast: boolean;
  /** Made from a router advertisement. */
  readonly autoconf: boolean;
  readonly temporary: boolean;
  /** The other end of a point-to-point interface, if this address names one. KAME: ia_dstaddr. */
  readonly destination: Uint8Array | undefined;
  /** Deprecates and removes it; armed only with finite lifetimes. */
  readonly lifetime: Timer;
  state: AddressState = 'preferred';
  /** When it becomes deprecated and when it goes, in the clock's milliseconds; Infinity for never. */
  preferredUntil = Number.POSITIVE_INFINITY;
  validUntil = Number.POSITIVE_INFINITY;

  constructor(ifp: Interface, address: Uint8Array, prefixLength: number, zone: number, options: AddOptions = {}) {
    this.interface = ifp;
    this.address = address.slice();
    this.view = new DataView(this.address.buffer);
    this.prefixLength = prefixLength;
    this.zone = zone;
    this.anycast = options.anycast ?? false;
    this.autoconf = options.autoconf ?? false;
    this.temporary = options.temporary ?? false;
    this.destination = options.destination?.slice();
    this.lifetime = new Timer(() => onLifetime(ifp.stack, this));
  }

  /** It may be used as a source and answered for. */
  get usable(): boolean {
    return this.state === 'preferred' || this.state === 'deprecated';
  }
}

export interface AddOptions {
  readonly anycast?: boolean;
  readonly autoconf?: boolean;
  readonly temporary?: boolean;
  /** Seconds; absent for ever. */
  readonly preferredLifetime?: number;
  readonly validLifetime?: number;
  /** The other end of a point-to-point interface. */
  readonly destination?: Uint8Array;
  /** Skip DAD (`ifconfig ... nodad` is not KAME's; tests and anycast use it). */
  readonly noDad?: boolean;
}

export type AddressError = 'EEXIST' | 'EINVAL';

/**
 * `ifconfig if inet6 address prefixlen n`: table entry, host route to lo0, on-link prefix route, solicited-node group,
 * then DAD if the interface is up. Returns the entry, or an errno name. KAME: in6_update_ifa.
 */
export function addAddress(
  stack: Stack,
  ifp: Interface,
  address: Uint8Array,
  prefixLength: number,
  options: AddOptions = {},
): InterfaceAddress | AddressError {
  const view = Address.viewOf(address);
  if (!mayBeAssigned(view, ifp)) return 'EINVAL';
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 128) return 'EINVAL';
  if (options.destination !== undefined && (ifp.kind !== 'pointToPoint' || prefixLength !== 128)) return 'EINVAL';
  const preferred = options.preferredLifetime ?? Number.POSITIVE_INFINITY;
  const valid = options.validLifetime ?? Number.POSITIVE_INFINITY;
  if (!(preferred >= 0 && valid > 0 && preferred <= valid)) return 'EINVAL';
  const zone = zoneOf(ifp, view, 0);
  if (stack.addresses.get(view, 0, zone) !== undefined) return 'EEXIST';

  const entry = new InterfaceAddress(ifp, address, prefixLength, zone, options);
  stack.addresses.set(entry.view, 0, zone, entry);
  ifp.addresses.push(entry);
  addLocalRoute(stack, entry);
  if (entry.destination !== undefined) {
    const theirs = { destination: entry.destination, prefixLength: 128, zone: peerZone(entry) };
    addRoute(stack, { ...theirs, interface: ifp });
  } else {
    addPrefixRoute(entry);
  }
  stack.trace?.event({ type: 'address', interface: ifp.name, address: textOf(entry), change: 'added' });
  // not a source yet: the report about its own group must not give it away as one (RFC 4862 5.4)
  if (!options.noDad) entry.state = 'tentative';
  stack.mld.join(ifp, Address.solicitedNode(entry.address));
  if (!options.noDad) dadStart(stack, entry);
  setLifetimes(entry, preferred, valid);
  return entry;
}

/** Undo all that addAddress did. KAME: in6_purgeaddr. */
export function removeAddress(stack: Stack, entry: InterfaceAddress): void {
  const ifp = entry.interface;
  const place = ifp.addresses.indexOf(entry);
  if (place < 0) return;
  dadStop(stack, entry);
  stack.clock.disarm(entry.lifetime);
  ifp.addresses.splice(place, 1);
  stack.addresses.delete(entry.view, 0, entry.zone);
  removeLocalRoute(stack, entry);
  if (entry.destination !== undefined) deleteRoute(stack, entry.destination, 128, peerZone(entry));
  else removePrefixRoute(stack, entry);
  stack.mld.leave(ifp, Address.solicitedNode(entry.address));
  stack.trace?.event({ type: 'address', interface: ifp.name, address: textOf(entry), change: 'removed' });
}

/** New lifetimes, in seconds from now; Infinity for ever. KAME: the lifetimes of in6_update_ifa. */
export function setLifetimes(entry: InterfaceAddress, preferred: number, valid: number): void {
  const { now } = entry.interface.stack.clock;
  entry.preferredUntil = now + preferred * 1000;
  entry.validUntil = now + valid * 1000;
  if (entry.state === 'deprecated' && preferred > 0) entry.state = 'preferred';
  onLifetime(entry.interface.stack, entry);
}

/** DAD found nobody else: the address is good for use. Called by DAD. */
export function becomeValid(stack: Stack, entry: InterfaceAddress): void {
  entry.state = 'preferred';
  onLifetime(stack, entry);
}

/** Traffic of this node to its own address stays here. */
export function addLocalRoute(stack: Stack, { address, zone }: InterfaceAddress): void {
  // a redirect, or the administrator, knew it as another's: it is ours now
  deleteRoute(stack, address, 128, zone);
  addRoute(stack, { destination: address, prefixLength: 128, zone, interface: stack.loopback, flags: RouteFlag.local });
}

/** The address is another's, DAD found: what is sent to it goes to its owner (RFC 4862 5.4.5). KAME keeps the route. */
export function removeLocalRoute(stack: Stack, { address, zone }: InterfaceAddress): void {
  const route = stack.routes.find(address, 128, zone);
  // without it: a duplicate's place may have been taken by a route to the owner
  if (route !== undefined && (route.flags & RouteFlag.local) !== 0) deleteRoute(stack, address, 128, zone);
}

/** RFC 4862 5.5.4: preferred, then deprecated, then gone. */
function onLifetime(stack: Stack, entry: InterfaceAddress): void {
  const { now } = stack.clock;
  if (entry.validUntil <= now) return removeAddress(stack, entry);
  if (entry.preferredUntil <= now && entry.state === 'preferred') {
    entry.state = 'deprecated';
    stack.trace?.event({
      type: 'address',
      interface: entry.interface.name,
      address: textOf(entry),
      change: 'deprecated',
    });
  }
  const next = entry.preferredUntil > now ? entry.preferredUntil : entry.validUntil;
  if (next === Number.POSITIVE_INFINITY) stack.clock.disarm(entry.lifetime);
  else stack.clock.arm(entry.lifetime, next - now);
}

/** No multicast, no `::`, none that stands for an IPv4 one, no zone inside; `::1` on lo0 alone. */
function mayBeAssigned(view: DataView, ifp: Interface): boolean {
  if (view.byteLength !== 16) return false;
  if (Address.isMulticast(view, 0) || Address.isUnspecified(view, 0)) return false;
  if (Address.isV4Mapped(view, 0) || Address.isV4Compatible(view, 0)) return false;
  if (Address.hasEmbeddedZone(view, 0)) return false;
  return !Address.isLoopback(view, 0) || ifp.kind === 'loopback';
}

/** The subnet is on-link. The first address of a subnet brings the route, the last one takes it along. */
function addPrefixRoute(entry: InterfaceAddress): void {
  if (entry.prefixLength === 128 || entry.interface.kind === 'loopback') return;
  const { stack } = entry.interface;
  const { prefixLength, zone } = entry;
  addRoute(stack, {
    destination: entry.address,
    prefixLength,
    zone,
    interface: entry.interface,
    flags: RouteFlag.cloning,
  });
}

function removePrefixRoute(stack: Stack, gone: InterfaceAddress): void {
  if (gone.prefixLength === 128) return;
  const prefix = Address.masked(gone.address, gone.prefixLength);
  const route = stack.routes.find(prefix, gone.prefixLength, gone.zone);
  if (route === undefined || route.interface !== gone.interface || (route.flags & RouteFlag.cloning) === 0) return;
  if (gone.interface.addresses.some((other) => sameSubnet(other, gone))) return;
  deleteRoute(stack, prefix, gone.prefixLength, gone.zone);
  // another interface may have an address in the same subnet and waited for the route
  for (const ifp of stack.interfaces) {
    const heir = ifp?.addresses.find((other) => sameSubnet(other, gone));
    if (heir !== undefined) return addPrefixRoute(heir);
  }
}

function sameSubnet(a: InterfaceAddress, b: InterfaceAddress): boolean {
  return (
    a.prefixLength === b.prefixLength &&
    a.zone === b.zone &&
    a.destination === undefined &&
    Address.prefixMatches(a.view, 0, b.view, 0, a.prefixLength)
  );
}

function peerZone(entry: InterfaceAddress): number {
  return zoneOf(entry.interface, Address.viewOf(entry.destination!), 0);
}

function textOf(entry: InterfaceAddress): string {
  return formatZoned(entry.interface.stack, entry.address, entry.zone);
}
