import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

/** A router solicitation came in; as nsInput. KAME: nd6_rs_input. */
export function rsInput(_stack: Stack, _pkt: Packet): boolean {
  throw new Error('not built yet');
}

/** A router advertisement came in; as nsInput. KAME: nd6_ra_input. */
export function raInput(_stack: Stack, _pkt: Packet): boolean {
  throw new Error('not built yet');
}
