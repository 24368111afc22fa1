import { drop } from '../drop.ts';
import type { InterfaceAddress } from '../ip6/addresses.ts';
import { ip6Input } from '../ip6/input.ts';
import { nd6InterfaceDown, nd6InterfaceUp } from '../nd6/interface-events.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import { etherInput } from './ethernet.ts';
import type { Link, LinkUser, Offload } from './link.ts';
import { NO_OFFLOAD } from './link.ts';
import { finish } from './offload.ts';

/** Sees every frame of an interface, `head` at the link-layer header. The packet is only lent. KAME: bpf. */
export type FrameTap = (pkt: Packet, outgoing: boolean) => void;

export type InterfaceKind = 'ethernet' | 'pointToPoint' | 'loopback';

/** Neighbor Discovery's view of an interface. KAME: struct nd_ifinfo. Times in milliseconds. */
export class NdInfo {
  /** Neighbor Unreachability Detection; `ndp -i if -nud`. KAME: ND6_IFF_PERFORMNUD. */
  nud = true;
  /** A duplicate EUI-64 link-local address was found: no IPv6 in or out (RFC 4862 5.4.5). KAME: ND6_IFF_IFDISABLED. */
  disabled = false;
  acceptRouterAdvertisements = true;
  preferSource = false;
  baseReachableTime = 30_000;
  /** Drawn from 0.5..1.5 of the base, again every two hours. */
  reachableTime = 30_000;
  /** When it is drawn next, and the base it was drawn from. */
  redrawAt = 0;
  drawnFrom = 0;
  /** The interface has come up; nothing is sent of its own accord before this moment (RFC 4862 5.4.2). */
  settlesAt = 0;
  /** The node itself listens to ff02::1 and ff02::2 there. */
  allNodes = false;
  allRouters = false;
  retransTimer = 1000;
  /** 0: the node's `ip6.hlim`. */
  hopLimit = 0;
  /** From a router advertisement; 0: the link's. */
  linkMtu = 0;
}

/** One interface of a node. KAME: struct ifnet, in6_ifextra. */
export class Interface implements LinkUser {
  readonly stack: Stack;
  readonly name: string;
  /** From 1, never reused; also the zone of the link (one link, one interface). */
  readonly index: number;
  readonly kind: InterfaceKind;
  readonly link: Link;
  readonly nd = new NdInfo();
  readonly addresses: InterfaceAddress[] = [];
  /** The zone of everything wider than the link and narrower than the world; all interfaces are in one unless told (RFC 4007 6). */
  siteZone = 0;
  /** Set by the administrator (`ifconfig up`). KAME: IFF_UP. */
  up = false;
  /** The link has carrier. KAME: IFF_RUNNING. */
  running: boolean;
  /** Whoever watches the frames; on the data path, empty mostly. */
  readonly taps: FrameTap[] = [];
  /** Bytes of an IP packet; at most the link's. */
  mtu: number;
  mac: Uint8Array | undefined;

  inPackets = 0;
  inBytes = 0;
  inErrors = 0;
  inDropped = 0;
  inMulticast = 0;
  outPackets = 0;
  outBytes = 0;
  outErrors = 0;
  outMulticast = 0;

  constructor(stack: Stack, name: string, index: number, kind: InterfaceKind, link: Link) {
    this.stack = stack;
    this.name = name;
    this.index = index;
    this.kind = kind;
    this.link = link;
    this.mtu = link.mtu;
    this.mac = link.mac;
    this.running = link.carrier;
    link.attach(this);
  }

  get offload(): Offload {
    return this.link.offload ?? NO_OFFLOAD;
  }

  /** MTU for IPv6: a router may have advertised less. KAME: IN6_LINKMTU. */
  get linkMtu(): number {
    const advertised = this.nd.linkMtu;
    return advertised !== 0 && advertised < this.mtu ? advertised : this.mtu;
  }

  /** `ifconfig up` and `down`. */
  setUp(up: boolean): void {
    if (up === this.up) return;
    this.up = up;
    this.stack.trace?.event({ type: 'interface', interface: this.name, change: up ? 'up' : 'down' });
    this.#changed();
  }

  carrier(up: boolean): void {
    if (up === this.running) return;
    this.running = up;
    this.stack.trace?.event({ type: 'interface', interface: this.name, change: up ? 'carrier' : 'no-carrier' });
    this.#changed();
  }

  #changed(): void {
    if (this.up && this.running) nd6InterfaceUp(this.stack, this);
    else nd6InterfaceDown(this.stack, this);
  }

  /** A frame from the link. Never throws but in strict mode: a bug met by a hostile frame must not end the node. */
  receive(pkt: Packet): void {
    // what came back through lo0 belongs to the interface whose address it has: its zones are that one's
    const from = (pkt.loopback && this.stack.interfaces[pkt.receivedOn]) || this;
    pkt.receivedOn = from.index;
    this.inPackets++;
    this.inBytes += pkt.length;
    if (!this.up) {
      this.inDropped++;
      return pkt.give();
    }
    if (this.taps.length > 0) for (const tap of this.taps) tap(pkt, false);
    const { lease } = pkt;
    try {
      if (this.link.medium === 'ethernet') etherInput(this.stack, this, pkt);
      else ip6Input(this.stack, from, pkt);
    } catch (error) {
      if (this.stack.strict) throw error;
      // it may have been given back before, and be another's by now
      if (pkt.held && pkt.lease === lease) drop(this.stack, pkt, 'ip6', 'internalError');
      else this.stack.counters.ip6.internalError++;
    }
  }

  /** Hand a finished frame to the link: the link-layer header is in place. */
  transmit(pkt: Packet): void {
    if (!this.up || !this.running) {
      this.outErrors++;
      return pkt.give();
    }
    this.outPackets++;
    this.outBytes += pkt.length;
    if (this.taps.length > 0) for (const tap of this.taps) tap(pkt, true);
    finish(this, pkt);
  }
}
