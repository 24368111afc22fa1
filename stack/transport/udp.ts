import type { Stack } from '../stack.ts';

/** Open UDP sockets. KAME: udb. */
export class UdpSockets {
  readonly stack: Stack;
  held = 0;
  constructor(stack: Stack) {
    this.stack = stack;
  }
}
