/**
 * Hop-by-Hop and Destination Options headers: one walk over their options (RFC 8200 4.2), each known one in its place.
 * KAME: ip6_hopopts_input, ip6_process_hopopts, dest6_input, ip6_unknown_opt.
 */
import { DONE, drop } from '../drop.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import { isMulticast } from '../wire/address.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as Options from '../wire/options.ts';
import { headerProblem, icmp6Error } from './icmp6-error.ts';

/** The longest payload that the IPv6 header itself can tell. */
const LONGEST_PAYLOAD = 65_535;

/** Directly behind the IPv6 header; every node on the way looks at it. */
export function hopByHopInput(stack: Stack, pkt: Packet): number {
  const { ip } = pkt;
  let lengthKnown = Ip6.payloadLength(pkt.view, ip) !== 0;
  const end = headerEnd(stack, pkt);
  if (end < 0) return DONE;
  for (let option = pkt.at + Options.OPTIONS, length = 0; option < end; option += length) {
    length = Options.length(pkt.view, option, end);
    if (length === 0) return drop(stack, pkt, 'ip6', 'badOptions');
    switch (Options.type(pkt.view, option)) {
      case Options.OptionType.pad1:
      case Options.OptionType.padN:
        break;
      case Options.OptionType.routerAlert:
        if (length !== 4) return optionProblem(stack, pkt, option + 1);
        pkt.routerAlert = Options.routerAlert(pkt.view, option);
        break;
      case Options.OptionType.jumbo:
        if (jumboOption(stack, pkt, option, length) === DONE) return DONE;
        lengthKnown = true;
        break;
      default:
        if (unknownOption(stack, pkt, option) === DONE) return DONE;
    }
  }
  // RFC 2675 3
  if (!lengthKnown) return optionProblem(stack, pkt, ip + Ip6.PAYLOAD_LENGTH);
  return onward(pkt, end);
}

export function destinationOptionsInput(stack: Stack, pkt: Packet): number {
  const end = headerEnd(stack, pkt);
  if (end < 0) return DONE;
  for (let option = pkt.at + Options.OPTIONS, length = 0; option < end; option += length) {
    length = Options.length(pkt.view, option, end);
    if (length === 0) return drop(stack, pkt, 'ip6', 'badOptions');
    const type = Options.type(pkt.view, option);
    if (type === Options.OptionType.pad1 || type === Options.OptionType.padN) continue;
    if (unknownOption(stack, pkt, option) === DONE) return DONE;
  }
  return onward(pkt, end);
}

/** Where the header ends; DONE if that is not in the packet. */
function headerEnd(stack: Stack, pkt: Packet): number {
  if (pkt.at + 8 > pkt.tail) return drop(stack, pkt, 'ip6', 'tooShort');
  const end = pkt.at + Options.headerLength(pkt.view, pkt.at);
  return end > pkt.tail ? drop(stack, pkt, 'ip6', 'tooShort') : end;
}

function onward(pkt: Packet, end: number): number {
  const next = Options.nextHeader(pkt.view, pkt.at);
  pkt.nextHeaderAt = pkt.at;
  pkt.at = end;
  return next;
}

/** RFC 2675 3. A frame shorter than it claims is dropped without a word (JB-02). */
function jumboOption(stack: Stack, pkt: Packet, option: number, length: number): number {
  const { view, ip } = pkt;
  if (length !== 6) return optionProblem(stack, pkt, option + 1);
  if (Ip6.payloadLength(view, ip) !== 0) return optionProblem(stack, pkt, option);
  const payload = Options.jumboLength(view, option);
  if (payload <= LONGEST_PAYLOAD) return optionProblem(stack, pkt, option + Options.DATA);
  if (payload > pkt.tail - ip - Ip6.LENGTH) return drop(stack, pkt, 'ip6', 'tooShort');
  pkt.tail = ip + Ip6.LENGTH + payload;
  return 0;
}

/** The top two bits say what to do (RFC 8200 4.2). KAME: ip6_unknown_opt. */
function unknownOption(stack: Stack, pkt: Packet, option: number): number {
  const action = Options.action(pkt.view, option);
  if (action === Options.Action.skip) return 0;
  const toGroup = isMulticast(pkt.view, pkt.ip + Ip6.DESTINATION);
  if (action === Options.Action.discard || (action === Options.Action.problemUnlessMulticast && toGroup)) {
    return drop(stack, pkt, 'ip6', 'badOptions');
  }
  stack.counters.ip6.badOptions++;
  icmp6Error(stack, pkt, Icmp6.Type.parameterProblem, Icmp6.ParameterProblem.option, option - pkt.ip);
  return DONE;
}

function optionProblem(stack: Stack, pkt: Packet, at: number): typeof DONE {
  stack.counters.ip6.badOptions++;
  return headerProblem(stack, pkt, at);
}
