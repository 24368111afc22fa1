import { drop } from '../drop.ts';
import type { SendError } from '../ip6/output.ts';
import { etherMulticast } from '../link/ethernet.ts';
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';

/**
 * Send an IPv6 packet (`head` at its header) to the next hop whose address lies at `view[at]`, on `ifp`: a group is mapped, a
 * neighbor is resolved (the packet may wait) and its unreachability watched. KAME: nd6_output.
 */
export function nd6Output(
  stack: Stack,
  ifp: Interface,
  pkt: Packet,
  view: DataView,
  at: number,
): SendError | undefined {
  if (ifp.nd.disabled) {
    drop(stack, pkt, 'ip6', 'disabled');
    return 'ENETDOWN';
  }
  if (!ifp.up || !ifp.running) {
    ifp.transmit(pkt);
    return 'ENETDOWN';
  }
  const bare = ifp.link.medium === 'ip';
  if (Address.isMulticast(view, at)) {
    ifp.outMulticast++;
    if (bare) ifp.transmit(pkt);
    else etherMulticast(ifp, pkt, view, at);
    return undefined;
  }
  // nothing to resolve and nothing to watch
  if (bare && (ifp.kind === 'loopback' || !ifp.nd.nud)) {
    ifp.transmit(pkt);
    return undefined;
  }
  const neighbor = stack.neighbors.findOrMake(ifp, view, at);
  if (neighbor === undefined) {
    drop(stack, pkt, 'nd6', 'cacheFull');
    return 'ENOBUFS';
  }
  neighbor.onSend(pkt);
  return undefined;
}
