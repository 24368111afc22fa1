/**
 * Ethernet, RFC 2464. 14 bytes:
 *
 *   0: destination   6: source   12: type (0x86dd for IPv6)
 *
 * KAME: ether_input, ether_output.
 */
import { ip6Input } from '../ip6/input.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import type { Interface } from './interface.ts';

const LENGTH = 14;
const IPV6 = 0x86dd;

export function etherInput(stack: Stack, ifp: Interface, pkt: Packet): void {
  if (pkt.length < LENGTH) {
    ifp.inErrors++;
    return pkt.give();
  }
  const { bytes, head } = pkt;
  const own = ifp.mac!;
  pkt.linkMulticast = (bytes[head]! & 1) !== 0;
  if (pkt.linkMulticast) ifp.inMulticast++;
  else if (!same(bytes, head, own)) {
    ifp.inDropped++;
    return pkt.give();
  }
  // a link that echoes our own frames must not make DAD fail (IFF_SIMPLEX, KAME note 1.2)
  if (same(bytes, head + 6, own)) {
    stack.counters.nd6.ownEcho++;
    return pkt.give();
  }
  if (pkt.view.getUint16(head + 12) !== IPV6) {
    ifp.inDropped++;
    return pkt.give();
  }
  pkt.pull(LENGTH);
  ip6Input(stack, ifp, pkt);
}

/** To a station. The packet's head is at the IP header. */
export function etherOutput(ifp: Interface, pkt: Packet, destination: Uint8Array): void {
  const at = pkt.push(LENGTH);
  pkt.bytes.set(destination, at);
  finishHeader(ifp, pkt, at);
}

/** To an IPv6 group: 33:33 and the last four bytes of the group (RFC 2464 7), which lie at `view[groupAt]`. */
export function etherMulticast(ifp: Interface, pkt: Packet, view: DataView, groupAt: number): void {
  const at = pkt.push(LENGTH);
  pkt.view.setUint16(at, 0x3333);
  pkt.view.setUint32(at + 2, view.getUint32(groupAt + 12));
  ifp.outMulticast++;
  finishHeader(ifp, pkt, at);
}

function finishHeader(ifp: Interface, pkt: Packet, at: number): void {
  const mac = ifp.mac!;
  const bytes = pkt.bytes;
  for (let byte = 0; byte < 6; byte++) bytes[at + 6 + byte] = mac[byte]!;
  pkt.view.setUint16(at + 12, IPV6);
  ifp.transmit(pkt);
}

function same(bytes: Uint8Array, at: number, mac: Uint8Array): boolean {
  for (let byte = 5; byte >= 0; byte--) if (bytes[at + byte] !== mac[byte]) return false;
  return true;
}
