/**
 * Next header numbers, RFC 8200 §4 and IANA's protocol numbers. KAME: IPPROTO_*.
 */
export const NextHeader = {
  hopByHop: 0,
  icmp: 1,
  igmp: 2,
  ip4: 4,
  tcp: 6,
  udp: 17,
  ip6: 41,
  routing: 43,
  fragment: 44,
  rsvp: 46,
  gre: 47,
  esp: 50,
  ah: 51,
  icmp6: 58,
  none: 59,
  destinationOptions: 60,
  ospf: 89,
  pim: 103,
  ipcomp: 108,
  sctp: 132,
  mobility: 135,
} as const;
export type NextHeader = (typeof NextHeader)[keyof typeof NextHeader];
