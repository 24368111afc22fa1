import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { SendError } from '../ip6/output.ts';
import type { Stack } from '../stack.ts';

/**
 * Send an IPv6 packet (`head` at its header) to the next hop whose address lies at `view[at]`, on `ifp`: a group is mapped, a
 * neighbor is resolved (the packet may wait) and its unreachability watched. KAME: nd6_output.
 */
export function nd6Output(
  _stack: Stack,
  _ifp: Interface,
  _pkt: Packet,
  _view: DataView,
  _at: number,
): SendError | undefined {
  throw new Error('not built yet');
}
