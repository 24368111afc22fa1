/**
 * ICMPv6 errors on their way to the sockets whose packets they are about. KAME: icmp6_notify_error, in6_pcbnotify, inet6ctlerrmap.
 */
import { upperLayer } from '../ip6/header-chain.ts';
import { zoneOf } from '../ip6/scope.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import { NextHeader } from '../wire/next-header.ts';
import * as Udp from '../wire/udp.ts';
import { endpoint } from './datagram.ts';
import type { SocketErrno, SocketErrorReport } from './socket.ts';

/**
 * An ICMPv6 error came in: `pkt.at` at its header, checksum good, the packet that it is about follows 8 bytes behind (40 of them
 * are there). Tells the sockets that sent that packet; true if one of them is connected to just that destination, which vouches for
 * the error (RFC 8201 4). The packet is only lent.
 */
export function notifyError(stack: Stack, pkt: Packet): boolean {
  const { view, at, tail } = pkt;
  const ifp = stack.interfaces[pkt.receivedOn];
  const quoted = at + Icmp6.HEADER;
  if (ifp === undefined || quoted + Ip6.LENGTH > tail) return false;
  const source = quoted + Ip6.SOURCE;
  if (stack.addresses.get(view, source, zoneOf(ifp, view, source)) === undefined) return false;
  const { protocol, at: upperAt, inner } = upperLayer(view, quoted, tail);
  if (protocol !== NextHeader.udp) {
    for (const socket of stack.raw.of(protocol)) socket.onError?.(report(stack, pkt));
    return false;
  }
  // a later fragment has no ports, and a short quote may lack them
  if (inner || upperAt + 4 > tail) return false;
  const destination = quoted + Ip6.DESTINATION;
  const remotePort = Udp.destinationPort(view, upperAt);
  let vouched = false;
  for (const socket of stack.udp.on(Udp.sourcePort(view, upperAt))) {
    // as for an answer: from where it was sent to, to where it came from
    if (socket.fits(ifp, view, destination, remotePort, source) < 0) continue;
    if (socket.remote !== undefined) vouched = true;
    socket.onError?.(report(stack, pkt));
  }
  return vouched;
}

function report(stack: Stack, pkt: Packet): SocketErrorReport {
  const { view, at, ip } = pkt;
  const type = Icmp6.type(view, at);
  const icmpCode = Icmp6.code(view, at);
  return {
    code: errnoOf(type, icmpCode),
    from: endpoint(stack.interfaces[pkt.receivedOn]!, view, ip + Ip6.SOURCE),
    type,
    icmpCode,
    parameter: Icmp6.mtu(view, at),
    quoted: pkt.bytes.slice(at + Icmp6.HEADER, pkt.tail),
  };
}

function errnoOf(type: number, code: number): SocketErrno {
  switch (type) {
    case Icmp6.Type.unreachable:
      if (code === Icmp6.Unreachable.port || code === Icmp6.Unreachable.prohibited) return 'ECONNREFUSED';
      return code === Icmp6.Unreachable.address ? 'EHOSTDOWN' : 'EHOSTUNREACH';
    case Icmp6.Type.packetTooBig:
      return 'EMSGSIZE';
    case Icmp6.Type.parameterProblem:
      return code === Icmp6.ParameterProblem.nextHeader ? 'ECONNREFUSED' : 'ENOPROTOOPT';
    default:
      return 'EHOSTUNREACH';
  }
}
