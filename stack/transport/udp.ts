import { DONE } from '../drop.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

/** Open UDP sockets. KAME: udb. */
export class UdpSockets {
  readonly stack: Stack;
  held = 0;
  constructor(stack: Stack) {
    this.stack = stack;
  }
}

/** A datagram: `pkt.at` at the UDP header. KAME: udp6_input. */
export function udpInput(_stack: Stack, pkt: Packet): number {
  pkt.give();
  return DONE;
}
