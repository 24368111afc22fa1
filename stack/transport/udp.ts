/**
 * UDP over IPv6 (RFC 768, RFC 8200 8.1): sockets by local port, matched from the most specific on. KAME: udp6_usrreq.c, in6_pcb.c.
 */
import { DONE, drop } from '../drop.ts';
import { type Random, uniform } from '../env/random.ts';
import { icmp6Error } from '../ip6/icmp6-error.ts';
import { zoneOf, zoneOfScopeId } from '../ip6/scope.ts';
import { selectSource } from '../ip6/source-address.ts';
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import { pseudoHeader6, transport6 } from '../wire/checksum.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import { NextHeader } from '../wire/next-header.ts';
import * as Udp from '../wire/udp.ts';
import { datagram } from './datagram.ts';
import { Memberships } from './memberships.ts';
import { mayBeSource, socketOutput, type UpperLayer, zoneOfDestination } from './output.ts';
import type { Datagram, Endpoint, SendOptions, SocketErrno, SocketErrorReport } from './socket.ts';

/** Ports that nobody asked for by number (IANA's dynamic range). KAME: ipport_hifirstauto. */
const FIRST_EPHEMERAL = 49_152;
const LAST_EPHEMERAL = 65_535;
const MAX_PAYLOAD = 65_535 - Udp.LENGTH;
const NO_OPTIONS: SendOptions = {};

/** One end of a socket, with a view of its address made once. */
interface End extends Endpoint {
  readonly view: DataView;
}

export class UdpSocket implements UpperLayer {
  readonly protocol = NextHeader.udp;
  readonly headerLength = Udp.LENGTH;
  readonly #sockets: UdpSockets;
  readonly #stack: Stack;
  readonly #memberships: Memberships;
  /** Undefined: any address of the node (`::`). */
  local: End | undefined = undefined;
  /** 0: not bound. */
  localPort = 0;
  /** Undefined: not connected. */
  remote: End | undefined = undefined;
  remotePort = 0;
  /** Several sockets may have one port, as listeners to groups want. KAME: SO_REUSEPORT. */
  reusePort = false;
  /** Own multicast comes back. KAME: IPV6_MULTICAST_LOOP. */
  multicastLoop = true;
  /** Of connected sockets (`auto_flowlabel`). */
  flowLabel = 0;
  closed = false;
  /** Called for each datagram, from inside the input path: nothing is queued, what comes without it is dropped. */
  onReceive: ((datagram: Datagram) => void) | undefined = undefined;
  onError: ((report: SocketErrorReport) => void) | undefined = undefined;
  #sendPort = 0;

  constructor(sockets: UdpSockets) {
    this.#sockets = sockets;
    this.#stack = sockets.stack;
    this.#memberships = new Memberships(sockets.stack);
  }

  /** Its source address, undefined while it is chosen for each datagram. */
  get source(): Endpoint | undefined {
    return this.local !== undefined && Address.isMulticast(this.local.view, 0) ? undefined : this.local;
  }

  /** `::` for any address, a group to hear that alone; port 0 for any. Returns the port. KAME: in6_pcbbind. */
  bind(to: Endpoint, port: number): number | SocketErrno {
    if (this.closed) return 'EBADF';
    if (this.localPort !== 0 || to.address.length !== 16 || !isPort(port)) return 'EINVAL';
    const end = endOf(to);
    if (!Address.isUnspecified(end.view, 0)) {
      const zone = zoneOfScopeId(this.#stack, end.view, 0, to.zone);
      if (typeof zone === 'string') return zone;
      if (zone === 0 && Address.isLinkScoped(end.view, 0)) return 'EADDRNOTAVAIL';
      if (!Address.isMulticast(end.view, 0) && !mayBeSource(this.#stack, end.view, zone)) return 'EADDRNOTAVAIL';
      this.local = { ...end, zone };
    }
    const error = this.#sockets.take(this, port);
    if (error === undefined) return this.localPort;
    this.local = undefined;
    return error;
  }

  /** Only datagrams from there are heard, and errors about it told; the source is chosen now. KAME: in6_pcbconnect. */
  connect(to: Endpoint, port: number): SocketErrno | undefined {
    if (this.closed) return 'EBADF';
    if (this.remote !== undefined) return 'EISCONN';
    const unusable = this.#unusable(to, port);
    if (unusable !== undefined) return unusable;
    const zone = zoneOfDestination(this.#stack, to, undefined, this.source);
    if (typeof zone === 'string') return zone;
    const remote = { ...endOf(to), zone };
    let local = this.local;
    if (local === undefined) {
      const chosen = selectSource(this.#stack, remote.view, 0, { zone });
      if (typeof chosen === 'string') return chosen;
      local = { address: chosen.address, view: chosen.view, zone: chosen.zone };
    }
    if (this.localPort === 0) {
      const error = this.#sockets.take(this, 0);
      if (error !== undefined) return error;
    }
    this.local = local;
    this.remote = remote;
    this.remotePort = port;
    if (this.#stack.sysctl.ip6.auto_flowlabel !== 0) this.flowLabel = this.#sockets.newFlowLabel();
    return undefined;
  }

  /** `to` and `port` on a socket that is not connected, neither on one that is. */
  send(
    payload: Uint8Array,
    to?: Endpoint | undefined,
    port = 0,
    options: SendOptions = NO_OPTIONS,
  ): SocketErrno | undefined {
    if (this.closed) return 'EBADF';
    if (to !== undefined && this.remote !== undefined) return 'EISCONN';
    const destination = to ?? this.remote;
    if (destination === undefined) return 'ENOTCONN';
    if (payload.length > MAX_PAYLOAD) return 'EMSGSIZE';
    if (to !== undefined) {
      const unusable = this.#unusable(to, port);
      if (unusable !== undefined) return unusable;
    }
    if (this.localPort === 0) {
      const error = this.#sockets.take(this, 0);
      if (error !== undefined) return error;
    }
    this.#sendPort = to === undefined ? this.remotePort : port;
    return socketOutput(this.#stack, this, this, payload, destination, options);
  }

  /** For socketOutput. */
  complete(pkt: Packet, at: number): void {
    const length = pkt.tail - at;
    Udp.write(pkt.view, at, this.localPort, this.#sendPort, length);
    // the link finishes the sum, or `link/offload.ts` for it
    Udp.setChecksum(pkt.view, at, pseudoHeader6(pkt.view, pkt.ip, length, NextHeader.udp));
    pkt.checksum = 'unfinished';
    pkt.checksumStart = at;
    pkt.checksumAt = at + Udp.CHECKSUM;
    this.#stack.counters.udp6.sent++;
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

  /**
   * How well it fits a datagram that comes from `view[from]`, port `fromPort`, to `view[to]`, which is on its port: -1 not at all,
   * else one for each of the ends that it names.
   */
  fits(ifp: Interface, view: DataView, from: number, fromPort: number, to: number): number {
    let score = 0;
    const { local, remote } = this;
    if (local !== undefined) {
      if (!Address.equals(local.view, 0, view, to) || local.zone !== zoneOfEnd(ifp, view, to)) return -1;
      score++;
    }
    if (remote !== undefined) {
      if (this.remotePort !== fromPort || !Address.equals(remote.view, 0, view, from)) return -1;
      if (remote.zone !== zoneOfEnd(ifp, view, from)) return -1;
      score++;
    }
    return score;
  }

  hears(ifp: Interface, view: DataView, group: number): boolean {
    return this.#memberships.hears(ifp, view, group);
  }

  #unusable(to: Endpoint, port: number): SocketErrno | undefined {
    if (to.address.length !== 16 || !isPort(port)) return 'EINVAL';
    const view = Address.viewOf(to.address);
    if (port === 0 || Address.isUnspecified(view, 0)) return 'EADDRNOTAVAIL';
    // an IPv6-only socket has no way to IPv4 (`v6only`)
    return Address.isV4Mapped(view, 0) ? 'EINVAL' : undefined;
  }
}

/** All UDP sockets. KAME: udb. */
export class UdpSockets {
  readonly stack: Stack;
  /** Datagrams queued: none, as they are handed over at once. */
  readonly held = 0;
  readonly #random: Random;
  /** Lists are replaced, not changed, so that a callback may open and close sockets. */
  readonly #byPort = new Map<number, readonly UdpSocket[]>();

  constructor(stack: Stack) {
    this.stack = stack;
    this.#random = stack.random.fork('udp');
  }

  open(): UdpSocket {
    return new UdpSocket(this);
  }

  on(port: number): readonly UdpSocket[] {
    return this.#byPort.get(port) ?? [];
  }

  *all(): IterableIterator<UdpSocket> {
    for (const sockets of this.#byPort.values()) yield* sockets;
  }

  /** Give the socket its port; 0: any. Only the socket calls it. */
  take(socket: UdpSocket, port: number): 'EADDRINUSE' | undefined {
    const wanted = port === 0 ? this.#ephemeral(socket) : port;
    if (wanted === 0 || !this.#isFree(socket, wanted)) return 'EADDRINUSE';
    socket.localPort = wanted;
    this.#byPort.set(wanted, [...this.on(wanted), socket]);
    return undefined;
  }

  release(socket: UdpSocket): void {
    const rest = this.on(socket.localPort).filter((other) => other !== socket);
    if (rest.length === 0) this.#byPort.delete(socket.localPort);
    else this.#byPort.set(socket.localPort, rest);
  }

  newFlowLabel(): number {
    return Math.floor(uniform(this.#random, 1, 0x100000));
  }

  /** Anywhere in the range, so that nobody outside guesses it (RFC 6056 3.3.1); 0 when all are taken. */
  #ephemeral(socket: UdpSocket): number {
    const count = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1;
    const start = Math.floor(uniform(this.#random, 0, count));
    for (let step = 0; step < count; step++) {
      const port = FIRST_EPHEMERAL + ((start + step) % count);
      if (this.#isFree(socket, port)) return port;
    }
    return 0;
  }

  #isFree(socket: UdpSocket, port: number): boolean {
    return this.on(port).every((other) => (socket.reusePort && other.reusePort) || !overlap(socket.local, other.local));
  }
}

function overlap(a: End | undefined, b: End | undefined): boolean {
  return a === undefined || b === undefined || (a.zone === b.zone && Address.equals(a.view, 0, b.view, 0));
}

/** A datagram: `pkt.at` at the UDP header. KAME: udp6_input. */
export function udpInput(stack: Stack, pkt: Packet): number {
  const { view, ip, at } = pkt;
  const counters = stack.counters.udp6;
  counters.received++;
  const available = pkt.tail - at;
  if (available < Udp.LENGTH) return drop(stack, pkt, 'udp6', 'tooShort');
  // several datagrams that the link took as one have the length of the first or of all
  const segments = pkt.segmentKind === 'udp' && pkt.segmentSize > 0;
  if (!segments && Udp.length(view, at) !== available) return drop(stack, pkt, 'udp6', 'badLength');
  if (pkt.checksum !== 'unfinished') {
    if (Udp.checksum(view, at) === 0) return drop(stack, pkt, 'udp6', 'noChecksum');
    if (pkt.checksum === 'unknown' && transport6(view, ip, at, available, NextHeader.udp) !== 0) {
      return drop(stack, pkt, 'udp6', 'badChecksum');
    }
  }
  const ifp = stack.interfaces[pkt.receivedOn]!;
  return Address.isMulticast(view, ip + Ip6.DESTINATION) ? toAll(stack, ifp, pkt) : toOne(stack, ifp, pkt);
}

/** Unicast goes to the socket that names most of it. KAME: in6_pcblookup_connect, in6_pcblookup_bind. */
function toOne(stack: Stack, ifp: Interface, pkt: Packet): number {
  const { view, ip, at } = pkt;
  const fromPort = Udp.sourcePort(view, at);
  let best: UdpSocket | undefined;
  let bestScore = -1;
  for (const socket of stack.udp.on(Udp.destinationPort(view, at))) {
    const score = socket.fits(ifp, view, ip + Ip6.SOURCE, fromPort, ip + Ip6.DESTINATION);
    if (score <= bestScore) continue;
    best = socket;
    bestScore = score;
  }
  if (best === undefined) {
    stack.counters.udp6.noPort++;
    icmp6Error(stack, pkt, Icmp6.Type.unreachable, Icmp6.Unreachable.port);
    return DONE;
  }
  deliver(stack, best, ifp, pkt);
  pkt.give();
  return DONE;
}

/** Multicast goes to every socket that fits; a group without one is nobody's error (RFC 4443 2.4 e.3). */
function toAll(stack: Stack, ifp: Interface, pkt: Packet): number {
  const { view, ip, at } = pkt;
  const group = ip + Ip6.DESTINATION;
  const fromPort = Udp.sourcePort(view, at);
  let heard = false;
  for (const socket of stack.udp.on(Udp.destinationPort(view, at))) {
    if (socket.fits(ifp, view, ip + Ip6.SOURCE, fromPort, group) < 0 || !socket.hears(ifp, view, group)) continue;
    heard = true;
    deliver(stack, socket, ifp, pkt);
  }
  if (!heard) return drop(stack, pkt, 'udp6', 'noPortMulticast');
  pkt.give();
  return DONE;
}

function deliver(stack: Stack, socket: UdpSocket, ifp: Interface, pkt: Packet): void {
  const start = pkt.at + Udp.LENGTH;
  const step = pkt.segmentKind === 'udp' && pkt.segmentSize > 0 ? pkt.segmentSize : Number.POSITIVE_INFINITY;
  const fromPort = Udp.sourcePort(pkt.view, pkt.at);
  let at = start;
  do {
    const end = Math.min(at + step, pkt.tail);
    if (socket.onReceive === undefined) stack.counters.udp6.fullSocket++;
    else {
      stack.counters.udp6.delivered++;
      socket.onReceive(datagram(ifp, pkt, at, end, fromPort));
    }
    at = end;
  } while (at < pkt.tail);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}

function endOf(to: Endpoint): End {
  const address = Uint8Array.from(to.address);
  return { address, view: Address.viewOf(address), zone: to.zone };
}

/** Zones of sockets are those of links alone: sites are not told apart by programs. */
function zoneOfEnd(ifp: Interface, view: DataView, at: number): number {
  return Address.isLinkScoped(view, at) ? zoneOf(ifp, view, at) : 0;
}
