/**
 * Multicast Listener Discovery, version 1, listener side (RFC 2710, RFC 3590): the groups each interface listens to.
 * Memberships are made by this node alone, so their number is bounded by its sockets and addresses. KAME: mld6.c.
 */
import type { Random } from '../env/random.ts';
import { AddressTable } from '../ip6/address-table.ts';
import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';
import { viewOf } from '../wire/address.ts';
import { multicastMac } from '../wire/ethernet.ts';
import { Membership } from './membership.ts';
import { sendMldMessage } from './message-output.ts';

export class Mld {
  readonly stack: Stack;
  readonly random: Random;
  /** By group and interface index. */
  readonly #members: AddressTable<Membership>;
  /** By interface index, in order of joining. */
  readonly #byInterface: Membership[][] = [];

  constructor(stack: Stack) {
    this.stack = stack;
    this.random = stack.random.fork('mld');
    this.#members = new AddressTable(this.random.u32());
  }

  /** Join (counted: each join wants its leave). Groups outlive `ifconfig down` and the loss of all addresses. KAME: in6_joingroup. */
  join(ifp: Interface, group: Uint8Array): void {
    const view = viewOf(group);
    const known = this.#members.get(view, 0, ifp.index);
    if (known !== undefined) {
      known.joins++;
      return;
    }
    const membership = new Membership(this, ifp, group);
    this.#members.set(membership.view, 0, ifp.index, membership);
    this.#of(ifp).push(membership);
    setFilter(ifp, this.#of(ifp));
    if (ifp.up && ifp.running) membership.start();
  }

  /** KAME: in6_leavegroup. */
  leave(ifp: Interface, group: Uint8Array): void {
    const view = viewOf(group);
    const membership = this.#members.get(view, 0, ifp.index);
    if (membership === undefined || --membership.joins > 0) return;
    this.#members.delete(view, 0, ifp.index);
    const list = this.#of(ifp);
    list.splice(list.indexOf(membership), 1);
    setFilter(ifp, list);
    membership.stop();
  }

  /** Is the group at `view[at]` one that `ifp` listens to? On the data path. */
  isMember(ifp: Interface, view: DataView, at: number): boolean {
    return this.#members.get(view, at, ifp.index) !== undefined;
  }

  membership(ifp: Interface, view: DataView, at: number): Membership | undefined {
    return this.#members.get(view, at, ifp.index);
  }

  groups(ifp: Interface): readonly Membership[] {
    return this.#byInterface[ifp.index] ?? [];
  }

  /** The interface is up and has carrier: whoever routes there must learn of our groups anew. */
  interfaceUp(ifp: Interface): void {
    for (const membership of this.groups(ifp)) if (membership.state === 'silent') membership.start();
  }

  interfaceDown(ifp: Interface): void {
    for (const membership of this.groups(ifp)) membership.silence();
  }

  /** The first link-local address became valid: reports sent from `::` were ignored by routers (RFC 3590 4). */
  linkLocalValid(ifp: Interface): void {
    if (ifp.up && ifp.running) for (const membership of this.groups(ifp)) membership.start();
  }

  sendReport(membership: Membership): void {
    sendMldMessage(this.stack, membership, 'report');
    this.stack.counters.mld6.reportsSent++;
  }

  sendDone(membership: Membership): void {
    sendMldMessage(this.stack, membership, 'done');
    this.stack.counters.mld6.donesSent++;
  }

  #of(ifp: Interface): Membership[] {
    return (this.#byInterface[ifp.index] ??= []);
  }
}

/** What the station has to hear. */
function setFilter(ifp: Interface, memberships: readonly Membership[]): void {
  ifp.link.filter?.(memberships.map(({ group }) => multicastMac(group)));
}
