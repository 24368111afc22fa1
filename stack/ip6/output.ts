import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

export interface OutputOptions {
  /** Zone of a scoped destination (an interface index); 0 or absent: found by `interface` or the default zone. */
  readonly zone?: number;
  /** Leave by this interface (IPV6_PKTINFO, IPV6_MULTICAST_IF, Neighbor Discovery). */
  readonly interface?: Interface | undefined;
  /** The packet is dropped with EMSGSIZE instead of being fragmented. KAME: IPV6_DONTFRAG. */
  readonly dontFragment?: boolean;
  /** Fragment at 1280. KAME: IPV6_MINMTU. */
  readonly minMtu?: boolean;
  /** A copy of a multicast packet comes back if this node is a member; default true. */
  readonly multicastLoop?: boolean;
  /** The source may be `::` (DAD, MLD). KAME: IPV6_UNSPECSRC. */
  readonly unspecifiedSource?: boolean;
}

/** Why a packet was not sent, as errno(2) names it. */
export type SendError = 'EHOSTUNREACH' | 'ENETUNREACH' | 'ENETDOWN' | 'EMSGSIZE' | 'ENOBUFS' | 'EADDRNOTAVAIL' | 'EINVAL' | 'ENXIO';

/**
 * Send a packet whose IPv6 header is complete but for the payload length (`head` at it). Routes, sets the payload length, fragments,
 * resolves. The packet is no longer the caller's, whatever the result. KAME: ip6_output.
 */
export function ip6Output(_stack: Stack, _pkt: Packet, _options: OutputOptions = {}): SendError | undefined {
  throw new Error('not built yet');
}
