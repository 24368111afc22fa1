/**
 * What a node gives its programs: the console, time, and what ioctl(2), sysctl(3), the routing socket and socket(2) are on
 * a KAME machine. Tools and daemons know this file and `stack/wire`, never the stack itself; `kernel.ts` makes it from a Stack.
 *
 * Addresses are 16-byte arrays, a zone is an interface name ('' for none), times are milliseconds unless a name says otherwise.
 */

import type { Counters, Histograms } from '#stack/counters.ts';
import type { Clock } from '#stack/env/clock.ts';
import type { Random } from '#stack/env/random.ts';
import type { TraceEvent } from '#stack/env/trace.ts';

/** A tool or daemon: event-driven, returns at once, ends by `system.exit`. */
export type Program = (system: System, argv: string[]) => void;

/** An errno(2) name and its sentence. Kernel calls throw it; nothing else. */
export class SystemError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface System {
  readonly clock: Clock;
  readonly random: Random;
  readonly hostname: string;
  readonly kernel: Kernel;
  /** Milliseconds since 1970, for time stamps people read. */
  readonly date: number;
  readonly columns: number;
  out(text: string): void;
  error(text: string): void;
  /** Ends the program: its sockets are closed and timers disarmed. Later calls do nothing. */
  exit(code: number): void;
  /** Ctrl-C, or the run's time is over; without a handler the program ends with 130. */
  onInterrupt(handler: () => void): void;
  /** Text from standard input as it comes; undefined at its end. */
  onInput(handler: (text: string | undefined) => void): void;
  /** A configuration file of the node, or undefined. */
  readFile(path: string): string | undefined;
}

export interface ScopedAddress {
  readonly address: Uint8Array;
  readonly zone: string;
}

export interface Kernel {
  readonly counters: Counters;
  readonly histograms: Histograms;
  sysctlNames(): string[];
  /** Throws ENOENT, EINVAL, EPERM. */
  sysctl(name: string): number | string;
  setSysctl(name: string, value: number | string): void;

  interfaces(): InterfaceInfo[];
  interface(name: string): InterfaceInfo;
  setUp(name: string, up: boolean): void;
  setMtu(name: string, mtu: number): void;
  setLinkAddress(name: string, mac: Uint8Array): void;
  /** Or gives one that is there other lifetimes. */
  addAddress(name: string, address: Uint8Array, prefixLength: number, options?: AddressOptions): void;
  removeAddress(name: string, address: Uint8Array): void;
  /** Group memberships of an interface, with the number of joins. */
  groups(name: string): { group: Uint8Array; joins: number }[];

  neighbors(): NeighborInfo[];
  /** `ndp -s`. Throws EINVAL when the address is on no link of this node (proxying off-link is refused). */
  setNeighbor(to: ScopedAddress, mac: Uint8Array, options: { temporary: boolean; proxy: boolean }): void;
  deleteNeighbor(to: ScopedAddress): void;
  /** `ndp -c`: all but static entries; how many went. */
  flushNeighbors(): number;
  nd(name: string): NdInterfaceInfo;
  setNd(name: string, change: Partial<NdInterfaceInfo>): void;
  /** `ndp -I`: the default interface, '' for none. */
  defaultInterface(): string;
  setDefaultInterface(name: string): void;
  /** Multicast an unsolicited advertisement of one of this node's addresses (RFC 4861 7.2.6). */
  advertise(name: string, address: Uint8Array, count: number): void;

  routes(): RouteInfo[];
  addRoute(route: RouteRequest): void;
  changeRoute(route: RouteRequest): void;
  deleteRoute(destination: ScopedAddress, prefixLength: number): void;
  /** The route a packet to this destination would take, or undefined. */
  getRoute(destination: ScopedAddress): RouteInfo | undefined;
  /** Remove all routes with a gateway; how many went. */
  flushRoutes(): number;
  /** Source address the stack would choose, or undefined. */
  sourceFor(destination: ScopedAddress): ScopedAddress | undefined;

  /** What happens in the node until closed: the routing socket, and more. */
  openEvents(receive: (event: TraceEvent) => void): { close(): void };

  /** Throws EPROTONOSUPPORT. */
  openRaw(protocol: number): RawSocket;
  openUdp(): UdpSocket;
  /** Every frame of an interface as it goes in and out, link-layer header first, until closed. '' for all interfaces. */
  openCapture(name: string, receive: (frame: CapturedFrame) => void): { close(): void };
}

export interface AddressOptions {
  readonly anycast?: boolean;
  /** Build the last 64 bits from the interface's MAC. */
  readonly eui64?: boolean;
  /** Seconds. */
  readonly preferredLifetime?: number;
  readonly validLifetime?: number;
  /** The other end of a point-to-point interface. */
  readonly destination?: Uint8Array;
}

export interface AddressInfo {
  readonly address: Uint8Array;
  readonly prefixLength: number;
  readonly state: 'tentative' | 'preferred' | 'deprecated' | 'duplicated';
  readonly destination: Uint8Array | undefined;
  readonly anycast: boolean;
  readonly autoconf: boolean;
  readonly temporary: boolean;
  /** Seconds left; Infinity for ever. */
  readonly preferredLifetime: number;
  readonly validLifetime: number;
}

export interface InterfaceInfo {
  readonly name: string;
  readonly index: number;
  readonly kind: 'ethernet' | 'pointToPoint' | 'loopback';
  readonly up: boolean;
  readonly running: boolean;
  readonly mtu: number;
  readonly mac: Uint8Array | undefined;
  readonly addresses: readonly AddressInfo[];
  readonly inPackets: number;
  readonly inBytes: number;
  readonly inErrors: number;
  readonly inDropped: number;
  readonly inMulticast: number;
  readonly outPackets: number;
  readonly outBytes: number;
  readonly outErrors: number;
  readonly outMulticast: number;
}

export type NeighborState = 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe' | 'static';

export interface NeighborInfo {
  readonly address: Uint8Array;
  readonly interface: string;
  readonly linkAddress: Uint8Array | undefined;
  readonly state: NeighborState;
  readonly router: boolean;
  readonly proxy: boolean;
  /** Milliseconds until the state's timer; Infinity for none. */
  readonly expires: number;
  /** Solicitations sent in this state. */
  readonly probes: number;
}

/** `ndp -i if`. Milliseconds. */
export interface NdInterfaceInfo {
  readonly nud: boolean;
  readonly disabled: boolean;
  readonly acceptRouterAdvertisements: boolean;
  readonly preferSource: boolean;
  readonly baseReachableTime: number;
  readonly reachableTime: number;
  readonly retransTimer: number;
  /** 0: the node's default. */
  readonly hopLimit: number;
  readonly linkMtu: number;
}

export interface RouteInfo {
  readonly destination: Uint8Array;
  readonly prefixLength: number;
  /** Interface name for a scoped destination, else ''. */
  readonly zone: string;
  readonly gateway: Uint8Array | undefined;
  readonly interface: string;
  /** BSD's letters, as netstat -r prints them: U G H R B D M C L S. */
  readonly flags: string;
  readonly mtu: number;
  readonly use: number;
  /** Milliseconds left; Infinity for ever. */
  readonly expires: number;
}

export interface RouteRequest {
  readonly destination: ScopedAddress;
  readonly prefixLength: number;
  /** Next hop; its zone names the interface of a link-local one. */
  readonly gateway?: ScopedAddress;
  /** `-interface if`, or the interface of the gateway. */
  readonly interface?: string;
  readonly reject?: boolean;
  readonly blackhole?: boolean;
  readonly mtu?: number;
}

/** What a datagram came with (RFC 3542: packet info, hop limit, traffic class). */
export interface Received {
  readonly bytes: Uint8Array;
  readonly from: ScopedAddress;
  readonly fromPort: number;
  readonly to: ScopedAddress;
  readonly interface: string;
  readonly hopLimit: number;
  readonly trafficClass: number;
}

/** RFC 3542 ancillary data of one datagram; absent: the socket's or the node's default. */
export interface SendOptions {
  readonly hopLimit?: number;
  readonly trafficClass?: number;
  readonly source?: Uint8Array;
  /** Outgoing interface. */
  readonly interface?: string;
  readonly minMtu?: boolean;
  readonly dontFragment?: boolean;
  /** A whole hop-by-hop or destination options header, its next-header byte ignored. */
  readonly hopByHop?: Uint8Array;
  readonly destinationOptions?: Uint8Array;
  /** Intermediate hops of a type 0 routing header. */
  readonly routingHops?: readonly Uint8Array[];
  /** The neighbor is known to be reachable (IPV6_REACHCONF). */
  readonly reachable?: boolean;
}

/** An ICMPv6 error about something a socket sent. */
export interface SocketError {
  readonly code: string;
  readonly from: ScopedAddress;
  readonly type: number;
  readonly icmpCode: number;
  /** MTU or pointer. */
  readonly parameter: number;
  /** As much of the packet as came back, from its IPv6 header. */
  readonly quoted: Uint8Array;
}

export interface RawSocket {
  /** Payload from the transport header on; an ICMPv6 checksum is filled in. Throws SystemError (EHOSTUNREACH, EMSGSIZE ...). */
  send(payload: Uint8Array, to: ScopedAddress, options?: SendOptions): void;
  onReceive(receive: (message: Received) => void): void;
  /** ICMPv6 types passed up; all at first (RFC 3542 3.2). */
  filter(types: readonly number[]): void;
  join(group: Uint8Array, interfaceName: string): void;
  leave(group: Uint8Array, interfaceName: string): void;
  close(): void;
}

export interface UdpSocket {
  /** Port 0: any. Throws EADDRINUSE, EADDRNOTAVAIL. Returns the port. */
  bind(to: ScopedAddress, port: number): number;
  connect(to: ScopedAddress, port: number): void;
  send(payload: Uint8Array, to?: ScopedAddress, port?: number, options?: SendOptions): void;
  onReceive(receive: (message: Received) => void): void;
  onError(handler: (error: SocketError) => void): void;
  join(group: Uint8Array, interfaceName: string): void;
  leave(group: Uint8Array, interfaceName: string): void;
  close(): void;
}

export interface CapturedFrame {
  readonly interface: string;
  readonly outgoing: boolean;
  /** Link-layer header first; lent for the call. */
  readonly bytes: Uint8Array;
  readonly medium: 'ethernet' | 'ip';
  readonly time: number;
}
