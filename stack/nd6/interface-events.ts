import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';

/** The interface is up and has carrier: link-local address, groups, DAD of every tentative address. KAME: in6_if_up, nd6_ifattach. */
export function nd6InterfaceUp(_stack: Stack, _ifp: Interface): void {}

/** It lost either: neighbors forgotten, DAD stopped. */
export function nd6InterfaceDown(_stack: Stack, _ifp: Interface): void {}
