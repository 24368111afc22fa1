import { describe, expect, test } from 'vitest';
import { exposition, type Family, labelled, merged, parseExposition } from '#node/exposition.ts';
import { counterName } from '#node/metrics.ts';
import { processMetrics } from '#node/process-metrics.ts';
import { text as sentences } from '#stack/counters.ts';
import { hasPrometheusClient, parseByPrometheusClient, problemsOf } from '#tests/support/prometheus.ts';
import { pair } from './nodes.ts';

/** After an echo, and one that waits for a neighbor that is not there. */
function busy(): string {
  const { a, run, nodes } = pair();
  run('ping6 -c 1 2001:db8::2');
  nodes.start(a, 'ping6 -c 1 2001:db8::99');
  nodes.pass(500);
  return exposition([...a.metrics(), ...processMetrics()]);
}

describe('a node as Prometheus text', () => {
  test('ST-06 has every counter of the stack under its name, with the words of netstat', () => {
    const { a, run } = pair();
    run('ping6 -c 1 2001:db8::2');
    const text = exposition(a.metrics());
    for (const [protocol, names] of Object.entries(sentences)) {
      const counters: Readonly<Record<string, number>> = a.stack.counters[protocol as keyof typeof sentences];
      for (const name of Object.keys(names)) {
        expect(text).toContain(`\n${counterName(protocol, name)} ${counters[name]}\n`);
      }
    }
    expect(text).toContain(
      '# HELP kame_ip6_bad_scope_total ip6: packets that violated scope rules.\n# TYPE kame_ip6_bad_scope_total counter\n',
    );
  });

  test('ST-06 says what its interfaces, neighbors, queues and pool hold', () => {
    const text = busy();
    expect(text).toContain('\nkame_icmp6_in_total{type="129"} 1\n');
    expect(text).toContain('\nkame_interface_up{interface="tap0"} 1\n');
    expect(text).toContain('\nkame_neighbors{interface="tap0",state="reachable"} 1\n');
    expect(text).toContain('\nkame_neighbors{interface="tap0",state="incomplete"} 1\n');
    expect(text).toContain('\nkame_held_packets{queue="neighbors"} 1\n');
    expect(text).toContain('\nkame_pool_outstanding_packets 1\n');
  });

  test('ST-06 has a counter for every loss that tables of drops know', () => {
    // two counters of one protocol must not become one name
    const names = Object.entries(sentences).flatMap(([protocol, all]) =>
      Object.keys(all).map((name) => counterName(protocol, name)),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test('ST-06 is sound by the rules of the format', () => {
    expect(problemsOf(busy())).toEqual([]);
  });

  test.skipIf(!hasPrometheusClient)("ST-06 is read by Prometheus' own parser (needs python3-prometheus-client)", () => {
    const text = busy();
    const families = parseByPrometheusClient(text);
    const ours = parseExposition(text);
    expect(
      families.map(({ type, help, samples }) => ({
        name: samples[0]!.name,
        type,
        help,
        samples: samples.map(({ labels, value }) => ({ labels, value })),
      })),
    ).toEqual(ours);
    expect(families.length).toBeGreaterThan(Object.values(sentences).flatMap(Object.keys).length);
  });
});

describe('exposition text', () => {
  const odd: Family = {
    name: 'odd',
    type: 'gauge',
    help: 'a \\ and\na new line',
    samples: [
      { labels: { word: 'a "quoted" \\ thing\nof two lines, {x="1"}' }, value: 0.1 },
      { labels: { word: '' }, value: Number.POSITIVE_INFINITY },
      { labels: {}, value: -1e-9 },
    ],
  };

  test('keeps any text and number, written and read', () => {
    expect(problemsOf(exposition([odd]))).toEqual([]);
    expect(parseExposition(exposition([odd]))).toEqual([odd]);
  });

  test.skipIf(!hasPrometheusClient)('is read alike by the parser of others', () => {
    const [family] = parseByPrometheusClient(
      exposition([{ ...odd, samples: odd.samples.filter(({ value }) => Number.isFinite(value)) }]),
    );
    expect(family!.samples.map(({ labels }) => labels)).toEqual([odd.samples[0]!.labels, {}]);
    expect(family!.help).toBe(odd.help);
  });

  test('of several nodes has each family once, each sample with its node', () => {
    const one: Family = {
      name: 'x_total',
      type: 'counter',
      help: 'x',
      samples: [{ labels: { node: 'forged' }, value: 1 }],
    };
    const all = merged([labelled(one, { node: 'a' }), labelled(odd, { node: 'a' }), labelled(one, { node: 'b' })]);
    expect(exposition(all)).toContain('# TYPE x_total counter\nx_total{node="a"} 1\nx_total{node="b"} 1\n# HELP odd');
    expect(problemsOf(exposition(all))).toEqual([]);
  });

  test('that is no such text is passed over, line by line', () => {
    const hostile = [
      '# TYPE good counter',
      'good 1',
      'good{a="b} 2',
      'good{a=b} 3',
      'good{} x',
      'good{a="1"} 4 1700000000',
      '# nonsense',
      '# TYPE __proto__ gauge',
      '__proto__ 5',
      '# TYPE h histogram',
      'h_bucket{le="1"} 1',
      'untyped 6',
      '\0',
      '{}',
      '',
    ];
    expect(parseExposition(hostile.join('\n'))).toEqual([
      {
        name: 'good',
        type: 'counter',
        help: '',
        samples: [
          { labels: {}, value: 1 },
          { labels: { a: '1' }, value: 4 },
        ],
      },
      { name: '__proto__', type: 'gauge', help: '', samples: [{ labels: {}, value: 5 }] },
    ]);
  });
});
