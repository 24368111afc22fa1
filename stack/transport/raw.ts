import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

/** Open raw IPv6 sockets. KAME: rip6. */
export class RawSockets {
  readonly stack: Stack;
  held = 0;
  constructor(stack: Stack) {
    this.stack = stack;
  }
}

/**
 * Copies for the raw sockets of `protocol`: `pkt.at` at that header, `pkt.ip` at the IPv6 header. The packet is only lent.
 * True: some socket is open for the protocol. KAME: rip6_input.
 */
export function rawInput(_stack: Stack, _pkt: Packet, _protocol: number): boolean {
  return false;
}
