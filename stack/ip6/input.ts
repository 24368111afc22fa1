import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

/** An IPv6 packet came in: `head` at the IPv6 header. KAME: ip6_input. */
export function ip6Input(_stack: Stack, _ifp: Interface, _pkt: Packet): void {
  throw new Error('not built yet');
}

/**
 * Walk the headers of a packet for this node, from the one numbered `next` at `pkt.at` on, until it is DONE with. Reassembly calls it
 * with the whole packet. KAME: the loop at the end of ip6_input.
 */
export function walkHeaders(_stack: Stack, _pkt: Packet, _next: number): void {
  throw new Error('not built yet');
}
