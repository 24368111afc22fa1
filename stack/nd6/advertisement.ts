import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

/** A neighbor advertisement came in; as nsInput. KAME: nd6_na_input. */
export function naInput(_stack: Stack, _pkt: Packet): boolean {
  throw new Error('not built yet');
}
