import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import { transport6 } from '../wire/checksum.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import { NextHeader } from '../wire/next-header.ts';
import { ip6Output, type OutputOptions, type SendError } from './output.ts';

/**
 * Send an ICMPv6 message made here: `head` at its complete IPv6 header, the message at `at`, checksum field zero. Sets the
 * checksum and counts the type.
 */
export function icmp6Output(stack: Stack, pkt: Packet, at: number, options?: OutputOptions): SendError | undefined {
  const { view } = pkt;
  stack.histograms.icmp6Out[Icmp6.type(view, at)]!++;
  Icmp6.setChecksum(view, at, transport6(view, pkt.head, at, pkt.tail - at, NextHeader.icmp6));
  return ip6Output(stack, pkt, options);
}
