/** The groups one socket has joined; it leaves them as it closes. KAME: struct ip6_moptions. */
import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';

/** Groups of one socket, so that no program can fill the node's table. */
const LIMIT = 512;

export class Memberships {
  readonly #stack: Stack;
  readonly #joined: { interface: Interface; group: Uint8Array }[] = [];

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** KAME: IPV6_JOIN_GROUP. */
  join(ifp: Interface, group: Uint8Array): 'EINVAL' | 'EADDRINUSE' | 'ENOBUFS' | undefined {
    if (group.length !== 16 || group[0] !== 0xff) return 'EINVAL';
    if (this.#find(ifp, Address.viewOf(group), 0) >= 0) return 'EADDRINUSE';
    if (this.#joined.length >= LIMIT) return 'ENOBUFS';
    this.#joined.push({ interface: ifp, group: Uint8Array.from(group) });
    this.#stack.mld.join(ifp, group);
    return undefined;
  }

  /** KAME: IPV6_LEAVE_GROUP. */
  leave(ifp: Interface, group: Uint8Array): 'EADDRNOTAVAIL' | undefined {
    const place = group.length === 16 ? this.#find(ifp, Address.viewOf(group), 0) : -1;
    if (place < 0) return 'EADDRNOTAVAIL';
    this.#joined.splice(place, 1);
    this.#stack.mld.leave(ifp, group);
    return undefined;
  }

  leaveAll(): void {
    for (const { interface: ifp, group } of this.#joined.splice(0)) this.#stack.mld.leave(ifp, group);
  }

  /**
   * Does the socket want what was sent to the group at `view[at]` on `ifp`? One that joined groups hears those alone, one that
   * joined none hears every group of the node, as on the BSDs.
   */
  hears(ifp: Interface, view: DataView, at: number): boolean {
    return this.#joined.length === 0 || this.#find(ifp, view, at) >= 0;
  }

  #find(ifp: Interface, view: DataView, at: number): number {
    for (let place = 0; place < this.#joined.length; place++) {
      const joined = this.#joined[place]!;
      if (joined.interface === ifp && Address.same(view, at, joined.group)) return place;
    }
    return -1;
  }
}
