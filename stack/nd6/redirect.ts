import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Route } from '../route/table.ts';
import type { Stack } from '../stack.ts';

/** A redirect came in; as nsInput. KAME: icmp6_redirect_input. */
export function redirectInput(_stack: Stack, _pkt: Packet): boolean {
  throw new Error('not built yet');
}

/**
 * A packet is about to leave by the interface it came in by: tell its source of the better first hop, if the rules of RFC 4861 8.2
 * allow. The packet (`pkt.ip` at its header, as received) is only lent. KAME: icmp6_redirect_output.
 */
export function redirectOutput(_stack: Stack, _ifp: Interface, _pkt: Packet, _route: Route): void {
  throw new Error('not built yet');
}
