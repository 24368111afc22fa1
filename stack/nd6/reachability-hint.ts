import type { Stack } from '../stack.ts';

/**
 * An upper layer knows that its packets to the destination at `view[at]` arrive (RFC 4861 7.3.1): TCP made forward progress, or a program
 * said so (IPV6_REACHCONF). Taken for the next hop on the way there, within `nd6_maxnudhint`. KAME: nd6_nud_hint.
 */
export function hintReachable(stack: Stack, view: DataView, at: number, zone: number): void {
  const route = stack.routes.lookup(view, at, zone);
  if (route === undefined) return;
  const neighbor =
    route.gatewayView === undefined
      ? stack.neighbors.find(view, at, route.interface.index)
      : stack.neighbors.find(route.gatewayView, 0, route.interface.index);
  neighbor?.onConfirm();
}
