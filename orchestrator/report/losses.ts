/** Counters that tell of lost packets and refused messages, among all that nodes count; and their words. */
import { kameLosses } from '#node/losses.ts';
import type { MetricsSample, NodeSample } from '../metrics.ts';

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

const WORDS: ReadonlyMap<string, string> = new Map([...kameLosses, ...Object.entries(LINUX)]);

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
