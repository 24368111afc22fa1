/**
 * A node as Prometheus text: every counter of stack/counters.ts under its name, `kame_ip6_bad_scope_total` of `badScope`, with
 * the words of `netstat -s`; interfaces, neighbors, and what its queues hold. ST-06.
 */
import { text } from '#stack/counters.ts';
import { type Family, type Sample, single } from './exposition.ts';
import type { Kernel, NeighborState } from './system.ts';

/** What the stack holds beyond what its programs see. */
export interface Holdings {
  /** Packets taken from the pool and not given back. */
  readonly outstanding: number;
  /** Packets that wait, by queue. */
  readonly held: Readonly<Record<string, number>>;
}

const INTERFACE_COUNTERS = [
  ['in_packets', 'inPackets', 'Packets received.'],
  ['in_bytes', 'inBytes', 'Bytes received.'],
  ['in_multicast', 'inMulticast', 'Multicast packets received.'],
  ['in_errors', 'inErrors', 'Packets received that could not be read.'],
  ['in_dropped', 'inDropped', 'Packets received that were for nobody here.'],
  ['out_packets', 'outPackets', 'Packets sent.'],
  ['out_bytes', 'outBytes', 'Bytes sent.'],
  ['out_multicast', 'outMulticast', 'Multicast packets sent.'],
  ['out_errors', 'outErrors', 'Packets that the link did not take.'],
] as const;

const STATES: readonly NeighborState[] = ['incomplete', 'reachable', 'stale', 'delay', 'probe', 'static'];
const ADDRESS_STATES = ['tentative', 'preferred', 'deprecated', 'duplicated'] as const;

export function metrics(kernel: Kernel, holdings: Holdings): Family[] {
  return [...counters(kernel), ...histograms(kernel), ...interfaces(kernel), ...tables(kernel), ...held(holdings)];
}

/** `kame_ip6_bad_scope_total` */
export const counterName = (protocol: string, counter: string): string =>
  `kame_${protocol}_${counter.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`;

const counters = (kernel: Kernel): Family[] =>
  Object.entries(text).flatMap(([protocol, sentences]) => {
    const values: Readonly<Record<string, number>> = kernel.counters[protocol as keyof typeof text];
    return Object.entries<string>(sentences).map(([name, sentence]) =>
      single(counterName(protocol, name), 'counter', helpOf(protocol, sentence), values[name]!),
    );
  });

function helpOf(protocol: string, sentence: string): string {
  const words = sentence.replace('{s}', 's').replace('{es}', 'es').replace('{ies}', 'ies');
  return `${protocol}: ${words}${words.endsWith('.') ? '' : '.'}`;
}

/** By number; those that never occurred are left out. */
function histograms({ histograms }: Kernel): Family[] {
  const samples = (counts: Float64Array, label: string): Sample[] =>
    [...counts.entries()].flatMap(([number, value]) =>
      value > 0 ? [{ labels: { [label]: `${number}` }, value }] : [],
    );
  const family = (name: string, help: string, samples: Sample[]): Family => ({ name, type: 'counter', help, samples });
  return [
    family('kame_icmp6_in_total', 'ICMPv6 messages received, by type.', samples(histograms.icmp6In, 'type')),
    family('kame_icmp6_out_total', 'ICMPv6 messages sent, by type.', samples(histograms.icmp6Out, 'type')),
    family(
      'kame_ip6_next_header_total',
      'Packets received, by next header.',
      samples(histograms.ip6NextHeader, 'next_header'),
    ),
  ];
}

function interfaces(kernel: Kernel): Family[] {
  const all = kernel.interfaces();
  const each = (value: (info: (typeof all)[number]) => number): Sample[] =>
    all.map((info) => ({ labels: { interface: info.name }, value: value(info) }));
  return [
    ...INTERFACE_COUNTERS.map(
      ([name, field, help]): Family => ({
        name: `kame_interface_${name}_total`,
        type: 'counter',
        help,
        samples: each((info) => info[field]),
      }),
    ),
    {
      name: 'kame_interface_up',
      type: 'gauge',
      help: 'Whether the interface is set up and its link has carrier.',
      samples: each(({ up, running }) => (up && running ? 1 : 0)),
    },
    { name: 'kame_interface_mtu_bytes', type: 'gauge', help: 'MTU of the interface.', samples: each(({ mtu }) => mtu) },
    {
      name: 'kame_addresses',
      type: 'gauge',
      help: 'Addresses of the interface, by state.',
      samples: all.flatMap(({ name, addresses }) =>
        ADDRESS_STATES.map((state) => ({
          labels: { interface: name, state },
          value: addresses.filter((one) => one.state === state).length,
        })),
      ),
    },
  ];
}

function tables(kernel: Kernel): Family[] {
  const counts = new Map<string, number>();
  const names = kernel.interfaces().flatMap(({ kind, name }) => (kind === 'loopback' ? [] : [name]));
  // all states at any time: a series that comes and goes can't be plotted
  for (const name of names) for (const state of STATES) counts.set(`${name} ${state}`, 0);
  for (const entry of kernel.neighbors()) {
    const key = `${entry.interface} ${entry.state}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const samples = [...counts].map(([key, value]): Sample => {
    const [name, state] = key.split(' ') as [string, string];
    return { labels: { interface: name, state }, value };
  });
  return [
    { name: 'kame_neighbors', type: 'gauge', help: 'Entries of the neighbor cache, by state.', samples },
    single('kame_routes', 'gauge', 'Entries of the routing table.', kernel.routes().length),
  ];
}

function held({ outstanding, held }: Holdings): Family[] {
  return [
    single(
      'kame_pool_outstanding_packets',
      'gauge',
      'Packet buffers taken from the pool and not given back.',
      outstanding,
    ),
    {
      name: 'kame_held_packets',
      type: 'gauge',
      help: 'Packets that wait in a queue of the node.',
      samples: Object.entries(held).map(([queue, value]) => ({ labels: { queue }, value })),
    },
  ];
}
