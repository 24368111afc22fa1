import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import * as Address from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';
import type { Datagram, Endpoint } from './socket.ts';

/** What a program gets: a copy of the bytes from `start` to `end`, with all that came beside them (RFC 3542 6). */
export function datagram(ifp: Interface, pkt: Packet, start: number, end: number, fromPort: number): Datagram {
  const { view, ip, bytes } = pkt;
  return {
    bytes: bytes.slice(start, end),
    from: endpoint(ifp, view, ip + Ip6.SOURCE),
    fromPort,
    to: endpoint(ifp, view, ip + Ip6.DESTINATION),
    interface: ifp,
    hopLimit: Ip6.hopLimit(view, ip),
    trafficClass: Ip6.trafficClass(view, ip),
  };
}

/** The address at `view[at]` with the zone it has on `ifp`, 0 for none. KAME: sa6_recoverscope. */
export function endpoint(ifp: Interface, view: DataView, at: number): Endpoint {
  return { address: Address.get(view, at), zone: Address.isLinkScoped(view, at) ? ifp.index : 0 };
}
