/**
 * Ethernet as a link of IPv6, RFC 2464: who a frame is for, and what frame a packet needs. KAME: ether_input, ether_output.
 */
import { ip6Input } from '../ip6/input.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Ethernet from '../wire/ethernet.ts';
import type { Interface } from './interface.ts';

/** A frame: `head` at its Ethernet header. */
export function etherInput(stack: Stack, ifp: Interface, pkt: Packet): void {
  if (pkt.length < Ethernet.LENGTH) {
    ifp.inErrors++;
    return pkt.give();
  }
  const { view, head } = pkt;
  const own = ifp.mac!;
  pkt.linkMulticast = Ethernet.isMulticast(view, head);
  if (pkt.linkMulticast) ifp.inMulticast++;
  else if (!Ethernet.same(view, head + Ethernet.DESTINATION, own)) {
    ifp.inDropped++;
    return pkt.give();
  }
  // a link that echoes our own frames must not make DAD fail (IFF_SIMPLEX, KAME note 1.2)
  if (Ethernet.same(view, head + Ethernet.SOURCE, own)) {
    stack.counters.nd6.ownEcho++;
    return pkt.give();
  }
  if (Ethernet.type(view, head) !== Ethernet.EtherType.ip6) {
    ifp.inDropped++;
    return pkt.give();
  }
  pkt.pull(Ethernet.LENGTH);
  ip6Input(stack, ifp, pkt);
}

/** To a station. The packet's head is at the IP header. */
export function etherOutput(ifp: Interface, pkt: Packet, destination: Ethernet.Mac): void {
  const at = pkt.push(Ethernet.LENGTH);
  Ethernet.write(pkt.view, at, destination, ifp.mac!, Ethernet.EtherType.ip6);
  ifp.transmit(pkt);
}

/** To an IPv6 group, which lies at `group[groupAt]`. */
export function etherMulticast(ifp: Interface, pkt: Packet, group: DataView, groupAt: number): void {
  const at = pkt.push(Ethernet.LENGTH);
  Ethernet.setMulticast(pkt.view, at, group, groupAt);
  Ethernet.setAddress(pkt.view, at + Ethernet.SOURCE, ifp.mac!);
  Ethernet.setType(pkt.view, at, Ethernet.EtherType.ip6);
  ifp.transmit(pkt);
}
