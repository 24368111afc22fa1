/** Counters that tell of lost packets and refused messages, among all that nodes count; and their words. */
import { type CounterName, type Protocol, text } from '#stack/counters.ts';
import type { MetricsSample, NodeSample } from '../metrics.ts';

const KAME: { readonly [P in Protocol]: readonly CounterName<P>[] } = {
  ip6: [
    'tooSmall',
    'tooShort',
    'badOptions',
    'badVersion',
    'fragmentsDropped',
    'fragmentsTimeout',
    'fragmentsOverflow',
    'fragmentsOverlap',
    'cannotForward',
    'outDropped',
    'noRoute',
    'cannotFragment',
    'badScope',
    'notMember',
    'headersTooLong',
    'tooManyHeaders',
    'routingHeaderRefused',
    'disabled',
    'tentative',
    'badAddress',
    'notForUs',
    'noProtocol',
    'internalError',
  ],
  icmp6: [
    'cannotError',
    'tooFrequent',
    'badCode',
    'tooShort',
    'badChecksum',
    'badLength',
    'unknownType',
    'tooManyOptions',
    'badOptions',
    'badNeighborSolicitation',
    'badNeighborAdvertisement',
    'badRouterSolicitation',
    'badRouterAdvertisement',
    'badRedirect',
  ],
  nd6: ['heldDropped', 'unresolved', 'cacheFull'],
  mld6: ['badQueries', 'badReports'],
  udp6: ['tooShort', 'badLength', 'badChecksum', 'noChecksum', 'noPort', 'noPortMulticast', 'fullSocket'],
  rip6: ['badChecksum', 'noSocket', 'fullSocket'],
};

/** Of /proc/net/snmp6. RFC 4293, where it names them. */
const LINUX: Readonly<Record<string, string>> = {
  Ip6InHdrErrors: 'packets with errors in their headers',
  Ip6InTooBigErrors: 'packets too big to be forwarded',
  Ip6InNoRoutes: 'packets received without a route',
  Ip6InAddrErrors: 'packets with addresses that are not valid here',
  Ip6InUnknownProtos: 'packets for an unknown protocol',
  Ip6InTruncatedPkts: 'packets cut short',
  Ip6InDiscards: 'packets received and dropped',
  Ip6OutDiscards: 'output packets dropped',
  Ip6OutNoRoutes: 'output packets discarded due to no route',
  Ip6ReasmTimeout: 'reassemblies that timed out',
  Ip6ReasmFails: 'reassemblies that failed',
  Ip6FragFails: "packets that can't be fragmented",
  Icmp6InErrors: 'ICMPv6 messages with errors',
  Icmp6InCsumErrors: 'ICMPv6 messages with bad checksums',
  Icmp6OutRateLimitHost: 'ICMPv6 errors not sent because of rate limitation',
  Udp6NoPorts: 'datagrams dropped due to no socket',
  Udp6InErrors: 'datagrams dropped with an error',
  Udp6RcvbufErrors: 'datagrams dropped due to full socket buffers',
  Udp6InCsumErrors: 'datagrams with bad checksums',
};

const WORDS = new Map<string, string>([
  ...Object.entries(KAME).flatMap(([protocol, names]) =>
    names.map((name): [string, string] => {
      const sentences: Readonly<Record<string, string>> = text[protocol as keyof typeof text];
      return [`${protocol}.${name}`, sentences[name]!.replace('{s}', 's').replace('{ies}', 'ies')];
    }),
  ),
  ...Object.entries(LINUX),
]);

/** Names of counters as samples have them. */
export const lossCounters: ReadonlySet<string> = new Set(WORDS.keys());

export interface Loss {
  readonly node: string;
  readonly counter: string;
  readonly words: string;
  readonly count: number;
}

/** What was lost from the first sample to the last of each node, the most first. */
export function losses(samples: readonly MetricsSample[]): Loss[] {
  const found: Loss[] = [];
  for (const node of nodesOf(samples)) {
    const told = samples.flatMap(({ nodes }): NodeSample[] =>
      nodes[node]?.counters === undefined ? [] : [nodes[node]],
    );
    const [before, after] = [told[0]?.counters ?? {}, told.at(-1)?.counters ?? {}];
    for (const [counter, words] of WORDS) {
      const count = (after[counter] ?? 0) - (before[counter] ?? 0);
      if (count > 0) found.push({ node, counter, words, count });
    }
  }
  return found.sort((a, b) => b.count - a.count || a.node.localeCompare(b.node));
}

/** As people sort them: n2 before n10. */
export const nodesOf = (samples: readonly MetricsSample[]): string[] =>
  [...new Set(samples.flatMap(({ nodes }) => Object.keys(nodes)))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
