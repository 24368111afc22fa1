/**
 * The default interface, `ndp -I if`: without a route, a host takes every destination for on-link there (RFC 2461 5.2, 6.3.6 (3)). Off by
 * default, so that a destination without a route fails at once; routers control their routes alone (KAME note 1.2).
 *
 * KAME: nd6_setdefaultiface, defrouter_select's default interface route.
 */
import type { Interface } from '../link/interface.ts';
import { RouteFlag } from '../route/table.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';

/** Undefined: none. It is also the default zone. */
export function setDefaultInterface(stack: Stack, ifp: Interface | undefined): void {
  stack.defaultInterface = ifp;
  placeDefaultInterface(stack);
}

/** After a change of the default interface, or of `forwarding`. */
export function placeDefaultInterface(stack: Stack): void {
  const ifp = stack.sysctl.ip6.forwarding === 0 ? stack.defaultInterface : undefined;
  if (ifp === stack.routes.fallback?.interface) return;
  stack.routes.fallback = ifp && {
    destination: Address.UNSPECIFIED,
    prefixLength: 0,
    zone: 0,
    interface: ifp,
    flags: RouteFlag.up | RouteFlag.cloning,
    gateway: undefined,
    gatewayView: undefined,
    mtu: 0,
    expires: Number.POSITIVE_INFINITY,
    use: 0,
  };
}
