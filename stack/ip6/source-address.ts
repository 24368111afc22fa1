/**
 * Source address selection: RFC 3484 and 6724 5 with the two rules that KAME puts before the longest match (1.6.1 of its note).
 * A candidate that would leave its zone is never chosen. KAME: in6_selectsrc.
 */
import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import type { InterfaceAddress } from './addresses.ts';
import type { SendError } from './output.ts';
import { zoneOf } from './scope.ts';

export interface SourceOptions {
  /** Zone of a scoped destination. */
  readonly zone?: number;
  /** The outgoing interface, where the caller has decided on it. */
  readonly interface?: Interface | undefined;
}

/** The address to send from to the destination at `view[at]`, or why there is none. */
export function selectSource(
  stack: Stack,
  view: DataView,
  at: number,
  options: SourceOptions = {},
): InterfaceAddress | SendError {
  const out = outgoingInterface(stack, view, at, options.zone ?? 0, options.interface);
  if (out === undefined) {
    stack.counters.ip6.noRoute++;
    return 'EHOSTUNREACH';
  }
  // to ourselves the route leads to lo0, but the zone is that of the interface that has the address
  const zoneInterface = stack.interfaces[options.zone ?? 0] ?? options.interface ?? out;
  const zone = zoneOf(zoneInterface, view, at);
  const ranking = new Ranking(stack, view, at, out);
  let best: InterfaceAddress | undefined;
  for (const ifp of stack.interfaces) {
    if (ifp === undefined || zoneOf(ifp, view, at) !== zone) continue;
    for (const candidate of ifp.addresses) {
      if (!mayBeSource(stack, candidate, view, at, zoneInterface)) continue;
      if (best === undefined || ranking.prefers(candidate, best)) best = candidate;
    }
  }
  if (best !== undefined) return best;
  stack.counters.ip6.noSource++;
  return 'EADDRNOTAVAIL';
}

/** The interface that a packet to `view[at]` leaves by; undefined without a route. */
export function outgoingInterface(
  stack: Stack,
  view: DataView,
  at: number,
  zone: number,
  wanted: Interface | undefined,
): Interface | undefined {
  if (wanted !== undefined) return wanted;
  if (Address.isMulticast(view, at)) {
    if (zone !== 0) return stack.interfaces[zone];
    return stack.routes.lookup(view, at, 0)?.interface ?? stack.defaultInterface;
  }
  return stack.routes.lookup(view, at, zone)?.interface;
}

function mayBeSource(stack: Stack, candidate: InterfaceAddress, view: DataView, at: number, out: Interface): boolean {
  if (!candidate.usable || candidate.anycast) return false;
  if (candidate.state === 'deprecated' && stack.sysctl.ip6.use_deprecated === 0) return false;
  const address = candidate.view;
  // ::1 answers only to ::1: anywhere else it would be dropped
  if (Address.isLoopback(address, 0) !== Address.isLoopback(view, at)) {
    return false;
  }
  if (candidate.interface !== out && zoneOf(out, address, 0) !== candidate.zone) return false;
  // a link-local source beyond its link is of no use to a unicast destination (SL-06)
  return (
    Address.isMulticast(view, at) ||
    !Address.isLinkLocal(address, 0) ||
    Address.scope(view, at) === Address.Scope.linkLocal
  );
}

/** The rules in their order: the first that tells two candidates apart decides. */
class Ranking {
  readonly #stack: Stack;
  readonly #view: DataView;
  readonly #at: number;
  readonly #out: Interface;
  readonly #scope: number;
  readonly #label: number;

  constructor(stack: Stack, view: DataView, at: number, out: Interface) {
    this.#stack = stack;
    this.#view = view;
    this.#at = at;
    this.#out = out;
    this.#scope = Address.scope(view, at);
    this.#label = stack.policy.label(view, at);
  }

  prefers(a: InterfaceAddress, b: InterfaceAddress): boolean {
    // 1: the same address
    const sameA = Address.equals(a.view, 0, this.#view, this.#at);
    const sameB = Address.equals(b.view, 0, this.#view, this.#at);
    if (sameA !== sameB) return sameA;
    // 2: appropriate scope
    const scopeA = Address.scope(a.view, 0);
    const scopeB = Address.scope(b.view, 0);
    if (scopeA !== scopeB) return scopeA < scopeB ? scopeA >= this.#scope : scopeB < this.#scope;
    // 3: not deprecated
    if (a.state !== b.state) return b.state === 'deprecated';
    // 4 is about home addresses, which nobody has here
    // 5: the outgoing interface's
    if ((a.interface === this.#out) !== (b.interface === this.#out)) return a.interface === this.#out;
    // 6: the destination's label
    const labelA = this.#stack.policy.label(a.view, 0) === this.#label;
    const labelB = this.#stack.policy.label(b.view, 0) === this.#label;
    if (labelA !== labelB) return labelA;
    // 7: public or temporary, as `prefer_tempaddr` says
    if (a.temporary !== b.temporary) return a.temporary === (this.#stack.sysctl.ip6.prefer_tempaddr !== 0);
    // KAME: on an interface that is up
    if (a.interface.up !== b.interface.up) return a.interface.up;
    // KAME: on a preferred interface (`ndp -i if prefer_source`)
    if (a.interface.nd.preferSource !== b.interface.nd.preferSource) return a.interface.nd.preferSource;
    // 8: longest match, within the candidate's prefix
    return this.#matched(a) > this.#matched(b);
  }

  #matched(entry: InterfaceAddress): number {
    return Math.min(entry.prefixLength, Address.matchedLength(entry.view, 0, this.#view, this.#at));
  }
}
