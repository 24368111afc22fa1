/**
 * Neighbors set by hand: `ndp -s address mac [temp] [proxy]`, `ndp -d` (ND-13, ND-14). KAME: the RTM_ADD of ndp(8), nd6_rtrequest.
 */
import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import { hasPrefixOf } from './on-link.ts';

/** `temp`: twenty minutes, as ndp(8) has it. Milliseconds. */
const TEMPORARY_LIFETIME = 20 * 60 * 1000;

export interface SetOptions {
  readonly temporary: boolean;
  /** Answer solicitations for it with this MAC; hosts may, too. */
  readonly proxy: boolean;
}

/**
 * `zone`: the interface of a link-local address. EINVAL: the address is on no link of ours that has link-layer addresses (one off-link
 * can't be proxied), or is our own. ENOBUFS: the cache is full of neighbors in use.
 */
export function setNeighbor(
  stack: Stack,
  address: Uint8Array,
  zone: Interface | undefined,
  mac: Uint8Array,
  options: SetOptions,
): 'EINVAL' | 'ENOBUFS' | undefined {
  const view = Address.viewOf(address);
  const ifp = linkOf(stack, view, zone);
  if (ifp === undefined || ifp.mac === undefined || mac.length !== 6) return 'EINVAL';
  if (ifp.addresses.some((own) => Address.equal(own.address, address))) return 'EINVAL';
  const neighbor = stack.neighbors.findOrMake(ifp, view, 0);
  if (neighbor === undefined) return 'ENOBUFS';
  neighbor.setProxy(options.proxy);
  neighbor.onSet(mac, options.temporary ? TEMPORARY_LIFETIME : Number.POSITIVE_INFINITY);
  return undefined;
}

/** ESRCH: there is no such entry. */
export function deleteNeighbor(stack: Stack, address: Uint8Array, zone: Interface | undefined): 'ESRCH' | undefined {
  const view = Address.viewOf(address);
  let found = 0;
  for (const ifp of stack.interfaces) {
    if (ifp === undefined || (zone !== undefined && ifp !== zone)) continue;
    const neighbor = stack.neighbors.find(view, 0, ifp.index);
    if (neighbor === undefined) continue;
    neighbor.remove();
    found++;
  }
  return found === 0 ? 'ESRCH' : undefined;
}

function linkOf(stack: Stack, view: DataView, zone: Interface | undefined): Interface | undefined {
  if (Address.isMulticast(view, 0) || Address.isUnspecified(view, 0)) return undefined;
  if (Address.isLinkLocal(view, 0)) return zone;
  if (zone !== undefined) return hasPrefixOf(zone, view, 0) ? zone : undefined;
  return stack.interfaces.find((ifp) => ifp !== undefined && hasPrefixOf(ifp, view, 0));
}
