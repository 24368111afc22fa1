import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';

/**
 * An ICMPv6 error came in: `pkt.at` at its header, checksum good, the packet that it is about follows 8 bytes behind (40 of them
 * are there). Tells the sockets that sent that packet; true if one of them is connected to just that destination, which vouches for
 * the error (RFC 8201 4). The packet is only lent. KAME: icmp6_notify_error, pfctlinput2.
 */
export function notifyError(_stack: Stack, _pkt: Packet): boolean {
  return false;
}
