/** Which of an interface's own addresses speaks to a neighbor: Neighbor Discovery never takes another interface's. */
import type { InterfaceAddress } from '../ip6/addresses.ts';
import type { Interface } from '../link/interface.ts';
import * as Address from '../wire/address.ts';

/** The address at `view[at]`, if it is one of this interface that may be a source. */
export function ownSource(ifp: Interface, view: DataView, at: number): InterfaceAddress | undefined {
  return ifp.addresses.find((entry) => mayBeSource(entry) && Address.equals(entry.view, 0, view, at));
}

/** The interface's link-local address, once it is usable. */
export function linkLocalSource(ifp: Interface): InterfaceAddress | undefined {
  return ifp.addresses.find((entry) => mayBeSource(entry) && Address.isLinkLocal(entry.view, 0));
}

/**
 * The source for a message to or about the neighbor at `view[at]`: an address whose prefix the neighbor is in, so that it takes us
 * for on-link; else the link-local one, else any. Undefined while all are tentative.
 */
export function neighborSource(ifp: Interface, view: DataView, at: number): InterfaceAddress | undefined {
  let best: InterfaceAddress | undefined;
  for (const entry of ifp.addresses) {
    if (!mayBeSource(entry) || !Address.prefixMatches(entry.view, 0, view, at, entry.prefixLength)) continue;
    if (best === undefined || entry.prefixLength > best.prefixLength) best = entry;
  }
  return best ?? linkLocalSource(ifp) ?? ifp.addresses.find(mayBeSource);
}

const mayBeSource = (entry: InterfaceAddress): boolean => entry.usable && !entry.anycast;
