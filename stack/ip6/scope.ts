/**
 * Scope zones, RFC 4007. A zone stands beside its address, never inside: KAME's embedded form (`fe80:1::`) does not exist
 * here, so it can neither leak to the wire nor be read from it. One link is one interface, so the index of the interface
 * is the zone of its link. KAME: scope6.c (in6_setscope, sa6_embedscope).
 */
import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';

/**
 * The zone that the address at `view[at]` has on `ifp`: 0 for a global one. Not only fe80::/10: every group of less than
 * global scope is scoped too (SC-10). On the data path. KAME: in6_setscope.
 */
export function zoneOf(ifp: Interface, view: DataView, at: number): number {
  const top = view.getUint16(at);
  if (top < 0xfe80) return 0;
  if (top < 0xfec0) return ifp.index;
  if (top < 0xff00) return ifp.siteZone;
  const scope = top & 0xf;
  if (scope <= Address.Scope.linkLocal) return ifp.index;
  return scope < Address.Scope.global ? ifp.siteZone : 0;
}

/** Whether a packet from or to the address at `view[at]` stays in its zone when it goes from one interface to another. */
export function staysInZone(from: Interface, to: Interface, view: DataView, at: number): boolean {
  return from === to || zoneOf(from, view, at) === zoneOf(to, view, at);
}

/**
 * What a program meant by an address and its `sin6_scope_id`: the zone, 0 for an address that has none or while it is
 * ambiguous still (then the outgoing interface decides, SC-09), or ENXIO for an interface that is not there.
 * KAME: sa6_embedscope.
 */
export function zoneOfScopeId(stack: Stack, view: DataView, at: number, scopeId: number): number | 'ENXIO' {
  if (!Address.isLinkScoped(view, at)) return 0;
  if (scopeId !== 0) return stack.interfaces[scopeId] === undefined ? 'ENXIO' : scopeId;
  if (stack.sysctl.ip6.use_defaultzone !== 0) return stack.defaultInterface?.index ?? 0;
  return 0;
}

/** The text of an address with its zone, if it needs one: `fe80::1%tap0`. */
export function formatZoned(stack: Stack, address: Uint8Array, zone: number): string {
  const scoped = zone !== 0 && Address.isLinkScoped(Address.viewOf(address), 0);
  return Address.formatScoped(address, scoped ? (stack.interfaces[zone]?.name ?? String(zone)) : undefined);
}
