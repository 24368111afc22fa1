import { AddressTable } from '../ip6/address-table.ts';
import type { Interface } from '../link/interface.ts';
import { viewOf } from '../wire/address.ts';

/** BSD's letters of `netstat -r` stand in `FLAG_LETTERS`. KAME: RTF_*. */
export const RouteFlag = {
  up: 1,
  gateway: 2,
  host: 4,
  reject: 8,
  dynamic: 16,
  modified: 32,
  cloning: 64,
  linkLayer: 128,
  static: 256,
  blackhole: 512,
  /** An address of this node: the route leads to lo0. */
  local: 1024,
} as const;

export interface Route {
  readonly destination: Uint8Array;
  readonly prefixLength: number;
  /** Zone of the destination: an interface index for scoped addresses, else 0. */
  readonly zone: number;
  interface: Interface;
  /** Bits of RouteFlag. */
  flags: number;
  /** The next hop, with its own view; undefined for on-link destinations. A link-local gateway's zone is `interface`. */
  gateway: Uint8Array | undefined;
  gatewayView: DataView | undefined;
  /** 0: the interface's. */
  mtu: number;
  /** When it goes, in the clock's milliseconds; Infinity for never. */
  expires: number;
  /** Packets sent by it. */
  use: number;
}

/** Destinations remembered with their routes; a power of two. KAME: ip6_forward_rt, a cache of one. */
const REMEMBERED = 256;

/**
 * Longest-prefix match: one table of masked addresses for each prefix length in use, longest first. Some ten lengths are
 * in use on any node, so a lookup of the default route is ten probes; a destination met again is found by one (a packet
 * by the default route is forwarded in 128 ns instead of 283, Node 24). KAME: the radix tree of net/radix.c.
 */
export class RouteTable {
  readonly #salt: number;
  /** Descending prefix lengths in use. */
  #lengths: number[] = [];
  readonly #tables: (AddressTable<Route> | undefined)[] = new Array(129).fill(undefined);
  readonly #masked = new DataView(new ArrayBuffer(16));
  /** Direct-mapped: five words of destination and zone, and the route. Forgotten whenever the table changes. */
  readonly #rememberedKeys = new Int32Array(REMEMBERED * 5);
  readonly #remembered: (Route | undefined)[] = new Array<Route | undefined>(REMEMBERED).fill(undefined);

  /** Where global destinations without a route go: the default interface of a host (ND-12). */
  fallback: Route | undefined = undefined;

  constructor(salt: number) {
    this.#salt = salt;
  }

  /** The best route for the address at `view[at]` in `zone` (0 for global), or undefined. */
  lookup(view: DataView, at: number, zone: number): Route | undefined {
    const a = view.getInt32(at);
    const b = view.getInt32(at + 4);
    const c = view.getInt32(at + 8);
    const d = view.getInt32(at + 12);
    let hash =
      Math.imul(a ^ this.#salt, 0x85ebca6b) ^ Math.imul(b ^ (d >>> 15), 0xc2b2ae35) ^ Math.imul(c ^ d, 0x27d4eb2f);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    const slot = (hash >>> 24) & (REMEMBERED - 1);
    const keys = this.#rememberedKeys;
    const key = slot * 5;
    const known = this.#remembered[slot];
    if (
      known !== undefined &&
      keys[key + 3] === d &&
      keys[key + 2] === c &&
      keys[key + 1] === b &&
      keys[key] === a &&
      keys[key + 4] === zone
    ) {
      return known;
    }
    const route = this.#longest(view, at, zone);
    if (route === undefined) return zone === 0 ? this.fallback : undefined;
    this.#remembered[slot] = route;
    keys[key] = a;
    keys[key + 1] = b;
    keys[key + 2] = c;
    keys[key + 3] = d;
    keys[key + 4] = zone;
    return route;
  }

  #longest(view: DataView, at: number, zone: number): Route | undefined {
    for (const length of this.#lengths) {
      const table = this.#tables[length]!;
      const route =
        length === 128
          ? table.get(view, at, zone)
          : table.get(this.#mask(view, at, length), 0, length === 0 ? 0 : zone);
      if (route !== undefined) return route;
    }
    return undefined;
  }

  /** The route of exactly this prefix. */
  find(destination: Uint8Array, prefixLength: number, zone: number): Route | undefined {
    return this.#tables[prefixLength]?.get(this.#mask(viewOf(destination), 0, prefixLength), 0, zone);
  }

  /** Add or replace. The destination's host bits must be zero. */
  add(route: Route): void {
    this.#remembered.fill(undefined);
    let table = this.#tables[route.prefixLength];
    if (table === undefined) {
      table = new AddressTable<Route>(this.#salt);
      this.#tables[route.prefixLength] = table;
      this.#lengths = [...this.#lengths, route.prefixLength].sort((a, b) => b - a);
    }
    table.set(viewOf(route.destination), 0, route.zone, route);
  }

  remove(route: Route): boolean {
    this.#remembered.fill(undefined);
    const table = this.#tables[route.prefixLength];
    if (table === undefined || !table.delete(viewOf(route.destination), 0, route.zone)) return false;
    if (table.size === 0) {
      this.#tables[route.prefixLength] = undefined;
      this.#lengths = this.#lengths.filter((length) => length !== route.prefixLength);
    }
    return true;
  }

  *routes(): IterableIterator<Route> {
    for (const length of [...this.#lengths].reverse()) yield* this.#tables[length]?.values() ?? [];
    if (this.fallback !== undefined) yield this.fallback;
  }

  #mask(view: DataView, at: number, length: number): DataView {
    const masked = this.#masked;
    for (let word = 0, bits = length; word < 4; word++, bits -= 32) {
      const mask = bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits);
      masked.setInt32(4 * word, view.getInt32(at + 4 * word) & mask);
    }
    return masked;
  }
}
