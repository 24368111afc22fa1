/** What netstat calls next headers and ICMPv6 types in its histograms. KAME: inet6.c ip6nh[], icmp6names[]. */
import { Type } from '#stack/wire/icmp6.ts';
import { NextHeader } from '#stack/wire/next-header.ts';

const NEXT_HEADERS: Readonly<Record<number, string>> = {
  [NextHeader.hopByHop]: 'hop by hop',
  [NextHeader.icmp]: 'ICMP',
  [NextHeader.igmp]: 'IGMP',
  [NextHeader.ip4]: 'IP',
  [NextHeader.tcp]: 'TCP',
  [NextHeader.udp]: 'UDP',
  [NextHeader.ip6]: 'IP6',
  [NextHeader.routing]: 'routing',
  [NextHeader.fragment]: 'fragment',
  [NextHeader.rsvp]: 'RSVP',
  [NextHeader.gre]: 'GRE',
  [NextHeader.esp]: 'ESP',
  [NextHeader.ah]: 'AH',
  [NextHeader.icmp6]: 'ICMP6',
  [NextHeader.none]: 'no next header',
  [NextHeader.destinationOptions]: 'destination option',
  [NextHeader.ospf]: 'OSPF',
  [NextHeader.pim]: 'PIM',
  [NextHeader.ipcomp]: 'IPComp',
  [NextHeader.sctp]: 'SCTP',
  [NextHeader.mobility]: 'mobility',
};

const ICMP6_TYPES: Readonly<Record<number, string>> = {
  [Type.unreachable]: 'unreach',
  [Type.packetTooBig]: 'packet too big',
  [Type.timeExceeded]: 'time exceed',
  [Type.parameterProblem]: 'parameter problem',
  [Type.echoRequest]: 'echo',
  [Type.echoReply]: 'echo reply',
  [Type.mldQuery]: 'multicast listener query',
  [Type.mldReport]: 'multicast listener report',
  [Type.mldDone]: 'multicast listener done',
  [Type.routerSolicitation]: 'router solicitation',
  [Type.routerAdvertisement]: 'router advertisement',
  [Type.neighborSolicitation]: 'neighbor solicitation',
  [Type.neighborAdvertisement]: 'neighbor advertisement',
  [Type.redirect]: 'redirect',
  [Type.nodeInformationQuery]: 'node information request',
  [Type.nodeInformationReply]: 'node information reply',
  [Type.mld2Report]: 'multicast listener report v2',
};

export const nextHeaderName = (value: number): string => NEXT_HEADERS[value] ?? `#${value}`;
export const icmp6TypeName = (value: number): string => ICMP6_TYPES[value] ?? `#${value}`;
