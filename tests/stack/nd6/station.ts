/**
 * One node whose interface ends in the test's hands: what it sends is a list of short lines, what it receives is built from layers. Virtual
 * time; addresses fe80::ff:fe00:1 and 2001:db8::1/64 on if0, valid at once unless the test wants detection.
 */

import { SeededRandom } from '#stack/env/random.ts';
import type { TraceEvent } from '#stack/env/trace.ts';
import { VirtualClock } from '#stack/env/virtual-clock.ts';
import { addAddress, type InterfaceAddress } from '#stack/ip6/addresses.ts';
import { ip6Output, type OutputOptions, type SendError } from '#stack/ip6/output.ts';
import type { Interface } from '#stack/link/interface.ts';
import { type Link, type LinkUser, type Medium, NO_OFFLOAD } from '#stack/link/link.ts';
import type { Neighbor } from '#stack/nd6/neighbor.ts';
import type { Packet } from '#stack/packet/packet.ts';
import { Pool } from '#stack/packet/pool.ts';
import { Stack } from '#stack/stack.ts';
import * as Address from '#stack/wire/address.ts';
import { transport6 } from '#stack/wire/checksum.ts';
import * as Icmp6 from '#stack/wire/icmp6.ts';
import * as Ip6 from '#stack/wire/ip6.ts';
import * as Nd from '#stack/wire/nd.ts';
import { NextHeader } from '#stack/wire/next-header.ts';

export const OWN_MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
export const OWN_LINK_LOCAL = 'fe80::ff:fe00:1';
export const OWN = '2001:db8::1';
export const PEER = '2001:db8::2';
export const PEER_LINK_LOCAL = 'fe80::2';
export const MAC_A = Uint8Array.of(2, 0, 0, 0, 0, 0xa);
export const MAC_B = Uint8Array.of(2, 0, 0, 0, 0, 0xb);

export interface Frame {
  readonly time: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** A link end that keeps what the node sends. */
class Hand implements Link {
  readonly medium: Medium;
  readonly mtu = 1500;
  readonly offload = NO_OFFLOAD;
  readonly mac: Uint8Array | undefined;
  carrier = true;
  user!: LinkUser;
  readonly take: (pkt: Packet) => void;

  constructor(medium: Medium, mac: Uint8Array | undefined, take: (pkt: Packet) => void) {
    this.medium = medium;
    this.mac = mac;
    this.take = take;
  }

  attach(user: LinkUser): void {
    this.user = user;
  }

  send(pkt: Packet): void {
    this.take(pkt);
    pkt.give();
  }
}

export interface StationOptions {
  readonly medium?: Medium;
  readonly mac?: Uint8Array;
  /** Probes of duplicate address detection; 0 by default here. */
  readonly dad?: number;
  readonly seed?: number;
  readonly hostname?: string;
  /** No address, interface down. */
  readonly bare?: boolean;
  /** Keep no frames and no events. */
  readonly quiet?: boolean;
}

export class Station {
  readonly clock = new VirtualClock(1000);
  readonly pool: Pool;
  readonly stack: Stack;
  readonly link: Hand;
  readonly ifp: Interface;
  readonly frames: Frame[] = [];
  readonly events: TraceEvent[] = [];
  sentCount = 0;

  constructor(options: StationOptions = {}) {
    const medium = options.medium ?? 'ethernet';
    this.pool = new Pool({ poison: !options.quiet });
    this.stack = new Stack({
      clock: this.clock,
      pool: this.pool,
      random: new SeededRandom(options.seed ?? 1),
      hostname: options.hostname ?? 'station',
      strict: true,
      trace: options.quiet ? undefined : { event: (event) => void this.events.push(event), dropped: () => {} },
    });
    this.stack.sysctl.ip6.dad_count = options.dad ?? 0;
    this.link = new Hand(medium, medium === 'ethernet' ? (options.mac ?? OWN_MAC) : undefined, (pkt) => {
      this.sentCount++;
      if (!options.quiet) this.#keep(pkt);
    });
    this.ifp = this.stack.addInterface('if0', medium === 'ethernet' ? 'ethernet' : 'pointToPoint', this.link);
    if (options.bare) return;
    this.address(OWN_LINK_LOCAL, 64);
    this.address(OWN, 64);
    this.ifp.setUp(true);
    this.clock.run(12_000);
    this.frames.length = 0;
    this.events.length = 0;
  }

  address(text: string, prefixLength = 64, options: { anycast?: boolean; noDad?: boolean } = {}): InterfaceAddress {
    const entry = addAddress(this.stack, this.ifp, Address.address(text), prefixLength, options);
    if (typeof entry === 'string') throw new Error(entry);
    return entry;
  }

  /** What the node sent since the last call, MLD left out. */
  sent(): string[] {
    return this.frames.splice(0).flatMap(({ text }) => (text === 'mld' ? [] : [text]));
  }

  neighbor(address: string): Neighbor | undefined {
    return this.stack.neighbors.find(Address.viewOf(Address.address(address)), 0, this.ifp.index);
  }

  /** A packet with an unknown payload, made here; by if0 unless the routes are to say. */
  send(
    to: string,
    from = Address.address(to)[0] === 0xfe ? OWN_LINK_LOCAL : OWN,
    options: OutputOptions = { interface: this.ifp },
  ): SendError | undefined {
    const pkt = this.pool.take(48);
    pkt.tail = pkt.head + 48;
    pkt.bytes.fill(0xa5, pkt.head, pkt.tail);
    Ip6.write(pkt.view, pkt.head, 8, NextHeader.none, 64);
    Address.set(pkt.view, pkt.head + Ip6.SOURCE, Address.address(from));
    Address.set(pkt.view, pkt.head + Ip6.DESTINATION, Address.address(to));
    return ip6Output(this.stack, pkt, options);
  }

  /** Put a packet on the link; `bytes` from the IPv6 header on. */
  receive(bytes: Uint8Array, options: { to?: Uint8Array; from?: Uint8Array } = {}): void {
    const pkt = this.pool.take(bytes.length + 14);
    const ethernet = this.link.medium === 'ethernet';
    pkt.tail = pkt.head + bytes.length + (ethernet ? 14 : 0);
    pkt.bytes.set(bytes, pkt.tail - bytes.length);
    if (ethernet) {
      const group = bytes[24] === 0xff;
      const to = options.to ?? (group ? Uint8Array.of(0x33, 0x33, ...bytes.subarray(36, 40)) : this.link.mac!);
      pkt.bytes.set(to, pkt.head);
      pkt.bytes.set(options.from ?? MAC_A, pkt.head + 6);
      pkt.view.setUint16(pkt.head + 12, 0x86dd);
    }
    this.link.user.receive(pkt);
  }

  #keep(pkt: Packet): void {
    const at = pkt.head + (this.link.medium === 'ethernet' ? 14 : 0);
    const bytes = pkt.bytes.slice(pkt.head, pkt.tail);
    const text = summary(pkt.view, at, pkt.tail);
    this.frames.push({ time: this.clock.now, bytes, text });
  }
}

/** `ns 2001:db8::2 ::>ff02::1:ff00:2 nonce`, `na 2001:db8::1 ::1>::2 RSO tll=a`, `data >2001:db8::2`. */
export function summary(v: DataView, ip: number, end: number): string {
  const text = (at: number): string => Address.formatAddress(Address.get(v, at));
  const way = `${text(ip + Ip6.SOURCE)}>${text(ip + Ip6.DESTINATION)}`;
  const next = Ip6.nextHeader(v, ip);
  if (next === NextHeader.hopByHop) return 'mld';
  if (next !== NextHeader.icmp6) return `data >${text(ip + Ip6.DESTINATION)}`;
  const at = ip + Ip6.LENGTH;
  if (transport6(v, ip, at, end - at, NextHeader.icmp6) !== 0) return 'bad checksum';
  const hops = Ip6.hopLimit(v, ip) === 255 ? '' : ` hops=${Ip6.hopLimit(v, ip)}`;
  switch (Icmp6.type(v, at)) {
    case Icmp6.Type.neighborSolicitation:
      return `ns ${text(at + Nd.TARGET)} ${way}${options(v, at + 24, end)}${hops}`;
    case Icmp6.Type.neighborAdvertisement: {
      const flags = `${Nd.router(v, at) ? 'R' : ''}${Nd.solicited(v, at) ? 'S' : ''}${Nd.override(v, at) ? 'O' : ''}`;
      return `na ${text(at + Nd.TARGET)} ${way} ${flags}${options(v, at + 24, end)}${hops}`;
    }
    case Icmp6.Type.redirect:
      return `redirect ${text(at + Nd.REDIRECT_DESTINATION)} to ${text(at + Nd.TARGET)} ${way}${options(v, at + 40, end)}${hops}`;
    default:
      return `icmp6 ${Icmp6.type(v, at)}/${Icmp6.code(v, at)} ${way}`;
  }
}

function options(v: DataView, at: number, end: number): string {
  return (Nd.parseOptions(v, at, end) ?? [])
    .map((option) => {
      if (option.type === 'sourceLinkLayer') return ` sll=${option.address[5]!.toString(16)}`;
      if (option.type === 'targetLinkLayer') return ` tll=${option.address[5]!.toString(16)}`;
      return ` ${option.type}`;
    })
    .join('');
}

export interface IcmpLayers {
  readonly from: string;
  readonly to: string;
  readonly hops?: number;
  readonly code?: number;
  /** Taken off the end. */
  readonly cut?: number;
  readonly badChecksum?: boolean;
  readonly fragmentHeader?: boolean;
}

/** An ICMPv6 packet of `type` with `body` behind its first four bytes. */
export function icmp(type: number, body: Uint8Array, layers: IcmpLayers): Uint8Array {
  const length = 4 + body.length - (layers.cut ?? 0);
  const extra = layers.fragmentHeader ? 8 : 0;
  const bytes = new Uint8Array(Ip6.LENGTH + extra + length);
  const v = new DataView(bytes.buffer);
  const next = layers.fragmentHeader ? NextHeader.fragment : NextHeader.icmp6;
  Ip6.write(v, 0, extra + length, next, layers.hops ?? 255);
  Address.set(v, Ip6.SOURCE, Address.address(layers.from));
  Address.set(v, Ip6.DESTINATION, Address.address(layers.to));
  const at = Ip6.LENGTH + extra;
  // whole in one fragment
  if (layers.fragmentHeader) v.setUint8(Ip6.LENGTH, NextHeader.icmp6);
  v.setUint8(at, type);
  v.setUint8(at + 1, layers.code ?? 0);
  bytes.set(body.subarray(0, length - 4), at + 4);
  v.setUint16(at + 2, transport6(v, 0, at, length, NextHeader.icmp6) ^ (layers.badChecksum ? 0xff : 0));
  return bytes;
}

const option = (type: number, mac: Uint8Array): number[] => [type, 1, ...mac];
export const sll = (mac: Uint8Array): number[] => option(Nd.OptionType.sourceLinkLayer, mac);
export const tll = (mac: Uint8Array): number[] => option(Nd.OptionType.targetLinkLayer, mac);
export const nonce = (...bytes: number[]): number[] => [Nd.OptionType.nonce, 1, ...bytes];

type NdLayers = Partial<IcmpLayers> & { readonly target?: string; readonly options?: number[] };

export function ns(layers: NdLayers = {}): Uint8Array {
  const target = layers.target ?? OWN;
  const group = Address.formatAddress(Address.solicitedNode(Address.address(target)));
  const body = Uint8Array.of(0, 0, 0, 0, ...Address.address(target), ...(layers.options ?? []));
  return icmp(Icmp6.Type.neighborSolicitation, body, { from: PEER, to: group, ...layers });
}

/** `flags`: of R, S, O. */
export function na(layers: NdLayers & { readonly flags?: string } = {}): Uint8Array {
  const target = layers.target ?? PEER;
  const flags = layers.flags ?? 'SO';
  const bits = (flags.includes('R') ? 0x80 : 0) | (flags.includes('S') ? 0x40 : 0) | (flags.includes('O') ? 0x20 : 0);
  const body = Uint8Array.of(bits, 0, 0, 0, ...Address.address(target), ...(layers.options ?? []));
  const to = flags.includes('S') ? OWN : 'ff02::1';
  return icmp(Icmp6.Type.neighborAdvertisement, body, { from: target, to, ...layers });
}

export function rs(layers: NdLayers = {}): Uint8Array {
  const body = Uint8Array.of(0, 0, 0, 0, ...(layers.options ?? []));
  return icmp(Icmp6.Type.routerSolicitation, body, { from: PEER_LINK_LOCAL, to: 'ff02::2', ...layers });
}

export function ra(layers: NdLayers = {}): Uint8Array {
  const body = Uint8Array.of(64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, ...(layers.options ?? []));
  return icmp(Icmp6.Type.routerAdvertisement, body, { from: PEER_LINK_LOCAL, to: 'ff02::1', ...layers });
}

export function redirect(layers: NdLayers & { readonly destination: string }): Uint8Array {
  const target = Address.address(layers.target ?? layers.destination);
  const destination = Address.address(layers.destination);
  const body = Uint8Array.of(0, 0, 0, 0, ...target, ...destination, ...(layers.options ?? []));
  return icmp(Icmp6.Type.redirect, body, { from: PEER_LINK_LOCAL, to: OWN, ...layers });
}
