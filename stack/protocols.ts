import { DONE } from './drop.ts';
import { icmp6Input } from './ip6/icmp6.ts';
import { icmp6Error } from './ip6/icmp6-error.ts';
import { destinationOptionsInput } from './ip6/options.ts';
import { fragmentInput } from './ip6/reassembly.ts';
import { routingInput } from './ip6/routing-header.ts';
import type { Packet } from './packet/packet.ts';
import type { Stack } from './stack.ts';
import { rawInput } from './transport/raw.ts';
import { udpInput } from './transport/udp.ts';
import * as Icmp6 from './wire/icmp6.ts';
import { NextHeader } from './wire/next-header.ts';

/**
 * Takes a packet with `pkt.at` at the header it is for; returns the next header's number with `pkt.at` moved on, or DONE.
 * KAME: pr_input.
 */
export type Input = (stack: Stack, pkt: Packet) => number;

/** THE map: next header -> input function. KAME: inet6sw[], ip6_protox[]. */
export const protocols: readonly Input[] = map({
  // its place is directly behind the IPv6 header (RFC 8200 4.1); `ip6Input` sees to it there
  [NextHeader.hopByHop]: unrecognized,
  [NextHeader.udp]: udpInput,
  [NextHeader.routing]: routingInput,
  [NextHeader.fragment]: fragmentInput,
  [NextHeader.icmp6]: icmp6Input,
  [NextHeader.none]: nothing,
  [NextHeader.destinationOptions]: destinationOptionsInput,
});

function map(known: Record<number, Input>): Input[] {
  const inputs: Input[] = [];
  for (let number = 0; number < 256; number++) inputs.push(known[number] ?? rawOrUnknown);
  return inputs;
}

/** RFC 8200 4.7: no more headers; whatever follows is ignored. */
function nothing(_stack: Stack, pkt: Packet): number {
  pkt.give();
  return DONE;
}

function rawOrUnknown(stack: Stack, pkt: Packet): number {
  if (!rawInput(stack, pkt, pkt.view.getUint8(pkt.nextHeaderAt))) return unrecognized(stack, pkt);
  pkt.give();
  return DONE;
}

function unrecognized(stack: Stack, pkt: Packet): number {
  stack.counters.ip6.noProtocol++;
  const { parameterProblem } = Icmp6.Type;
  icmp6Error(stack, pkt, parameterProblem, Icmp6.ParameterProblem.nextHeader, pkt.nextHeaderAt - pkt.ip);
  return DONE;
}
