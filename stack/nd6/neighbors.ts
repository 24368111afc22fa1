import type { Stack } from '../stack.ts';

/** The neighbor cache: bounded, by address and interface. KAME: llinfo_nd6. */
export class NeighborCache {
  readonly stack: Stack;
  /** Packets waiting for address resolution. */
  held = 0;
  constructor(stack: Stack, _salt: number) {
    this.stack = stack;
  }
}
