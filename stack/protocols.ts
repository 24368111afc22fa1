import { DONE } from './drop.ts';
import type { Packet } from './packet/packet.ts';
import type { Stack } from './stack.ts';

/**
 * Takes a packet with `pkt.at` at the header it is for; returns the next header's number with `pkt.at` moved on, or DONE.
 * KAME: pr_input.
 */
export type Input = (stack: Stack, pkt: Packet) => number;

/** THE map: next header -> input function. KAME: inet6sw[], ip6_protox[]. */
export const protocols: readonly Input[] = new Array<Input>(256).fill(() => DONE);
