import type { Stack } from '../stack.ts';

/** Open raw IPv6 sockets. KAME: rip6. */
export class RawSockets {
  readonly stack: Stack;
  held = 0;
  constructor(stack: Stack) {
    this.stack = stack;
  }
}
