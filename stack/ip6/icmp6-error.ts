import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

/** Both limits on ICMPv6 errors sent: an interval (`errratelimit`) and packets a second (`errppslimit`). */
export class ErrorRate {
  readonly stack: Stack;
  constructor(stack: Stack) {
    this.stack = stack;
  }
}

/**
 * Answer a packet (taken: `pkt.ip` at its IPv6 header) with an ICMPv6 error, unless RFC 4443 2.4(e) or a limit forbids.
 * `parameter`: the MTU or the pointer. The packet is given back. KAME: icmp6_error.
 */
export function icmp6Error(_stack: Stack, _pkt: Packet, _type: number, _code: number, _parameter = 0): void {
  throw new Error('not built yet');
}
