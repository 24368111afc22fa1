/**
 * Raw IPv6 sockets: programs that speak a protocol themselves, ICMPv6 above all (RFC 3542 3). KAME: raw_ip6.c, icmp6_rip6_input.
 */
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import { transport6 } from '../wire/checksum.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import { NextHeader } from '../wire/next-header.ts';
import { datagram } from './datagram.ts';
import { Memberships } from './memberships.ts';
import { socketOutput, type UpperLayer } from './output.ts';
import type { Datagram, Endpoint, SendOptions, SocketErrno, SocketErrorReport } from './socket.ts';

const NO_OPTIONS: SendOptions = {};

export class RawSocket implements UpperLayer {
  readonly protocol: number;
  readonly headerLength = 0;
  /** Sources are chosen for each datagram. */
  readonly source = undefined;
  readonly flowLabel = 0;
  multicastLoop = true;
  closed = false;
  /** Where in the payload the stack keeps a checksum over the pseudo-header, -1: nowhere. KAME: IPV6_CHECKSUM. */
  checksumAt = -1;
  /** Called for each datagram, from inside the input path: nothing is queued, what comes without it is dropped. */
  onReceive: ((datagram: Datagram) => void) | undefined = undefined;
  onError: ((report: SocketErrorReport) => void) | undefined = undefined;
  readonly #sockets: RawSockets;
  readonly #stack: Stack;
  readonly #memberships: Memberships;
  /** ICMPv6 types passed up, by type. KAME: struct icmp6_filter. */
  readonly #pass = new Uint8Array(256).fill(1);

  constructor(sockets: RawSockets, protocol: number) {
    this.#sockets = sockets;
    this.#stack = sockets.stack;
    this.#memberships = new Memberships(sockets.stack);
    this.protocol = protocol;
    if (protocol === NextHeader.icmp6) this.checksumAt = Icmp6.CHECKSUM;
  }

  /** Only these ICMPv6 types from now on. KAME: ICMP6_FILTER. */
  filter(types: readonly number[]): void {
    this.#pass.fill(0);
    for (const type of types) this.#pass[type] = 1;
  }

  /** The payload starts with the upper layer's header. */
  send(payload: Uint8Array, to: Endpoint, options: SendOptions = NO_OPTIONS): SocketErrno | undefined {
    if (this.closed) return 'EBADF';
    if (this.checksumAt >= 0 && payload.length < this.checksumAt + 2) return 'EINVAL';
    return socketOutput(this.#stack, this, this, payload, to, options);
  }

  /** For socketOutput. */
  complete(pkt: Packet, at: number): void {
    const { view } = pkt;
    const { counters, histograms } = this.#stack;
    if (this.checksumAt >= 0) {
      view.setUint16(at + this.checksumAt, 0);
      const checksum = transport6(view, pkt.ip, at, pkt.tail - at, this.protocol);
      view.setUint16(at + this.checksumAt, checksum);
    }
    counters.rip6.sent++;
    if (this.protocol === NextHeader.icmp6) histograms.icmp6Out[Icmp6.type(view, at)]!++;
  }

  /** Does it want this packet, whose upper layer is at `pkt.at`? */
  wants(pkt: Packet): boolean {
    return this.protocol !== NextHeader.icmp6 || this.#pass[Icmp6.type(pkt.view, pkt.at)] === 1;
  }

  join(ifp: Interface, group: Uint8Array): SocketErrno | undefined {
    return this.closed ? 'EBADF' : this.#memberships.join(ifp, group);
  }

  leave(ifp: Interface, group: Uint8Array): SocketErrno | undefined {
    return this.closed ? 'EBADF' : this.#memberships.leave(ifp, group);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.onReceive = undefined;
    this.onError = undefined;
    this.#memberships.leaveAll();
    this.#sockets.release(this);
  }
}

/** All raw sockets. KAME: rawin6pcb. */
export class RawSockets {
  readonly stack: Stack;
  /** Datagrams queued: none, as they are handed over at once. */
  readonly held = 0;
  /** By protocol. Lists are replaced, not changed, so that a callback may open and close sockets. */
  readonly #byProtocol: (readonly RawSocket[])[] = new Array<readonly RawSocket[]>(256).fill([]);

  constructor(stack: Stack) {
    this.stack = stack;
  }

  open(protocol: number): RawSocket | 'EPROTONOSUPPORT' {
    if (!Number.isInteger(protocol) || protocol < 0 || protocol > 255) return 'EPROTONOSUPPORT';
    const socket = new RawSocket(this, protocol);
    this.#byProtocol[protocol] = [...this.of(protocol), socket];
    return socket;
  }

  of(protocol: number): readonly RawSocket[] {
    return this.#byProtocol[protocol]!;
  }

  release(socket: RawSocket): void {
    this.#byProtocol[socket.protocol] = this.of(socket.protocol).filter((other) => other !== socket);
  }
}

/**
 * Copies for the raw sockets of `protocol`: `pkt.at` at that header, `pkt.ip` at the IPv6 header. The packet is only lent.
 * True: some socket is open for the protocol. KAME: rip6_input.
 */
export function rawInput(stack: Stack, pkt: Packet, protocol: number): boolean {
  const sockets = stack.raw.of(protocol);
  const counters = stack.counters.rip6;
  if (sockets.length === 0) {
    if (protocol !== NextHeader.icmp6) counters.noSocket++;
    return false;
  }
  counters.received++;
  const ifp = stack.interfaces[pkt.receivedOn]!;
  const length = pkt.tail - pkt.at;
  for (const socket of sockets) {
    // ICMPv6 has verified its checksum itself
    if (protocol !== NextHeader.icmp6 && socket.checksumAt >= 0) {
      const fits = length >= socket.checksumAt + 2;
      if (!fits || transport6(pkt.view, pkt.ip, pkt.at, length, protocol) !== 0) {
        counters.badChecksum++;
        continue;
      }
    }
    if (!socket.wants(pkt)) continue;
    if (socket.onReceive === undefined) {
      counters.fullSocket++;
      continue;
    }
    counters.delivered++;
    socket.onReceive(datagram(ifp, pkt, pkt.at, pkt.tail, 0));
  }
  return true;
}
