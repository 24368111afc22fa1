/** A frame in the few words that fit on an arrow. */

import type { Decoded, DecodedIcmp6 } from '#stack/wire/decode.ts';
import { NextHeader } from '#stack/wire/next-header.ts';

export function frameLabel(decoded: Decoded): string {
  const label = upper(decoded);
  return decoded.malformed === undefined ? label : `${label} (malformed: ${decoded.malformed})`;
}

function upper(decoded: Decoded): string {
  const { ip6, ip4, arp, icmp6, icmp4, udp, tcp, fragment, inner, eth } = decoded;
  if (fragment !== undefined && (fragment.offset > 0 || fragment.more)) {
    const part = `fragment ${fragment.offset}${fragment.more ? '+' : ', last'}`;
    return fragment.offset === 0 && icmp6 !== undefined ? `${icmp6Label(icmp6)}, ${part}` : part;
  }
  if (icmp6 !== undefined) return icmp6Label(icmp6);
  if (icmp4 !== undefined) return `ICMPv4 type ${icmp4.type}${icmp4.echo ? ` seq ${icmp4.echo.seq}` : ''}`;
  if (udp !== undefined) return `UDP ${udp.srcPort} → ${udp.dstPort}`;
  if (tcp !== undefined) return `TCP ${tcp.srcPort} → ${tcp.dstPort}`;
  if (arp !== undefined) return arp.operation === 1 ? `ARP who has ${arp.target}` : `ARP ${arp.sender} is here`;
  if (inner !== undefined) return `tunnel: ${upper(inner)}`;
  if (ip6 !== undefined)
    return decoded.protocol === NextHeader.none
      ? 'no next header'
      : `next header ${decoded.protocol ?? ip6.nextHeader}`;
  if (ip4 !== undefined) return `IPv4 protocol ${ip4.protocol}`;
  return eth === undefined ? 'frame' : `type 0x${eth.type.toString(16).padStart(4, '0')}`;
}

/** As people say them; the names in the wire tables are for code. */
const NAMES: Readonly<Record<string, string>> = {
  unreachable: 'Unreachable',
  packetTooBig: 'Packet Too Big',
  timeExceeded: 'Time Exceeded',
  parameterProblem: 'Parameter Problem',
  echoRequest: 'echo request',
  echoReply: 'echo reply',
  mldQuery: 'MLD query',
  mldReport: 'MLD report',
  mldDone: 'MLD done',
  mld2Report: 'MLDv2 report',
  routerSolicitation: 'RS',
  routerAdvertisement: 'RA',
  neighborSolicitation: 'NS',
  neighborAdvertisement: 'NA',
  redirect: 'Redirect',
};

function icmp6Label(icmp6: DecodedIcmp6): string {
  const name = NAMES[icmp6.name] ?? `ICMPv6 type ${icmp6.type}`;
  switch (icmp6.name) {
    case 'unreachable':
    case 'timeExceeded':
    case 'parameterProblem':
      return `${name} code ${icmp6.code}`;
    case 'packetTooBig':
      return `${name} mtu ${icmp6.mtu}`;
    case 'echoRequest':
    case 'echoReply':
      return `${name} seq ${icmp6.echo?.seq}`;
    case 'neighborSolicitation':
      return `${name} ${icmp6.target}`;
    case 'neighborAdvertisement': {
      const flags = `${icmp6.router ? 'R' : ''}${icmp6.solicited ? 'S' : ''}${icmp6.override ? 'O' : ''}`;
      return `${name} ${icmp6.target}${flags === '' ? '' : ` [${flags}]`}`;
    }
    case 'redirect':
      return `${name} ${icmp6.destination}`;
    case 'mldQuery':
    case 'mldReport':
    case 'mldDone':
      return `${name} ${icmp6.mld?.group ?? ''}`.trimEnd();
    case 'mld2Report':
      return `${name} ${icmp6.mld?.records?.map((record) => record.group).join(' ') ?? ''}`.trimEnd();
    default:
      return name;
  }
}
