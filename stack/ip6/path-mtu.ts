/**
 * Path MTUs learned from Packet Too Big, by destination (RFC 8201). Anybody can forge the message, so the table is bounded,
 * entries that no connected socket vouched for make room for each other, and nothing below 1280 is believed.
 * KAME: icmp6_mtudisc_update, rmx_mtu.
 */
import { Timer } from '../env/clock.ts';
import type { Stack } from '../stack.ts';
import { get } from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';
import { AddressTable } from './address-table.ts';

/** Entries that a connected socket vouched for, at most: more than a node has connections. */
const VALIDATED = 4096;

export interface PathMtuEntry {
  readonly destination: Uint8Array;
  readonly view: DataView;
  readonly zone: number;
  readonly validated: boolean;
  mtu: number;
  /** In the clock's milliseconds. */
  expires: number;
}

export class PathMtu {
  readonly stack: Stack;
  readonly #entries: AddressTable<PathMtuEntry>;
  /** In order of their last change, so the first one expires first. */
  readonly #validated = new Set<PathMtuEntry>();
  readonly #unvalidated = new Set<PathMtuEntry>();
  readonly #timer = new Timer(() => this.#expire());

  constructor(stack: Stack, salt: number) {
    this.stack = stack;
    this.#entries = new AddressTable(salt);
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): PathMtuEntry[] {
    return [...this.#validated, ...this.#unvalidated];
  }

  /** What a packet to `view[at]` may have, on a path that starts with a link of `linkMtu`. On the data path. */
  of(view: DataView, at: number, zone: number, linkMtu: number): number {
    if (this.#entries.size === 0) return linkMtu;
    const entry = this.#entries.get(view, at, zone);
    return entry === undefined || entry.mtu > linkMtu ? linkMtu : entry.mtu;
  }

  /**
   * A router said so. `validated`: a socket that is connected to just that destination sent the packet. True if the path MTU
   * is lower now.
   */
  learn(view: DataView, at: number, zone: number, mtu: number, validated: boolean): boolean {
    // RFC 8201 4: a node must not react to less
    if (mtu < Ip6.MINIMUM_MTU) return false;
    const known = this.#entries.get(view, at, zone);
    if (known !== undefined) {
      if (mtu >= known.mtu) return false;
      this.#remove(known);
    } else if (!validated && !this.#hasRoom()) {
      return false;
    }
    const destination = get(view, at);
    const trusted = validated || known?.validated === true;
    const entry: PathMtuEntry = {
      destination,
      view: new DataView(destination.buffer),
      zone,
      validated: trusted,
      mtu,
      expires: this.stack.clock.now + this.stack.sysctl.icmp6.pmtu_expire * 1000,
    };
    const kind = trusted ? this.#validated : this.#unvalidated;
    if (trusted && kind.size >= VALIDATED) this.#removeOldest(kind);
    kind.add(entry);
    this.#entries.set(entry.view, 0, zone, entry);
    this.stack.counters.icmp6.pathMtuChanges++;
    this.#watch();
    return true;
  }

  forget(view: DataView, at: number, zone: number): void {
    const entry = this.#entries.get(view, at, zone);
    if (entry !== undefined) this.#remove(entry);
  }

  /** `mtudisc_hiwat`: none above; `mtudisc_lowat`: above it the oldest makes room. */
  #hasRoom(): boolean {
    const { mtudisc_hiwat, mtudisc_lowat } = this.stack.sysctl.icmp6;
    const count = this.#unvalidated.size;
    if (count >= mtudisc_hiwat) return false;
    if (count >= mtudisc_lowat) this.#removeOldest(this.#unvalidated);
    return true;
  }

  #removeOldest(kind: Set<PathMtuEntry>): void {
    for (const oldest of kind) return this.#remove(oldest);
  }

  #remove(entry: PathMtuEntry): void {
    this.#entries.delete(entry.view, 0, entry.zone);
    this.#validated.delete(entry);
    this.#unvalidated.delete(entry);
  }

  #expire(): void {
    const { now } = this.stack.clock;
    for (const kind of [this.#validated, this.#unvalidated]) {
      for (const entry of kind) if (entry.expires <= now) this.#remove(entry);
    }
    this.#watch();
  }

  #watch(): void {
    let due = Number.POSITIVE_INFINITY;
    for (const kind of [this.#validated, this.#unvalidated]) {
      for (const entry of kind) {
        due = Math.min(due, entry.expires);
        break;
      }
    }
    if (due === Number.POSITIVE_INFINITY) this.stack.clock.disarm(this.#timer);
    else this.stack.clock.arm(this.#timer, due - this.stack.clock.now);
  }
}
