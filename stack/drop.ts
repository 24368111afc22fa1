import type { CounterName, Protocol } from './counters.ts';
import type { Packet } from './packet/packet.ts';
import type { Stack } from './stack.ts';

/** What an input function returns when nothing is left to do: the packet was sent, queued, kept or dropped. KAME: IPPROTO_DONE. */
export const DONE = -1;

/** The one way to lose a packet: count, trace, give the buffer back. */
export function drop<P extends Protocol>(stack: Stack, pkt: Packet, protocol: P, counter: CounterName<P>): typeof DONE {
  (stack.counters[protocol] as Record<string, number>)[counter]!++;
  stack.trace?.dropped(pkt, protocol, counter);
  pkt.give();
  return DONE;
}
