/**
 * The neighbor cache: bounded, by address and interface. KAME: struct llinfo_nd6, nd6_lookup, nd6_free.
 *
 * A /64 has more addresses than any cache, so whoever can make entries can fill it (RFC 6583). When it is full, the oldest entry
 * of a neighbor that never answered makes room, then the oldest stale one. A neighbor in use or set by hand never does; with
 * nothing else left, new ones are refused.
 */
import type { Random } from '../env/random.ts';
import { AddressTable } from '../ip6/address-table.ts';
import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';
import { Neighbor } from './neighbor.ts';

/** How soon an entry may be evicted. */
export type Lane = 'unproven' | 'idle' | 'kept';

export class NeighborCache {
  readonly stack: Stack;
  /** Neighbor Discovery's own stream: reachable times, delays, nonces. */
  readonly random: Random;
  /** Packets waiting for address resolution. */
  held = 0;
  readonly #table: AddressTable<Neighbor>;
  readonly #lanes: Record<'unproven' | 'idle', NeighborList> = {
    unproven: new NeighborList(),
    idle: new NeighborList(),
  };

  constructor(stack: Stack, salt: number) {
    this.stack = stack;
    this.random = stack.random.fork('nd6');
    this.#table = new AddressTable(salt);
  }

  get size(): number {
    return this.#table.size;
  }

  /** The neighbor whose address lies at `view[at]`, on the link of interface `index`. */
  find(view: DataView, at: number, index: number): Neighbor | undefined {
    return this.#table.get(view, at, index);
  }

  /** The same, made if there is none; undefined when the cache is full of neighbors in use. */
  findOrMake(ifp: Interface, view: DataView, at: number): Neighbor | undefined {
    const known = this.#table.get(view, at, ifp.index);
    if (known !== undefined) return known;
    while (this.#table.size >= this.stack.sysctl.icmp6.nd6_maxneighbors) if (!this.#evict()) return undefined;
    const neighbor = new Neighbor(this, ifp, view, at);
    this.#table.set(neighbor.view, 0, ifp.index, neighbor);
    this.#lanes.unproven.add(neighbor);
    return neighbor;
  }

  /** For people: oldest first is not promised. */
  *all(): IterableIterator<Neighbor> {
    yield* this.#table.values();
  }

  /** `ndp -c`: all but those set by hand; how many went. */
  flush(): number {
    let count = 0;
    for (const neighbor of this.#table.values()) {
      if (neighbor.state === 'static') continue;
      neighbor.remove();
      count++;
    }
    return count;
  }

  /** The interface went down: what was learned there is void. */
  interfaceDown(ifp: Interface): void {
    for (const neighbor of this.#table.values()) {
      if (neighbor.interface === ifp && neighbor.state !== 'static') neighbor.remove();
    }
  }

  /** The neighbor's state changed. Only Neighbor calls it. */
  moved(neighbor: Neighbor, to: Lane): void {
    if (neighbor.lane === to) return;
    if (neighbor.lane !== 'kept') this.#lanes[neighbor.lane].remove(neighbor);
    neighbor.lane = to;
    if (to !== 'kept') this.#lanes[to].add(neighbor);
  }

  /** Only Neighbor calls it, as it ends. */
  removed(neighbor: Neighbor): void {
    if (neighbor.lane !== 'kept') this.#lanes[neighbor.lane].remove(neighbor);
    this.#table.delete(neighbor.view, 0, neighbor.interface.index);
  }

  #evict(): boolean {
    const victim = this.#lanes.unproven.oldest ?? this.#lanes.idle.oldest;
    if (victim === undefined) return false;
    this.stack.counters.nd6.cacheEvicted++;
    victim.remove();
    return true;
  }
}

/** Neighbors in the order they came, linked through themselves. */
class NeighborList {
  oldest: Neighbor | undefined;
  #newest: Neighbor | undefined;

  add(neighbor: Neighbor): void {
    neighbor.older = this.#newest;
    neighbor.newer = undefined;
    if (this.#newest === undefined) this.oldest = neighbor;
    else this.#newest.newer = neighbor;
    this.#newest = neighbor;
  }

  remove(neighbor: Neighbor): void {
    if (neighbor.older === undefined) this.oldest = neighbor.newer;
    else neighbor.older.newer = neighbor.newer;
    if (neighbor.newer === undefined) this.#newest = neighbor.older;
    else neighbor.newer.older = neighbor.older;
    neighbor.older = undefined;
    neighbor.newer = undefined;
  }
}
