import { DONE, drop } from './drop.ts';
import { holdsAllHeaders } from './ip6/header-chain.ts';
import { icmp6Input } from './ip6/icmp6.ts';
import { headerProblem, icmp6Error } from './ip6/icmp6-error.ts';
import { destinationOptionsInput } from './ip6/options.ts';
import { fragmentInput } from './ip6/reassembly.ts';
import { routingInput } from './ip6/routing-header.ts';
import type { Packet } from './packet/packet.ts';
import type { Stack } from './stack.ts';
import { rawInput } from './transport/raw.ts';
import { udpInput } from './transport/udp.ts';
import * as Fragment from './wire/fragment.ts';
import * as Icmp6 from './wire/icmp6.ts';
import * as Ip6 from './wire/ip6.ts';
import { NextHeader } from './wire/next-header.ts';

/**
 * Takes a packet with `pkt.at` at the header it is for; returns the next header's number with `pkt.at` moved on, or DONE.
 * KAME: pr_input.
 */
export type Input = (stack: Stack, pkt: Packet) => number;

/** THE map: next header -> input function. KAME: inet6sw[], ip6_protox[]. */
export const protocols: readonly Input[] = map({
  [NextHeader.hopByHop]: misplaced,
  [NextHeader.udp]: udpInput,
  [NextHeader.routing]: routingInput,
  [NextHeader.fragment]: fragment,
  [NextHeader.icmp6]: icmp6Input,
  [NextHeader.none]: nothing,
  [NextHeader.destinationOptions]: destinationOptionsInput,
});

function map(known: Record<number, Input>): Input[] {
  const inputs: Input[] = [];
  for (let number = 0; number < 256; number++) inputs.push(known[number] ?? rawOrUnknown);
  return inputs;
}

/** RFC 8200 4.1: Hop-by-Hop options anywhere but directly behind the IPv6 header are an unrecognized next header. */
function misplaced(stack: Stack, pkt: Packet): number {
  return unrecognized(stack, pkt);
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

/** What must hold of a fragment before it may wait for others. */
function fragment(stack: Stack, pkt: Packet): number {
  const { view, ip, at } = pkt;
  if (at + Fragment.LENGTH > pkt.tail) return drop(stack, pkt, 'ip6', 'tooShort');
  // RFC 2675 3: a jumbogram is not fragmented
  if (Ip6.payloadLength(view, ip) === 0) return headerProblem(stack, pkt, at);
  // RFC 7112 5: no firewall on the way could have judged it
  if (Fragment.offset(view, at) === 0 && Fragment.more(view, at) && !holdsAllHeaders(view, at, pkt.tail)) {
    stack.counters.ip6.headersTooLong++;
    icmp6Error(stack, pkt, Icmp6.Type.parameterProblem, Icmp6.ParameterProblem.firstFragment, 0);
    return DONE;
  }
  return fragmentInput(stack, pkt);
}
