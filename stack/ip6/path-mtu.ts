import type { Stack } from '../stack.ts';

/** Path MTUs learned from Packet Too Big, by destination; bounded (RFC 8201). */
export class PathMtu {
  readonly stack: Stack;
  constructor(stack: Stack, _salt: number) {
    this.stack = stack;
  }
}
