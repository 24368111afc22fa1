import type { Stack } from '../stack.ts';

/** Fragments waiting for the rest (RFC 8200 4.5, RFC 5722). KAME: frag6.c. */
export class Reassembly {
  readonly stack: Stack;
  held = 0;
  constructor(stack: Stack) {
    this.stack = stack;
  }
}
