import type { Interface } from '../link/interface.ts';
import { RouteFlag } from '../route/table.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';

const ELSEWHERE = RouteFlag.gateway | RouteFlag.reject | RouteFlag.blackhole | RouteFlag.local;

/**
 * Whether the unicast address at `view[at]` is that of a neighbor on `ifp`: link-local, in an on-link prefix, or in the neighbor cache
 * already. KAME: nd6_is_addr_neighbor.
 */
export function isOnLink(stack: Stack, ifp: Interface, view: DataView, at: number): boolean {
  if (Address.isLinkLocal(view, at)) return true;
  if (hasPrefixOf(ifp, view, at)) return true;
  const route = stack.routes.lookup(view, at, 0);
  if (route !== undefined && route.interface === ifp && (route.flags & ELSEWHERE) === 0) return true;
  return stack.neighbors.find(view, at, ifp.index) !== undefined;
}

/** Whether an address of `ifp` has the address at `view[at]` in its prefix. */
export function hasPrefixOf(ifp: Interface, view: DataView, at: number): boolean {
  return ifp.addresses.some((entry) => Address.prefixMatches(entry.view, 0, view, at, entry.prefixLength));
}
