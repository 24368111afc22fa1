/**
 * ICMPv6 comes in (RFC 4443): checked, counted, handed to whom it is for, then to raw sockets. KAME: icmp6_input.
 */
import { DONE, drop } from '../drop.ts';
import { mldInput } from '../mld/input.ts';
import { naInput } from '../nd6/advertisement.ts';
import { redirectInput } from '../nd6/redirect.ts';
import { raInput, rsInput } from '../nd6/router-messages.ts';
import { nsInput } from '../nd6/solicitation.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import { notifyError } from '../transport/errors.ts';
import { rawInput } from '../transport/raw.ts';
import * as Address from '../wire/address.ts';
import { transport6, update } from '../wire/checksum.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import { NextHeader } from '../wire/next-header.ts';
import * as Udp from '../wire/udp.ts';
import { upperLayer } from './header-chain.ts';
import { ip6Output } from './output.ts';
import { zoneOf } from './scope.ts';
import { selectSource } from './source-address.ts';

const { Type } = Icmp6;

export function icmp6Input(stack: Stack, pkt: Packet): number {
  const { view, ip, at } = pkt;
  const length = pkt.tail - at;
  if (length < Icmp6.LENGTH) return drop(stack, pkt, 'icmp6', 'tooShort');
  if (pkt.checksum === 'unknown' && transport6(view, ip, at, length, NextHeader.icmp6) !== 0) {
    return drop(stack, pkt, 'icmp6', 'badChecksum');
  }
  const type = Icmp6.type(view, at);
  stack.histograms.icmp6In[type]!++;
  // every message we know has 8 bytes at least
  if (length < Icmp6.HEADER && isKnown(type)) return drop(stack, pkt, 'icmp6', 'tooShort');
  if (!process(stack, pkt, type)) {
    pkt.give();
    return DONE;
  }
  rawInput(stack, pkt, NextHeader.icmp6);
  if (type === Type.echoRequest) echo(stack, pkt);
  else pkt.give();
  return DONE;
}

function isKnown(type: number): boolean {
  return (
    (type >= Type.unreachable && type <= Type.parameterProblem) || (type >= Type.echoRequest && type <= Type.redirect)
  );
}

/** Whoever the message is for looks at it; false if it was invalid, and counted: then raw sockets don't see it. */
function process(stack: Stack, pkt: Packet, type: number): boolean {
  switch (type) {
    case Type.unreachable:
    case Type.packetTooBig:
    case Type.timeExceeded:
    case Type.parameterProblem:
      return errorInput(stack, pkt, type);
    case Type.echoRequest:
    case Type.echoReply:
      return hasCodeZero(stack, pkt);
    case Type.mldQuery:
    case Type.mldReport:
    case Type.mldDone:
      return mldInput(stack, pkt);
    case Type.routerSolicitation:
      return rsInput(stack, pkt);
    case Type.routerAdvertisement:
      return raInput(stack, pkt);
    case Type.neighborSolicitation:
      return nsInput(stack, pkt);
    case Type.neighborAdvertisement:
      return naInput(stack, pkt);
    case Type.redirect:
      return redirectInput(stack, pkt);
    default:
      stack.counters.icmp6.unknownType++;
      // RFC 4443 2.4: an unknown error is the upper layer's affair, anything else nobody's but a raw socket's
      if (Icmp6.isErrorType(type) && quotes(pkt)) notifyError(stack, pkt);
      return true;
  }
}

function hasCodeZero(stack: Stack, pkt: Packet): boolean {
  if (Icmp6.code(pkt.view, pkt.at) === 0) return true;
  return refuse(stack, pkt, 'badCode');
}

/** RFC 4443 3: what we sent met trouble. */
function errorInput(stack: Stack, pkt: Packet, type: number): boolean {
  if (!quotes(pkt)) return refuse(stack, pkt, 'tooShort');
  if (Icmp6.code(pkt.view, pkt.at) > lastCode(type)) stack.counters.icmp6.badCode++;
  const validated = notifyError(stack, pkt);
  if (type === Type.packetTooBig) tooBig(stack, pkt, validated);
  return true;
}

/** At least the IPv6 header of the packet in question is there. */
function quotes(pkt: Packet): boolean {
  const quoted = pkt.at + Icmp6.HEADER;
  return quoted + Ip6.LENGTH <= pkt.tail && Ip6.version(pkt.view, quoted) === 6;
}

/** The highest code known of an error. An unknown one is passed on all the same; Packet Too Big's is ignored (RFC 4443 3.2). */
function lastCode(type: number): number {
  switch (type) {
    case Type.unreachable:
      return Icmp6.Unreachable.rejectRoute;
    case Type.timeExceeded:
      return Icmp6.TimeExceeded.reassembly;
    case Type.parameterProblem:
      return Icmp6.ParameterProblem.firstFragment;
    default:
      return 255;
  }
}

/** RFC 8201 4: of a packet that we can have sent, by a destination that it can have had. KAME: icmp6_mtudisc_update. */
function tooBig(stack: Stack, pkt: Packet, validated: boolean): void {
  const { view } = pkt;
  const quoted = pkt.at + Icmp6.HEADER;
  const ifp = stack.interfaces[pkt.receivedOn];
  if (ifp === undefined) return;
  const source = quoted + Ip6.SOURCE;
  const destination = quoted + Ip6.DESTINATION;
  if (stack.addresses.get(view, source, zoneOf(ifp, view, source)) === undefined) return;
  if (Address.isUnspecified(view, destination) || Address.isMulticast(view, destination)) return;
  if (!validated && !mayBeOurs(stack, view, quoted, pkt.tail)) return;
  const zone = zoneOf(ifp, view, destination);
  const route = stack.routes.lookup(view, destination, zone);
  const mtu = Icmp6.mtu(view, pkt.at);
  if (route === undefined || mtu >= route.interface.linkMtu) return;
  stack.pathMtu.learn(view, destination, zone, mtu, validated);
}

/**
 * Does anything here speak the protocol of the quoted packet, or own its port? What nobody can have sent is forged (RFC 8201 4).
 * Echo replies are the node's own, so ICMPv6 always may be.
 */
function mayBeOurs(stack: Stack, view: DataView, quoted: number, end: number): boolean {
  const { protocol, at, inner } = upperLayer(view, quoted, end);
  if (protocol === NextHeader.icmp6) return true;
  if (protocol !== NextHeader.udp) return stack.raw.of(protocol).length > 0;
  // a later fragment has no ports
  return inner || at + Udp.LENGTH > end || stack.udp.on(Udp.sourcePort(view, at)).length > 0;
}

function refuse(stack: Stack, pkt: Packet, counter: 'badCode' | 'tooShort'): false {
  stack.counters.icmp6[counter]++;
  stack.trace?.dropped(pkt, 'icmp6', counter);
  return false;
}

/**
 * The request becomes the reply, in its own buffer: from the address that was asked, or for a group or an anycast address
 * from the one we would choose (RFC 4443 4.2). Extension headers are left behind. KAME: icmp6_reflect.
 */
function echo(stack: Stack, pkt: Packet): void {
  const { view, at } = pkt;
  const ifp = stack.interfaces[pkt.receivedOn]!;
  const asker = pkt.ip + Ip6.SOURCE;
  const asked = pkt.ip + Ip6.DESTINATION;
  const scoped = Address.isLinkScoped(view, asker) ? { interface: ifp } : undefined;
  if (Address.isMulticast(view, asked) || pkt.anycast) {
    const chosen = selectSource(stack, view, asker, scoped);
    if (typeof chosen === 'string') {
      drop(stack, pkt, 'icmp6', 'cannotError');
      return;
    }
    Address.set(view, asked, chosen.address);
    pkt.checksum = 'unfinished';
  }
  swap(view, asker, asked);
  const head = at - Ip6.LENGTH;
  if (head !== pkt.ip) pkt.bytes.copyWithin(head, pkt.ip, pkt.ip + Ip6.LENGTH);
  const { hlim } = stack.sysctl.ip6;
  Ip6.write(view, head, 0, NextHeader.icmp6, ifp.nd.hopLimit || hlim);
  // type 128 becomes 129 and the addresses change places: the sum grows by 0x0100, unless an address is new
  if (pkt.checksum === 'unfinished') {
    Icmp6.write(view, at, Type.echoReply, 0, view.getUint32(at + 4));
    Icmp6.setChecksum(view, at, transport6(view, head, at, pkt.tail - at, NextHeader.icmp6));
  } else {
    view.setUint8(at, Type.echoReply);
    Icmp6.setChecksum(view, at, update(Icmp6.checksum(view, at), Type.echoRequest << 8, Type.echoReply << 8));
  }
  pkt.head = head;
  pkt.forget();
  stack.counters.icmp6.reflected++;
  stack.histograms.icmp6Out[Type.echoReply]!++;
  ip6Output(stack, pkt, scoped);
}

function swap(view: DataView, a: number, b: number): void {
  for (let word = 0; word < 16; word += 4) {
    const value = view.getInt32(a + word);
    view.setInt32(a + word, view.getInt32(b + word));
    view.setInt32(b + word, value);
  }
}
