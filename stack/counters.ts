/**
 * Every counter of the stack: its name in code, and the sentence that `netstat -s` prints for it, in print order.
 * `{s}` stands for a plural s. Histograms by message type or next header stand beside them.
 *
 * KAME: struct ip6stat, icmp6stat, udp6stat, rip6stat, mld.
 */
export const text = {
  ip6: {
    received: 'total packet{s} received',
    tooSmall: 'packet{s} with size smaller than minimum',
    tooShort: 'packet{s} with data size < data length',
    badOptions: 'packet{s} with bad options',
    badVersion: 'packet{s} with incorrect version number',
    fragments: 'fragment{s} received',
    fragmentsDropped: 'fragment{s} dropped (dup or out of space)',
    fragmentsTimeout: 'fragment{s} dropped after timeout',
    fragmentsOverflow: 'fragment{s} that exceeded limit',
    fragmentsOverlap: 'fragment{s} dropped for overlap',
    fragmentsAtomic: 'atomic fragment{s} received',
    reassembled: 'packet{s} reassembled ok',
    delivered: 'packet{s} for this host',
    forwarded: 'packet{s} forwarded',
    cannotForward: 'packet{s} not forwardable',
    redirectSent: 'redirect{s} sent',
    localOut: 'packet{s} sent from this host',
    outDropped: 'output packet{s} dropped due to no bufs, etc.',
    noRoute: 'output packet{s} discarded due to no route',
    fragmented: 'output datagram{s} fragmented',
    fragmentsCreated: 'fragment{s} created',
    cannotFragment: "datagram{s} that can't be fragmented",
    badScope: 'packet{s} that violated scope rules',
    notMember: "multicast packet{s} which we don't join",
    headersTooLong: 'packet{s} whose headers are not continuous',
    tooManyHeaders: 'packet{s} discarded due to too many headers',
    routingHeaderRefused: 'packet{s} with a routing header refused',
    disabled: 'packet{s} dropped on a disabled interface',
    tentative: 'packet{s} for a tentative or duplicated address',
    badAddress: 'packet{s} with addresses that must not be on the wire',
    notForUs: 'packet{s} for other hosts on a host',
    noSource: 'failure{s} of source address selection',
    noProtocol: 'packet{s} for an unknown protocol',
    internalError: 'packet{s} dropped by an internal error',
  },
  icmp6: {
    errors: 'call{s} to icmp6_error',
    cannotError: 'error{s} not generated in response to an icmp6 message or so',
    tooFrequent: 'error{s} not generated because of rate limitation',
    badCode: 'message{s} with bad code fields',
    tooShort: 'message{s} < minimum length',
    badChecksum: 'bad checksum{s}',
    badLength: 'message{s} with bad length',
    reflected: 'message response{s} generated',
    unknownType: 'message{s} of unknown type',
    tooManyOptions: 'message{s} with too many ND options',
    badOptions: 'message{s} with bad ND options',
    badNeighborSolicitation: 'bad neighbor solicitation message{s}',
    badNeighborAdvertisement: 'bad neighbor advertisement message{s}',
    badRouterSolicitation: 'bad router solicitation message{s}',
    badRouterAdvertisement: 'bad router advertisement message{s}',
    badRedirect: 'bad redirect message{s}',
    pathMtuChanges: 'path MTU change{s}',
    outNoRoute: 'no route',
    outProhibited: 'administratively prohibited',
    outBeyondScope: 'beyond scope',
    outAddressUnreachable: 'address unreachable',
    outPortUnreachable: 'port unreachable',
    outPacketTooBig: 'packet too big',
    outTimeTransit: 'time exceed transit',
    outTimeReassembly: 'time exceed reassembly',
    outBadHeader: 'erroneous header field',
    outBadNextHeader: 'unrecognized next header',
    outBadOption: 'unrecognized option',
    outRedirect: 'redirect',
    outUnknown: 'unknown',
  },
  nd6: {
    solicitationsSent: 'neighbor solicitation{s} sent',
    solicitationsReceived: 'neighbor solicitation{s} received',
    advertisementsSent: 'neighbor advertisement{s} sent',
    advertisementsReceived: 'neighbor advertisement{s} received',
    dadStarted: 'duplicate address detection{s} started',
    dadDuplicate: 'duplicate address{es} found',
    heldDropped: 'packet{s} dropped while waiting for address resolution',
    unresolved: 'packet{s} returned as their neighbor did not answer',
    cacheFull: 'packet{s} dropped as the neighbor cache is full',
    cacheEvicted: 'neighbor cache entr{ies} removed to make room',
    hintsTaken: 'upper-layer reachability hint{s} taken',
    hintsIgnored: 'upper-layer reachability hint{s} ignored',
    ownEcho: 'own message{s} looped back by the link',
  },
  mld6: {
    queriesReceived: 'quer{ies} received',
    badQueries: 'quer{ies} received with invalid fields',
    reportsReceived: 'report{s} received',
    badReports: 'report{s} received with invalid fields',
    reportsSent: 'report{s} sent',
    donesSent: 'done{s} sent',
  },
  udp6: {
    received: 'datagram{s} received',
    tooShort: 'datagram{s} with incomplete header',
    badLength: 'datagram{s} with bad data length field',
    badChecksum: 'datagram{s} with bad checksum',
    noChecksum: 'datagram{s} with no checksum',
    noPort: 'datagram{s} dropped due to no socket',
    noPortMulticast: 'multicast datagram{s} dropped due to no socket',
    fullSocket: 'datagram{s} dropped due to full socket buffers',
    delivered: 'datagram{s} delivered',
    sent: 'datagram{s} output',
  },
  rip6: {
    received: 'message{s} received',
    badChecksum: 'message{s} with bad checksum',
    noSocket: 'message{s} dropped due to no socket',
    fullSocket: 'message{s} dropped due to full socket buffers',
    delivered: 'message{s} delivered',
    sent: 'datagram{s} output',
  },
} as const;

export type Protocol = keyof typeof text;
export type CounterName<P extends Protocol> = keyof (typeof text)[P] & string;
export type Counters = { [P in Protocol]: { -readonly [C in keyof (typeof text)[P]]: number } };

/** Plain numbers on one object a stack: 2^53 is enough. */
export function newCounters(): Counters {
  const counters: Record<string, Record<string, number>> = {};
  for (const [protocol, sentences] of Object.entries(text)) {
    counters[protocol] = Object.fromEntries(Object.keys(sentences).map((name) => [name, 0]));
  }
  return counters as Counters;
}

/** Counts by ICMPv6 type or by next header, 256 wide. */
export interface Histograms {
  readonly ip6NextHeader: Float64Array;
  readonly icmp6In: Float64Array;
  readonly icmp6Out: Float64Array;
}

export function newHistograms(): Histograms {
  return {
    ip6NextHeader: new Float64Array(256),
    icmp6In: new Float64Array(256),
    icmp6Out: new Float64Array(256),
  };
}

/** `1 packet forwarded`, `2 packets forwarded`. */
export function sentence(count: number, template: string): string {
  const one = count === 1;
  return `${count} ${template
    .replace('{s}', one ? '' : 's')
    .replace('{es}', one ? '' : 'es')
    .replace('{ies}', one ? 'y' : 'ies')}`;
}
