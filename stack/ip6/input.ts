import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

/** An IPv6 packet came in: `head` at the IPv6 header. KAME: ip6_input. */
export function ip6Input(_stack: Stack, _ifp: Interface, _pkt: Packet): void {
  throw new Error('not built yet');
}
