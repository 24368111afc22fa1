/**
 * ICMPv6 errors as they go out, RFC 4443 2.4 and 3: when there must be none, both rate limits, as much of the packet as fits.
 * KAME: icmp6_error, icmp6_ratelimit.
 */
import { DONE, drop } from '../drop.ts';
import { finishChecksum } from '../link/offload.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import { NextHeader } from '../wire/next-header.ts';
import { isErrorOrRedirect } from './header-chain.ts';
import { icmp6Output } from './icmp6-output.ts';
import { zoneOf } from './scope.ts';
import { selectSource } from './source-address.ts';

/** Both limits on ICMPv6 errors sent: an interval (`errratelimit`) and packets a second (`errppslimit`). Redirects count, too. */
export class ErrorRate {
  readonly stack: Stack;
  #last = Number.NEGATIVE_INFINITY;
  #second = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(stack: Stack) {
    this.stack = stack;
  }

  /** May another one go out now? If so it is counted. */
  allows(): boolean {
    const { errratelimit, errppslimit } = this.stack.sysctl.icmp6;
    const { now } = this.stack.clock;
    if (errratelimit > 0 && now - this.#last < errratelimit / 1000) return false;
    if (errppslimit >= 0) {
      if (now - this.#second >= 1000) {
        this.#second = now;
        this.#count = 0;
      }
      if (this.#count >= errppslimit) return false;
      this.#count++;
    }
    this.#last = now;
    return true;
  }
}

/**
 * Answer a packet (taken: `pkt.ip` at its IPv6 header) with an ICMPv6 error, unless RFC 4443 2.4(e) or a limit forbids.
 * `parameter`: the MTU or the pointer. The packet is given back. KAME: icmp6_error.
 */
export function icmp6Error(stack: Stack, pkt: Packet, type: number, code: number, parameter = 0): void {
  stack.counters.icmp6.errors++;
  countKind(stack, type, code);
  if (!mayBeAnswered(stack, pkt, type, code)) {
    drop(stack, pkt, 'icmp6', 'cannotError');
    return;
  }
  if (!stack.errorRate.allows()) {
    drop(stack, pkt, 'icmp6', 'tooFrequent');
    return;
  }
  const ifp = stack.interfaces[pkt.receivedOn];
  const source = errorSource(stack, pkt);
  if (source === undefined) {
    drop(stack, pkt, 'icmp6', 'cannotError');
    return;
  }

  // quoted as it is on the wire, not as a link with offload handed it over
  if (pkt.segmentKind === 'none') finishChecksum(pkt);
  const quoted = Math.min(pkt.tail - pkt.ip, Ip6.MINIMUM_MTU - Ip6.LENGTH - Icmp6.HEADER);
  const error = stack.pool.take(Ip6.MINIMUM_MTU);
  const { view, head } = error;
  const message = head + Ip6.LENGTH;
  error.tail = message + Icmp6.HEADER + quoted;
  Ip6.write(view, head, 0, NextHeader.icmp6, ifp?.nd.hopLimit || stack.sysctl.ip6.hlim);
  Address.set(view, head + Ip6.SOURCE, source);
  Address.copy(pkt.view, pkt.ip + Ip6.SOURCE, view, head + Ip6.DESTINATION);
  Icmp6.write(view, message, type, code, parameter);
  error.bytes.set(pkt.bytes.subarray(pkt.ip, pkt.ip + quoted), message + Icmp6.HEADER);
  pkt.give();
  const scoped = Address.isLinkScoped(view, head + Ip6.DESTINATION);
  icmp6Output(stack, error, message, scoped && ifp !== undefined ? { interface: ifp } : {});
}

/** Parameter Problem code 0 about the byte at `at` (an absolute offset). */
export function headerProblem(stack: Stack, pkt: Packet, at: number): typeof DONE {
  icmp6Error(stack, pkt, Icmp6.Type.parameterProblem, Icmp6.ParameterProblem.header, at - pkt.ip);
  return DONE;
}

/** RFC 4443 2.4(e). */
function mayBeAnswered(stack: Stack, pkt: Packet, type: number, code: number): boolean {
  const { view, ip } = pkt;
  // a first fragment that ends before its upper layer shows no type, and is not what an error would look like (RFC 7112 5)
  const headless = type === Icmp6.Type.parameterProblem && code === Icmp6.ParameterProblem.firstFragment;
  if (!headless && isErrorOrRedirect(view, ip, pkt.tail)) return false;
  if (pkt.linkMulticast || Address.isMulticast(view, ip + Ip6.DESTINATION)) {
    const forGroups =
      type === Icmp6.Type.packetTooBig ||
      (type === Icmp6.Type.parameterProblem && code === Icmp6.ParameterProblem.option);
    if (!forGroups) return false;
  }
  const source = ip + Ip6.SOURCE;
  if (Address.isUnspecified(view, source) || Address.isMulticast(view, source)) return false;
  return stack.addresses.get(view, source, sourceZone(stack, pkt))?.anycast !== true;
}

function sourceZone(stack: Stack, pkt: Packet): number {
  const ifp = stack.interfaces[pkt.receivedOn];
  return ifp === undefined ? 0 : zoneOf(ifp, pkt.view, pkt.ip + Ip6.SOURCE);
}

/** RFC 4443 2.2: the address that was asked, if it is ours and may be a source; else what we would send to that node with. */
function errorSource(stack: Stack, pkt: Packet): Uint8Array | undefined {
  const { view, ip } = pkt;
  const ifp = stack.interfaces[pkt.receivedOn];
  const asked = ip + Ip6.DESTINATION;
  const own = stack.addresses.get(view, asked, ifp === undefined ? 0 : zoneOf(ifp, view, asked));
  if (own?.usable && !own.anycast) return own.address;
  const scoped = ifp !== undefined && Address.isLinkScoped(view, ip + Ip6.SOURCE);
  const chosen = selectSource(stack, view, ip + Ip6.SOURCE, scoped ? { interface: ifp } : {});
  return typeof chosen === 'string' ? undefined : chosen.address;
}

/** `netstat -s` splits the calls by kind. KAME: icmp6_errcount. */
function countKind(stack: Stack, type: number, code: number): void {
  const counters = stack.counters.icmp6;
  switch (type) {
    case Icmp6.Type.unreachable:
      if (code === Icmp6.Unreachable.noRoute) counters.outNoRoute++;
      else if (code === Icmp6.Unreachable.prohibited) counters.outProhibited++;
      else if (code === Icmp6.Unreachable.beyondScope) counters.outBeyondScope++;
      else if (code === Icmp6.Unreachable.address) counters.outAddressUnreachable++;
      else if (code === Icmp6.Unreachable.port) counters.outPortUnreachable++;
      else counters.outUnknown++;
      return;
    case Icmp6.Type.packetTooBig:
      counters.outPacketTooBig++;
      return;
    case Icmp6.Type.timeExceeded:
      if (code === Icmp6.TimeExceeded.hopLimit) counters.outTimeTransit++;
      else counters.outTimeReassembly++;
      return;
    case Icmp6.Type.parameterProblem:
      if (code === Icmp6.ParameterProblem.header) counters.outBadHeader++;
      else if (code === Icmp6.ParameterProblem.nextHeader) counters.outBadNextHeader++;
      else if (code === Icmp6.ParameterProblem.option) counters.outBadOption++;
      else counters.outUnknown++;
      return;
    default:
      counters.outUnknown++;
  }
}
