/**
 * What every Neighbor Discovery message must satisfy (RFC 4861 6.1, 7.1, 8.1; RFC 6980), and what becomes of those that don't: counted,
 * traced, and with `nd6_debug` told in one line, at most one of a kind in `log_interval` seconds. KAME: nd6_option, nd6log.
 */
import type { CounterName } from '../counters.ts';
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as Nd from '../wire/nd.ts';

export type BadMessage = CounterName<'icmp6'>;

/** The packet is invalid; it stays the caller's. Always false, so that a check ends with `return refuse(...)`. */
export function refuse(stack: Stack, pkt: Packet, counter: BadMessage, why: string): false {
  stack.counters.icmp6[counter]++;
  stack.trace?.dropped(pkt, 'icmp6', counter);
  if (stack.sysctl.icmp6.nd6_debug !== 0) complain(stack, pkt, counter, why);
  return false;
}

function complain(stack: Stack, pkt: Packet, counter: BadMessage, why: string): void {
  const source = Address.formatAddress(pkt.bytes, pkt.ip + Ip6.SOURCE);
  const name = stack.interfaces[pkt.receivedOn]?.name;
  stack.ndLog.tell(stack, counter, `nd6: ${why}, from ${source} on ${name}`);
}

/** Keeps a flood of bad messages from becoming a flood of lines. */
export class NdLog {
  readonly #last = new Map<BadMessage, number>();

  tell(stack: Stack, kind: BadMessage, message: string): void {
    const { now } = stack.clock;
    const last = this.#last.get(kind) ?? Number.NEGATIVE_INFINITY;
    if (now - last < stack.sysctl.ip6.log_interval * 1000) return;
    this.#last.set(kind, now);
    stack.trace?.event({ type: 'log', message });
  }
}

/** Hop limit, fragments, code, length, options: those behind the first `length` bytes can be walked if this is true. */
export function isValid(stack: Stack, pkt: Packet, length: number, counter: BadMessage): boolean {
  const { view, ip, at, tail } = pkt;
  // it crossed a router, so its sender is not on this link
  if (Ip6.hopLimit(view, ip) !== Nd.HOP_LIMIT) return refuse(stack, pkt, counter, 'hop limit is not 255');
  if (pkt.reassembled) return refuse(stack, pkt, counter, 'fragmented');
  if (Icmp6.code(view, at) !== 0) return refuse(stack, pkt, counter, 'code is not 0');
  if (tail - at < length) return refuse(stack, pkt, 'badLength', 'too short');
  if (!Nd.optionsValid(view, at + length, tail)) return refuse(stack, pkt, 'badOptions', 'empty or cut option');
  return true;
}

/** Where an option of valid ones lies, -1 without it. Only the first `nd6_maxndopt` are looked at (ND-11). */
export function findOption(stack: Stack, pkt: Packet, from: number, type: Nd.OptionType): number {
  return Nd.findOption(pkt.view, pkt.at + from, pkt.tail, type, stack.sysctl.icmp6.nd6_maxndopt);
}

/** Once a message: more options than are looked at. KAME: the loop limit of nd6_options. */
export function countOptions(stack: Stack, pkt: Packet, from: number): void {
  const { view, tail } = pkt;
  let left = stack.sysctl.icmp6.nd6_maxndopt;
  for (let at = pkt.at + from; at < tail; at += Nd.optionLength(view, at)) if (left-- === 0) break;
  if (left >= 0) return;
  stack.counters.icmp6.tooManyOptions++;
  if (stack.sysctl.icmp6.nd6_debug !== 0) complain(stack, pkt, 'tooManyOptions', 'too many options');
}

/** Whether the link-layer option at `option` (-1: none) has this link's length. */
export function linkLayerFits(ifp: Interface, pkt: Packet, option: number): boolean {
  return option < 0 || ifp.mac === undefined || Nd.optionLength(pkt.view, option) === 8;
}

/** The address in a link-layer option, lent; undefined without the option or on links that have none. */
export function linkLayerOf(ifp: Interface, pkt: Packet, option: number): Uint8Array | undefined {
  if (option < 0 || ifp.mac === undefined) return undefined;
  return pkt.bytes.subarray(option + Nd.LINK_LAYER, option + Nd.LINK_LAYER + 6);
}
