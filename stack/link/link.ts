import type { Packet } from '../packet/packet.ts';

/** What a link takes from the stack unfinished. KAME: if_capenable. */
export interface Offload {
  /** The link finishes a TCP or UDP checksum (packet.checksum 'unfinished'). */
  readonly checksum: boolean;
  /** The link cuts TCP segments over IPv6 (packet.segmentKind 'tcp6'). */
  readonly tso6: boolean;
  readonly tso4: boolean;
  /** The link cuts UDP datagrams (packet.segmentKind 'udp'). */
  readonly uso: boolean;
}

export const NO_OFFLOAD: Offload = { checksum: false, tso6: false, tso4: false, uso: false };

/** 'ethernet': frames with a 14-byte header. 'ip': bare IP packets between two ends, no link-layer addresses. */
export type Medium = 'ethernet' | 'ip';

/** What a link tells its interface. Never called from inside `send`. */
export interface LinkUser {
  /** A frame came in: `head` at the Ethernet header, or at the IP header of an 'ip' link. The packet is the user's. */
  receive(pkt: Packet): void;
  carrier(up: boolean): void;
}

/** A cable's end, a TAP, a TUN. The seam between a node and the world. KAME: struct ifnet's driver half. */
export interface Link {
  readonly medium: Medium;
  /** The largest IP packet it carries, in bytes. */
  readonly mtu: number;
  readonly offload: Offload;
  /** The station's burnt-in address, of an Ethernet link. */
  readonly mac: Uint8Array | undefined;
  readonly carrier: boolean;
  /** Frames that it had no room for, of a link that can say so; `netstat -i` counts them as output errors. */
  readonly lost?: number;
  /** The frame is the link's from here; it is delivered later, or lost. */
  send(pkt: Packet): void;
  attach(user: LinkUser): void;
  /** The station has another address (`ifconfig lladdr`); a link that hears all may ignore it. */
  setMac?(mac: Uint8Array): void;
  /** Multicast MAC filter changed; a link that hears all may ignore it. */
  filter?(groups: readonly Uint8Array[]): void;
}
