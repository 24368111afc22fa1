/** What Neighbor Discovery does as an interface comes and goes. KAME: in6_if_up, in6_ifattach, nd6_ifattach, in6_ifdetach. */
import { uniform } from '../env/random.ts';
import { addAddress } from '../ip6/addresses.ts';
import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import { placeDefaultInterface } from './default-interface.ts';
import { interfaceIdentifier } from './interface-identifier.ts';
import { reachableTime } from './reachable-time.ts';

/** RFC 4861 10, RFC 4862 5.4.2: nodes that start together don't speak together. Milliseconds. */
const MAX_RTR_SOLICITATION_DELAY = 1000;

/**
 * The interface is up and has carrier: groups, link-local address, detection of every address. Groups first: a probe for an address
 * whose group we don't listen to would miss the answers. KAME: in6_if_up.
 */
export function nd6InterfaceUp(stack: Stack, ifp: Interface): void {
  if (ifp.kind === 'loopback') return;
  ifp.nd.settlesAt = stack.clock.now + uniform(stack.neighbors.random, 0, MAX_RTR_SOLICITATION_DELAY);
  reachableTime(stack, ifp);
  joinGroups(stack, ifp);
  stack.mld.interfaceUp(ifp);
  const configured = [...ifp.addresses];
  addLinkLocal(stack, ifp);
  for (const entry of configured) if (entry.state !== 'duplicated') stack.dad.start(entry);
}

/** It lost either: neighbors and redirects forgotten, DAD stopped. Addresses are unsure until it is back. */
export function nd6InterfaceDown(stack: Stack, ifp: Interface): void {
  stack.dad.stopAll(ifp);
  stack.neighbors.interfaceDown(ifp);
  stack.redirects.interfaceDown(ifp);
  stack.mld.interfaceDown(ifp);
}

/** `net.inet6.ip6.forwarding` was set: routers listen to ff02::2 (RFC 4291 2.8) and have no default interface. */
export function nd6ForwardingChanged(stack: Stack): void {
  placeDefaultInterface(stack);
  for (const ifp of stack.interfaces) if (ifp !== undefined && ifp.kind !== 'loopback') joinGroups(stack, ifp);
}

/** Joined and left once for the node itself; its programs may join as well. */
function joinGroups(stack: Stack, ifp: Interface): void {
  const { nd } = ifp;
  if (!nd.allNodes) stack.mld.join(ifp, Address.ALL_NODES);
  nd.allNodes = true;
  const router = stack.sysctl.ip6.forwarding !== 0;
  if (router === nd.allRouters) return;
  nd.allRouters = router;
  if (router) stack.mld.join(ifp, Address.ALL_ROUTERS);
  else stack.mld.leave(ifp, Address.ALL_ROUTERS);
}

/** PP-01..PP-03: fe80:: and the interface identifier, unless the administrator gave or refused one. KAME: in6_ifattach_linklocal. */
function addLinkLocal(stack: Stack, ifp: Interface): void {
  if (stack.sysctl.ip6.auto_linklocal === 0) return;
  if (ifp.addresses.some((entry) => Address.isLinkLocal(entry.view, 0))) return;
  const id = interfaceIdentifier(stack, ifp);
  addAddress(stack, ifp, Address.withInterfaceId(Address.LINK_LOCAL_PREFIX, id), 64);
}
