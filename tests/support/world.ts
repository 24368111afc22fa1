/**
 * Small worlds for tests of the stack: strict nodes on in-memory links, one virtual clock, one poisoning pool, every frame
 * captured. Everything is seeded: the same test gives the same bytes.
 */
import { expect } from 'vitest';
import { SeededRandom } from '#stack/env/random.ts';
import type { TraceEvent } from '#stack/env/trace.ts';
import { VirtualClock } from '#stack/env/virtual-clock.ts';
import { type AddOptions, addAddress, type InterfaceAddress } from '#stack/ip6/addresses.ts';
import type { Interface } from '#stack/link/interface.ts';
import type { LinkUser } from '#stack/link/link.ts';
import { Segment, type SegmentEnd } from '#stack/link/segment.ts';
import { nd6ForwardingChanged } from '#stack/nd6/interface-events.ts';
import type { Packet } from '#stack/packet/packet.ts';
import { Pool } from '#stack/packet/pool.ts';
import { addRoute } from '#stack/route/routes.ts';
import type { Route } from '#stack/route/table.ts';
import { Stack } from '#stack/stack.ts';
import { findTunable } from '#stack/sysctl.ts';
import * as Address from '#stack/wire/address.ts';
import { type Decoded, decode, matches, type Pattern } from '#stack/wire/decode.ts';

export const SECOND = 1000;
export const HOUR = 3_600_000;

/** A frame as it was sent: copied, so it may be kept. */
export interface Frame {
  readonly time: number;
  readonly wire: Wire;
  readonly bytes: Uint8Array;
  readonly decoded: Decoded;
}

export interface Drop {
  readonly protocol: string;
  readonly counter: string;
}

/** What a node said of itself. */
export interface Told {
  readonly events: TraceEvent[];
  readonly drops: Drop[];
}

export class World {
  readonly clock = new VirtualClock();
  readonly pool = new Pool({ poison: true });
  readonly random: SeededRandom;
  readonly nodes: Stack[] = [];
  readonly wires: Wire[] = [];
  /** Of all wires, in the order they were sent. */
  readonly frames: Frame[] = [];
  readonly #told = new Map<Stack, Told>();

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
  }

  /** A node; `sysctl` by full or short name: `{ 'ip6.forwarding': 1 }`. */
  node(hostname: string, sysctl: Record<string, number> = {}): Stack {
    const told: Told = { events: [], drops: [] };
    const stack = new Stack({
      clock: this.clock,
      random: this.random.fork(hostname),
      pool: this.pool,
      hostname,
      strict: true,
      trace: {
        event: (event) => told.events.push(event),
        dropped: (_pkt, protocol, counter) => told.drops.push({ protocol, counter }),
      },
    });
    for (const [name, value] of Object.entries(sysctl)) set(stack, name, value);
    this.nodes.push(stack);
    this.#told.set(stack, told);
    return stack;
  }

  router(hostname: string, sysctl: Record<string, number> = {}): Stack {
    return this.node(hostname, { 'ip6.forwarding': 1, ...sysctl });
  }

  told(stack: Stack): Told {
    return this.#told.get(stack)!;
  }

  /** An Ethernet of any number of ends. */
  lan(options: { mtu?: number; latency?: number } = {}): Wire {
    return this.#wire(new Segment(this.clock, { ...options, medium: 'ethernet' }));
  }

  /** A point-to-point link: bare IP packets, no link-layer addresses. */
  p2p(options: { mtu?: number; latency?: number } = {}): Wire {
    return this.#wire(new Segment(this.clock, { ...options, medium: 'ip' }));
  }

  #wire(segment: Segment): Wire {
    const wire = new Wire(this, segment);
    this.wires.push(wire);
    return wire;
  }

  /** An interface of `stack` on `wire`, named em0, em1... on Ethernet and tun0... otherwise; up unless told otherwise. */
  attach(stack: Stack, wire: Wire, options: { name?: string; mac?: string; up?: boolean } = {}): Interface {
    const ethernet = wire.segment.medium === 'ethernet';
    const kind = ethernet ? 'ethernet' : 'pointToPoint';
    const base = ethernet ? 'em' : 'tun';
    const used = stack.interfaces.filter((ifp) => ifp?.name.startsWith(base)).length;
    const mac = ethernet ? macOf(options.mac ?? this.#freshMac()) : undefined;
    const ifp = stack.addInterface(options.name ?? `${base}${used}`, kind, wire.segment.connect(mac));
    if (options.up !== false) ifp.setUp(true);
    return ifp;
  }

  #macs = 0;
  #freshMac(): string {
    return `02:00:00:00:00:${(++this.#macs).toString(16).padStart(2, '0')}`;
  }

  /** Let virtual time pass, in milliseconds. */
  run(duration: number): void {
    this.clock.run(duration);
  }

  /** Frames that match. */
  captured(pattern: Pattern = {}): Frame[] {
    return this.frames.filter((frame) => matches(frame.decoded, pattern));
  }

  /** Packets that queues and wires hold. */
  get held(): number {
    let held = 0;
    for (const stack of this.nodes) held += stack.held;
    for (const wire of this.wires) held += wire.segment.held;
    return held;
  }
}

/** A cable and what went over it. */
export class Wire {
  readonly world: World;
  readonly segment: Segment;
  readonly frames: Frame[] = [];

  constructor(world: World, segment: Segment) {
    this.world = world;
    this.segment = segment;
    const linkType = segment.medium === 'ethernet' ? 'ethernet' : 'raw';
    segment.tap((pkt) => {
      const bytes = pkt.bytes.slice(pkt.head, pkt.tail);
      const frame = { time: world.clock.now, wire: this, bytes, decoded: decode(bytes, linkType) };
      this.frames.push(frame);
      world.frames.push(frame);
    });
  }

  captured(pattern: Pattern = {}): Frame[] {
    return this.frames.filter((frame) => matches(frame.decoded, pattern));
  }

  /** A station that says what the test says and writes down what it hears. It answers nothing by itself. */
  tester(mac?: string): Tester {
    const ethernet = this.segment.medium === 'ethernet';
    return new Tester(this, this.segment.connect(ethernet ? macOf(mac ?? '02:00:00:00:0f:ff') : undefined));
  }
}

export class Tester implements LinkUser {
  readonly wire: Wire;
  readonly end: SegmentEnd;
  readonly heard: Frame[] = [];

  constructor(wire: Wire, end: SegmentEnd) {
    this.wire = wire;
    this.end = end;
    end.attach(this);
  }

  /** Send a frame: with its Ethernet header on a LAN, a bare IP packet on a point-to-point link. */
  send(bytes: Uint8Array): void {
    const pkt = this.wire.world.pool.take(bytes.length);
    pkt.bytes.fill(0xa5);
    pkt.bytes.set(bytes, pkt.head);
    pkt.tail = pkt.head + bytes.length;
    this.end.send(pkt);
  }

  receive(pkt: Packet): void {
    const bytes = pkt.bytes.slice(pkt.head, pkt.tail);
    const linkType = this.wire.segment.medium === 'ethernet' ? 'ethernet' : 'raw';
    this.heard.push({ time: this.wire.world.clock.now, wire: this.wire, bytes, decoded: decode(bytes, linkType) });
    pkt.give();
  }

  carrier(): void {}

  captured(pattern: Pattern = {}): Frame[] {
    return this.heard.filter((frame) => matches(frame.decoded, pattern));
  }
}

function macOf(text: string): Uint8Array {
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
}

/** `sysctl -w`; the `net.inet6.` may be left out. */
export function set(stack: Stack, name: string, value: number): void {
  const found = findTunable(name.startsWith('net.') ? name : `net.inet6.${name}`);
  if (found === undefined) throw new Error(`no sysctl named ${name}`);
  (stack.sysctl[found.group] as Record<string, number>)[found.key] = value;
  if (found.key === 'forwarding') nd6ForwardingChanged(stack);
}

/** `2001:db8::1/64` on an interface, without DAD unless asked for. */
export function addressOn(ifp: Interface, text: string, options: AddOptions = { noDad: true }): InterfaceAddress {
  const prefix = Address.parsePrefix(text);
  if (prefix === undefined) throw new Error(`not an address with a prefix length: ${text}`);
  const entry = addAddress(ifp.stack, ifp, prefix.address, prefix.length, options);
  if (typeof entry === 'string') throw new Error(`${text} on ${ifp.name}: ${entry}`);
  return entry;
}

/** `route add 2001:db8:2::/64 2001:db8:1::2`, or a link-local gateway `fe80::1%em0`. */
export function routeOn(stack: Stack, prefixText: string, gatewayText?: string, interfaceName?: string): Route {
  const prefix = Address.parsePrefix(prefixText)!;
  const gateway = gatewayText === undefined ? undefined : Address.parseScoped(gatewayText)!;
  const ifp = stack.interfaceNamed(gateway?.zone ?? interfaceName ?? '');
  const route = addRoute(stack, {
    destination: prefix.address,
    prefixLength: prefix.length,
    gateway: gateway?.address,
    interface: ifp,
  });
  if (typeof route === 'string') throw new Error(`route to ${prefixText}: ${route}`);
  return route;
}

/** Every packet taken from the pool is in a queue or on a wire: none leaked, none was given back early. */
export function expectConserved(world: World): void {
  expect(world.pool.outstanding).toBe(world.held);
}
