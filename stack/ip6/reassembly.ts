/**
 * Fragments waiting for the rest of their packet (RFC 8200 4.5): held as they came, sorted by offset, put together once.
 *
 * - An overlap ends the whole packet, what is still to come included; an exact duplicate is only dropped (RFC 5722, 8200).
 * - A first fragment without all headers is refused (RFC 7112).
 * - A fragment that is a whole packet goes on by itself (RFC 6946).
 * - Bounded by `maxfragpackets` and `maxfrags`. KAME refuses what comes when they are reached, so that a flood shuts everybody
 *   out for a minute; here the oldest packet of the source with the most packets under reassembly makes room.
 *
 * KAME: frag6.c (frag6_input, frag6_slowtimo), struct ip6q.
 */
import { DONE, drop } from '../drop.ts';
import { Timer } from '../env/clock.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Fragment from '../wire/fragment.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import { AddressTable } from './address-table.ts';
import { holdsAllHeaders } from './header-chain.ts';
import { headerProblem, icmp6Error } from './icmp6-error.ts';
import { walk } from './input.ts';
import { zoneOf } from './scope.ts';

/** Milliseconds from the first fragment that came to the last (RFC 8200 4.5). */
const TIMEOUT = 60_000;
const MAX_PAYLOAD = 65_535;
/** A 64 KB packet in fragments of 1280 bytes has 54; a packet of more crumbs is no honest one. */
const MAX_FRAGMENTS = 64;
/** What "no limit" means: memory has an end. */
const CEILING = 8192;
const BUCKETS = 256;

/** Explicit Congestion Notification in a traffic class (RFC 3168 5). */
const NOT_ECT = 0;
const CE = 3;

/** Packets under reassembly of one source. */
interface Share {
  packets: number;
}

/** One packet under reassembly. KAME: struct ip6q. */
class Incomplete {
  /** Source and destination. */
  readonly addresses = new DataView(new ArrayBuffer(32));
  identification = 0;
  zone = 0;
  bucket = 0;
  due = 0;
  /** Fragments by offset, chained by `next`. */
  first: Packet | undefined = undefined;
  last: Packet | undefined = undefined;
  fragments = 0;
  /** Bytes held; they never overlap. */
  bytes = 0;
  /** Length of the fragmentable part, -1 until the last fragment came. */
  total = -1;
  /** Bit n: a fragment with ECN codepoint n came. */
  codepoints = 0;
  /** Fragments overlapped: all is dropped until the time is over. */
  abandoned = false;
  share: Share | undefined = undefined;
  older: Incomplete | undefined = undefined;
  newer: Incomplete | undefined = undefined;
  nextInBucket: Incomplete | undefined = undefined;

  /** The first fragment came: it knows the unfragmentable part. */
  get hasFirst(): boolean {
    return this.first !== undefined && offsetOf(this.first) === 0;
  }
}

const offsetOf = (pkt: Packet): number => Fragment.offset(pkt.view, pkt.at);
const lengthOf = (pkt: Packet): number => pkt.tail - pkt.at - Fragment.LENGTH;
const endOf = (pkt: Packet): number => offsetOf(pkt) + lengthOf(pkt);
/** Bytes of extension headers in front of the Fragment header. */
const extensionsOf = (pkt: Packet): number => pkt.at - pkt.ip - Ip6.LENGTH;

/** A fragment: `pkt.at` at its Fragment header. KAME: frag6_input. */
export function fragmentInput(stack: Stack, pkt: Packet): number {
  const { view, ip, at } = pkt;
  if (at + Fragment.LENGTH > pkt.tail) return drop(stack, pkt, 'ip6', 'tooShort');
  // RFC 2675 3: a jumbogram is not fragmented
  if (Ip6.payloadLength(view, ip) === 0) return headerProblem(stack, pkt, at);
  // RFC 7112 5: no firewall on the way could have judged it
  if (Fragment.offset(view, at) === 0 && Fragment.more(view, at) && !holdsAllHeaders(view, at, pkt.tail)) {
    stack.counters.ip6.headersTooLong++;
    icmp6Error(stack, pkt, Icmp6.Type.parameterProblem, Icmp6.ParameterProblem.firstFragment, 0);
    return DONE;
  }
  stack.counters.ip6.fragments++;
  if (Fragment.atomic(view, at)) {
    stack.counters.ip6.fragmentsAtomic++;
    pkt.reassembled = true;
    pkt.nextHeaderAt = at;
    pkt.at = at + Fragment.LENGTH;
    return Fragment.nextHeader(view, at);
  }
  const length = lengthOf(pkt);
  if (length === 0 || (Fragment.more(view, at) && (length & 7) !== 0)) return refuse(stack, pkt, Ip6.PAYLOAD_LENGTH);
  return stack.reassembly.add(pkt);
}

/** A fragment that can't be right: Parameter Problem with the pointer that RFC 8200 4.5 names. */
function refuse(stack: Stack, pkt: Packet, pointer: number): typeof DONE {
  stack.counters.ip6.fragmentsDropped++;
  stack.trace?.dropped(pkt, 'ip6', 'fragmentsDropped');
  icmp6Error(stack, pkt, Icmp6.Type.parameterProblem, Icmp6.ParameterProblem.header, pointer);
  return DONE;
}

/** It would make a packet of more than 65,535 bytes: the pointer is at the offset. */
function tooLong(stack: Stack, pkt: Packet): typeof DONE {
  return refuse(stack, pkt, pkt.at - pkt.ip + 2);
}

export class Reassembly {
  readonly stack: Stack;
  /** Fragments held. */
  held = 0;
  /** Packets under reassembly, abandoned ones included. */
  packets = 0;
  readonly #salt: number;
  readonly #buckets: (Incomplete | undefined)[] = new Array(BUCKETS).fill(undefined);
  readonly #shares: AddressTable<Share>;
  readonly #timer = new Timer(() => this.#onTime());
  #oldest: Incomplete | undefined;
  #newest: Incomplete | undefined;

  constructor(stack: Stack) {
    this.stack = stack;
    const random = stack.random.fork('reassembly');
    this.#salt = random.u32();
    this.#shares = new AddressTable(random.u32());
  }

  /** A fragment, checked by itself. */
  add(pkt: Packet): typeof DONE {
    const { ip6 } = this.stack.sysctl;
    const maxPackets = ip6.maxfragpackets < 0 ? CEILING : ip6.maxfragpackets;
    const maxFragments = ip6.maxfrags < 0 ? CEILING : ip6.maxfrags;
    if (maxPackets === 0 || maxFragments === 0) return drop(this.stack, pkt, 'ip6', 'fragmentsOverflow');

    const zone = zoneOf(this.stack.interfaces[pkt.receivedOn]!, pkt.view, pkt.ip + Ip6.SOURCE);
    const bucket = this.#bucket(pkt, zone);
    const known = this.#find(bucket, pkt, zone);
    const extensions = extensionsOf(known?.hasFirst ? known.first! : pkt);
    if (extensions + endOf(pkt) > MAX_PAYLOAD) return tooLong(this.stack, pkt);

    const incomplete = known ?? this.#start(bucket, pkt, zone);
    if (incomplete.abandoned) return drop(this.stack, pkt, 'ip6', 'fragmentsOverlap');
    if (!this.#insert(incomplete, pkt)) return DONE;
    if (offsetOf(pkt) === 0) this.#cutTooLong(incomplete);
    if (incomplete.bytes === incomplete.total) return this.#complete(incomplete);

    if (incomplete.fragments > MAX_FRAGMENTS) this.#discard(incomplete, 'fragmentsOverflow');
    while (this.packets > maxPackets || this.held > maxFragments) this.#discard(this.#victim(), 'fragmentsOverflow');
    return DONE;
  }

  #bucket(pkt: Packet, zone: number): number {
    const { view, ip } = pkt;
    let hash = this.#salt ^ zone;
    for (let at = ip + Ip6.SOURCE; at < ip + Ip6.LENGTH; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at), 0x85ebca6b);
      hash ^= hash >>> 13;
    }
    hash = Math.imul(hash ^ Fragment.identification(view, pkt.at), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) & (BUCKETS - 1);
  }

  #find(bucket: number, pkt: Packet, zone: number): Incomplete | undefined {
    const { view, ip } = pkt;
    const identification = Fragment.identification(view, pkt.at);
    let incomplete = this.#buckets[bucket];
    while (
      incomplete !== undefined &&
      !(
        incomplete.identification === identification &&
        incomplete.zone === zone &&
        Address.equals(incomplete.addresses, 0, view, ip + Ip6.SOURCE) &&
        Address.equals(incomplete.addresses, 16, view, ip + Ip6.DESTINATION)
      )
    ) {
      incomplete = incomplete.nextInBucket;
    }
    return incomplete;
  }

  #start(bucket: number, pkt: Packet, zone: number): Incomplete {
    const { view, ip } = pkt;
    const incomplete = new Incomplete();
    Address.copy(view, ip + Ip6.SOURCE, incomplete.addresses, 0);
    Address.copy(view, ip + Ip6.DESTINATION, incomplete.addresses, 16);
    incomplete.identification = Fragment.identification(view, pkt.at);
    incomplete.zone = zone;
    incomplete.bucket = bucket;
    incomplete.due = this.stack.clock.now + TIMEOUT;
    incomplete.nextInBucket = this.#buckets[bucket];
    this.#buckets[bucket] = incomplete;

    let share = this.#shares.get(view, ip + Ip6.SOURCE, zone);
    if (share === undefined) {
      share = { packets: 0 };
      this.#shares.set(view, ip + Ip6.SOURCE, zone, share);
    }
    share.packets++;
    incomplete.share = share;

    incomplete.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = incomplete;
    else this.#newest.newer = incomplete;
    this.#newest = incomplete;
    this.packets++;
    if (!this.#timer.armed) this.stack.clock.arm(this.#timer, TIMEOUT);
    return incomplete;
  }

  /** Put the fragment in its place. False: it was dropped, with all others if it overlaps. */
  #insert(incomplete: Incomplete, pkt: Packet): boolean {
    const offset = offsetOf(pkt);
    const end = endOf(pkt);
    const last = incomplete.last;

    // the usual case, in order, needs no search
    let before: Packet | undefined;
    if (last !== undefined && offset >= endOf(last)) before = last;
    else {
      for (let next = incomplete.first; next !== undefined && offsetOf(next) < offset; next = next.next) before = next;
    }
    const after = before === undefined ? incomplete.first : before.next;

    if (after !== undefined && isDuplicate(after, pkt)) {
      drop(this.stack, pkt, 'ip6', 'fragmentsDropped');
      return false;
    }
    const overlaps = (before !== undefined && endOf(before) > offset) || (after !== undefined && offsetOf(after) < end);
    const isLast = !Fragment.more(pkt.view, pkt.at);
    const contradictsEnd = isLast
      ? incomplete.total >= 0 || after !== undefined
      : incomplete.total >= 0 && end > incomplete.total;
    if (overlaps || contradictsEnd) {
      this.#abandon(incomplete);
      drop(this.stack, pkt, 'ip6', 'fragmentsOverlap');
      return false;
    }

    pkt.next = after;
    if (before === undefined) incomplete.first = pkt;
    else before.next = pkt;
    if (after === undefined) incomplete.last = pkt;
    if (isLast) incomplete.total = end;
    incomplete.fragments++;
    incomplete.bytes += end - offset;
    incomplete.codepoints |= 1 << (Ip6.trafficClass(pkt.view, pkt.ip) & 3);
    this.held++;
    return true;
  }

  /** Now that the first fragment shows how long the extension headers are, some fragments may reach too far. */
  #cutTooLong(incomplete: Incomplete): void {
    const extensions = extensionsOf(incomplete.first!);
    if (extensions + endOf(incomplete.last!) <= MAX_PAYLOAD) return;
    let kept = incomplete.first!;
    while (kept.next !== undefined && extensions + endOf(kept.next) <= MAX_PAYLOAD) kept = kept.next;
    let cut = kept.next;
    kept.next = undefined;
    incomplete.last = kept;
    incomplete.total = -1;
    while (cut !== undefined) {
      const next: Packet | undefined = cut.next;
      incomplete.fragments--;
      incomplete.bytes -= lengthOf(cut);
      this.held--;
      tooLong(this.stack, cut);
      cut = next;
    }
  }

  /** All are there: one buffer, the Fragment header gone, and the walk goes on behind it. */
  #complete(incomplete: Incomplete): typeof DONE {
    // congestion seen by one fragment must not be lost, nor told to who does not know of it (RFC 3168 5.3)
    const congested = (incomplete.codepoints & (1 << CE)) !== 0;
    if (congested && (incomplete.codepoints & (1 << NOT_ECT)) !== 0) {
      this.#discard(incomplete, 'fragmentsDropped');
      return DONE;
    }
    const first = incomplete.first!;
    const unfragmentable = first.at - first.ip;
    const whole = this.stack.pool.take(unfragmentable + incomplete.total);
    const { bytes, view, head } = whole;
    bytes.set(first.bytes.subarray(first.ip, first.at), head);
    const next = Fragment.nextHeader(first.view, first.at);
    whole.ip = head;
    whole.at = head + unfragmentable;
    whole.tail = whole.at + incomplete.total;
    whole.nextHeaderAt = first.nextHeaderAt - first.ip + head;
    bytes[whole.nextHeaderAt] = next;
    Ip6.setPayloadLength(view, head, unfragmentable - Ip6.LENGTH + incomplete.total);
    if (congested) Ip6.setTrafficClass(view, head, Ip6.trafficClass(view, head) | CE);
    whole.headers = first.headers;
    whole.receivedOn = first.receivedOn;
    whole.linkMulticast = first.linkMulticast;
    whole.loopback = first.loopback;
    whole.anycast = first.anycast;
    whole.routerAlert = first.routerAlert;
    whole.reassembled = true;
    for (let pkt: Packet | undefined = first; pkt !== undefined; pkt = pkt.next) {
      bytes.set(pkt.bytes.subarray(pkt.at + Fragment.LENGTH, pkt.tail), whole.at + offsetOf(pkt));
    }
    this.#give(incomplete);
    this.#remove(incomplete);
    this.stack.counters.ip6.reassembled++;
    walk(this.stack, whole, next);
    return DONE;
  }

  #onTime(): void {
    const { clock, counters, trace } = this.stack;
    for (let oldest = this.#oldest; oldest !== undefined && oldest.due <= clock.now; oldest = this.#oldest) {
      let first: Packet | undefined;
      if (oldest.hasFirst) {
        first = oldest.first!;
        oldest.first = first.next;
        oldest.fragments--;
        this.held--;
        counters.ip6.fragmentsTimeout++;
        trace?.dropped(first, 'ip6', 'fragmentsTimeout');
      }
      this.#discard(oldest, 'fragmentsTimeout');
      if (first !== undefined) {
        icmp6Error(this.stack, first, Icmp6.Type.timeExceeded, Icmp6.TimeExceeded.reassembly);
      }
    }
    if (this.#oldest !== undefined) clock.arm(this.#timer, this.#oldest.due - clock.now);
  }

  /** Keep the entry, so that what is yet to come is dropped too (RFC 5722 4). */
  #abandon(incomplete: Incomplete): void {
    this.#count(incomplete, 'fragmentsOverlap');
    this.#give(incomplete);
    incomplete.abandoned = true;
  }

  #discard(incomplete: Incomplete, counter: 'fragmentsOverflow' | 'fragmentsTimeout' | 'fragmentsDropped'): void {
    this.#count(incomplete, counter);
    this.#give(incomplete);
    this.#remove(incomplete);
  }

  #count(
    incomplete: Incomplete,
    counter: 'fragmentsOverflow' | 'fragmentsOverlap' | 'fragmentsTimeout' | 'fragmentsDropped',
  ): void {
    const { counters, trace } = this.stack;
    counters.ip6[counter] += incomplete.fragments;
    if (trace) for (let pkt = incomplete.first; pkt !== undefined; pkt = pkt.next) trace.dropped(pkt, 'ip6', counter);
  }

  #give(incomplete: Incomplete): void {
    let pkt = incomplete.first;
    while (pkt !== undefined) {
      const next: Packet | undefined = pkt.next;
      pkt.give();
      pkt = next;
    }
    this.held -= incomplete.fragments;
    incomplete.first = undefined;
    incomplete.last = undefined;
    incomplete.fragments = 0;
    incomplete.bytes = 0;
    incomplete.total = -1;
  }

  #remove(incomplete: Incomplete): void {
    if (incomplete.older === undefined) this.#oldest = incomplete.newer;
    else incomplete.older.newer = incomplete.newer;
    if (incomplete.newer === undefined) this.#newest = incomplete.older;
    else incomplete.newer.older = incomplete.older;
    this.packets--;

    const share = incomplete.share!;
    if (--share.packets === 0) this.#shares.delete(incomplete.addresses, 0, incomplete.zone);

    let before: Incomplete | undefined;
    for (let entry = this.#buckets[incomplete.bucket]; entry !== incomplete; entry = entry!.nextInBucket)
      before = entry;
    if (before === undefined) this.#buckets[incomplete.bucket] = incomplete.nextInBucket;
    else before.nextInBucket = incomplete.nextInBucket;
  }

  /** Of the source with the most packets under reassembly, the oldest; of equals, the oldest of all. */
  #victim(): Incomplete {
    let victim = this.#oldest!;
    for (let entry = victim.newer; entry !== undefined; entry = entry.newer) {
      if (entry.share!.packets > victim.share!.packets) victim = entry;
    }
    return victim;
  }
}

/** The same range, flag and bytes. */
function isDuplicate(held: Packet, pkt: Packet): boolean {
  const length = pkt.tail - pkt.at;
  if (held.tail - held.at !== length) return false;
  for (let byte = 0; byte < length; byte++) if (held.bytes[held.at + byte] !== pkt.bytes[pkt.at + byte]) return false;
  return true;
}
