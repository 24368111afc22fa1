import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

/**
 * A neighbor solicitation came in: `pkt.ip` at its IPv6 header, `pkt.at` at the ICMPv6 header, checksum good. The packet is only
 * lent. False: it was invalid, counted and traced as a drop; raw sockets should not see it. KAME: nd6_ns_input.
 */
export function nsInput(_stack: Stack, _pkt: Packet): boolean {
  throw new Error('not built yet');
}
