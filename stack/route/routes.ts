/**
 * Changing the routing table: what route(8), addresses and redirects do. Keeps the table's promises (masked destinations,
 * a gateway on a link we have), tells the trace, and removes what has expired. KAME: rtrequest.
 */
import { Timer } from '../env/clock.ts';
import { formatZoned } from '../ip6/scope.ts';
import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import { type Route, RouteFlag } from './table.ts';

export interface RouteSpec {
  readonly destination: Uint8Array;
  readonly prefixLength: number;
  /** Zone of a scoped destination (an interface index). */
  readonly zone?: number;
  /** Next hop; a link-local one needs `interface`. Absent: on-link, and `interface` is needed. */
  readonly gateway?: Uint8Array | undefined;
  readonly interface?: Interface | undefined;
  /** Bits of RouteFlag besides `up`, `host` and `gateway`, which follow from the rest. */
  readonly flags?: number;
  readonly mtu?: number;
  /** In the clock's milliseconds; absent for never. */
  readonly expires?: number;
}

export type RouteError = 'EEXIST' | 'ENETUNREACH' | 'EINVAL' | 'ESRCH';

/** Errors: EEXIST, ENETUNREACH (the gateway is on no link of ours), EINVAL (a prefix length or gateway that cannot be). */
export function addRoute(stack: Stack, spec: RouteSpec): Route | RouteError {
  const { prefixLength } = spec;
  if (!Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 128) return 'EINVAL';
  const destination = Address.masked(spec.destination, prefixLength);
  const zone = spec.zone ?? 0;
  if (stack.routes.find(destination, prefixLength, zone) !== undefined) return 'EEXIST';
  const hop = resolveHop(stack, spec.gateway, spec.interface);
  if (typeof hop === 'string') return hop;
  const gateway = spec.gateway && Uint8Array.from(spec.gateway);
  const route: Route = {
    destination,
    prefixLength,
    zone,
    interface: hop,
    flags: RouteFlag.up | (spec.flags ?? 0) | shapeFlags(prefixLength, gateway),
    gateway,
    gatewayView: gateway && Address.viewOf(gateway),
    mtu: spec.mtu ?? 0,
    expires: spec.expires ?? Number.POSITIVE_INFINITY,
    use: 0,
  };
  stack.routes.add(route);
  stack.routeExpiry.watch(route);
  told(stack, route, 'added');
  return route;
}

/** `route change`: another next hop for an existing prefix. */
export function changeRoute(
  stack: Stack,
  route: Route,
  gateway: Uint8Array | undefined,
  ifp?: Interface,
): RouteError | undefined {
  const hop = resolveHop(stack, gateway, ifp);
  if (typeof hop === 'string') return hop;
  route.interface = hop;
  route.gateway = gateway && Uint8Array.from(gateway);
  route.gatewayView = route.gateway && Address.viewOf(route.gateway);
  route.flags = (route.flags & ~(RouteFlag.gateway | RouteFlag.host)) | shapeFlags(route.prefixLength, gateway);
  told(stack, route, 'changed');
  return undefined;
}

export function removeRoute(stack: Stack, route: Route): boolean {
  if (!stack.routes.remove(route)) return false;
  told(stack, route, 'removed');
  return true;
}

/** `route delete`. */
export function deleteRoute(
  stack: Stack,
  destination: Uint8Array,
  prefixLength: number,
  zone = 0,
): RouteError | undefined {
  const route = stack.routes.find(destination, prefixLength, zone);
  if (route === undefined) return 'ESRCH';
  removeRoute(stack, route);
  return undefined;
}

/** The interface a next hop is reached by. */
function resolveHop(stack: Stack, gateway: Uint8Array | undefined, ifp: Interface | undefined): Interface | RouteError {
  if (gateway === undefined) return ifp ?? 'EINVAL';
  const view = Address.viewOf(gateway);
  if (Address.isMulticast(view, 0) || Address.isUnspecified(view, 0)) return 'EINVAL';
  if (ifp !== undefined) return ifp;
  if (Address.isLinkLocal(view, 0)) return 'EINVAL';
  const onLink = stack.routes.lookup(view, 0, 0);
  // a gateway behind a gateway would need a second lookup for every packet
  if (onLink === undefined || (onLink.flags & (RouteFlag.gateway | RouteFlag.reject)) !== 0) return 'ENETUNREACH';
  return onLink.interface;
}

function shapeFlags(prefixLength: number, gateway: Uint8Array | undefined): number {
  return (prefixLength === 128 ? RouteFlag.host : 0) | (gateway !== undefined ? RouteFlag.gateway : 0);
}

function told(stack: Stack, route: Route, change: 'added' | 'removed' | 'changed'): void {
  stack.trace?.event({
    type: 'route',
    destination: `${formatZoned(stack, route.destination, route.zone)}/${route.prefixLength}`,
    gateway: route.gateway === undefined ? '' : formatZoned(stack, route.gateway, route.interface.index),
    interface: route.interface.name,
    change,
  });
}

/** Removes routes when their time has come, redirects above all. */
export class RouteExpiry {
  readonly #stack: Stack;
  readonly #timer = new Timer(() => this.#onTime());

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** Called whenever a route's `expires` was set. */
  watch(route: Route): void {
    if (route.expires === Number.POSITIVE_INFINITY) return;
    if (this.#timer.armed && this.#timer.due <= route.expires) return;
    this.#stack.clock.arm(this.#timer, route.expires - this.#stack.clock.now);
  }

  #onTime(): void {
    const { now } = this.#stack.clock;
    for (const route of this.#stack.routes.routes()) {
      if (route.expires <= now) removeRoute(this.#stack, route);
      else this.watch(route);
    }
  }
}
