/**
 * What UDP and raw sockets have in common: the words they speak to programs in. A call that can't be done returns the name
 * of an errno(2); nothing here throws. KAME: struct in6pcb.
 */
import type { SendError } from '../ip6/output.ts';
import type { Interface } from '../link/interface.ts';

/** An address and its zone: an interface index, 0 for none or "not said". KAME: sockaddr_in6 without the port. */
export interface Endpoint {
  readonly address: Uint8Array;
  readonly zone: number;
}

export type SocketErrno =
  | SendError
  | 'EADDRINUSE'
  | 'EBADF'
  | 'EISCONN'
  | 'ENOTCONN'
  | 'ECONNREFUSED'
  | 'EHOSTDOWN'
  | 'ENOPROTOOPT';

/** A datagram as it was received; all of it is the program's. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
  /** 0 on raw sockets. */
  readonly fromPort: number;
  readonly to: Endpoint;
  readonly interface: Interface;
  readonly hopLimit: number;
  readonly trafficClass: number;
}

/** RFC 3542 ancillary data of one datagram; absent: the socket's or the node's default. */
export interface SendOptions {
  readonly hopLimit?: number | undefined;
  readonly trafficClass?: number | undefined;
  readonly flowLabel?: number | undefined;
  readonly source?: Uint8Array | undefined;
  /** Outgoing interface. */
  readonly interface?: Interface | undefined;
  readonly minMtu?: boolean | undefined;
  readonly dontFragment?: boolean | undefined;
  /** A whole header, its next-header byte ignored. */
  readonly hopByHop?: Uint8Array | undefined;
  readonly destinationOptions?: Uint8Array | undefined;
  /** Intermediate hops of a type 0 routing header. */
  readonly routingHops?: readonly Uint8Array[] | undefined;
  /** The neighbor is known to be reachable. KAME: IPV6_REACHCONF. */
  readonly reachable?: boolean | undefined;
}

/** An ICMPv6 error about something a socket sent. */
export interface SocketErrorReport {
  readonly code: SocketErrno;
  readonly from: Endpoint;
  readonly type: number;
  readonly icmpCode: number;
  /** MTU or pointer. */
  readonly parameter: number;
  /** As much of the packet as came back, from its IPv6 header. */
  readonly quoted: Uint8Array;
}
