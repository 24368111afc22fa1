/** Building Neighbor Discovery messages: one packet, hop limit 255, no router in between. */
import { icmp6Output } from '../ip6/icmp6-output.ts';
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as Nd from '../wire/nd.ts';
import { NextHeader } from '../wire/next-header.ts';

/** A packet whose IPv6 header is written; the message of `length` bytes, options included, follows at `pkt.at`. */
export function newMessage(
  stack: Stack,
  source: Uint8Array,
  destination: DataView,
  destinationAt: number,
  length: number,
): Packet {
  const pkt = stack.pool.take(Ip6.LENGTH + length);
  const { view, head } = pkt;
  pkt.ip = head;
  pkt.at = head + Ip6.LENGTH;
  pkt.tail = pkt.at + length;
  Ip6.write(view, head, length, NextHeader.icmp6, Nd.HOP_LIMIT);
  Address.set(view, head + Ip6.SOURCE, source);
  Address.copy(destination, destinationAt, view, head + Ip6.DESTINATION);
  return pkt;
}

/** Room for a link-layer option on this interface. */
export const linkLayerLength = (ifp: Interface): number => (ifp.mac === undefined ? 0 : 8);

/**
 * Fill in the checksum of the message at `pkt.at` and send it to a neighbor or a group on the link, without a copy for ourselves. The
 * packet is no longer the caller's.
 */
export function sendMessage(stack: Stack, ifp: Interface, pkt: Packet): void {
  const unspecifiedSource = Address.isUnspecified(pkt.view, pkt.ip + Ip6.SOURCE);
  const options = { interface: ifp, zone: ifp.index, onLink: true, multicastLoop: false, unspecifiedSource };
  icmp6Output(stack, pkt, pkt.at, options);
}
