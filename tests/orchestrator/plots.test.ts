/** Plots of the report: their scales, what they leave out, and that nothing in them is anybody's but text. */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { appendHistory, type BenchRun, benchRun, historyFile, readHistory } from '#orchestrator/bench-history.ts';
import type { MetricsSample, NodeSample } from '#orchestrator/metrics.ts';
import type { Ping } from '#orchestrator/pings.ts';
import { benchPage } from '#orchestrator/report/bench-page.ts';
import { lossCounters, losses } from '#orchestrator/report/losses.ts';
import { metricsSection } from '#orchestrator/report/metrics-section.ts';
import { axisTop, niceAbove, runsPlot, siText, stepPlot, ticks } from '#orchestrator/report/plot.ts';
import type { Timeline } from '#orchestrator/report/timeline.ts';
import { text } from '#stack/counters.ts';
import { HOSTILE } from './report-sample.ts';

const STACK = join(import.meta.dirname, '../../stack');

describe('scales', () => {
  test.each([
    [0.3, 0.5],
    [1, 1],
    [1.01, 2],
    [7, 10],
    [0.1 + 0.2, 0.5],
    [123_456, 200_000],
    [0, 1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
  ])('the round number from %d up is %d', (value, nice) => expect(niceAbove(value)).toBe(nice));

  test.each([
    [0, 1],
    [1, 1],
    [47_000, 60_000],
    [3.97, 4],
    [100, 100],
    [101, 150],
  ])('an axis that holds %d ends at %d', (value, top) => {
    expect(axisTop(value)).toBe(top);
    expect(ticks(0, top, 4).length).toBeGreaterThanOrEqual(3);
    expect(ticks(0, top, 4).length).toBeLessThanOrEqual(6);
  });

  test('ticks are round and within', () => {
    expect(ticks(0, 0.6, 4)).toEqual([0, 0.2, 0.4, 0.6]);
    expect(ticks(0, 11_200, 5)).toEqual([0, 5000, 10_000]);
    expect(ticks(3, 3, 4)).toEqual([3]);
  });

  test.each([
    [0, 'bit/s', '0'],
    [999, 'bit/s', '999 bit/s'],
    [1500, 'bit/s', '1.5 kbit/s'],
    [20e6, 'bit/s', '20 Mbit/s'],
    [117_422, '', '117 k'],
    [100, '', '100'],
  ])('%d %s is %s', (value, unit, words) => expect(siText(value, unit)).toBe(words));
});

describe('a plot', () => {
  const xText = (value: number): string => `${value}`;
  const axes = { title: 't', note: 'n', from: 0, to: 10, max: 4, xText, yText: xText };

  test('goes down to nothing where there is nothing', () => {
    const spans = [
      { from: 0, to: 1, value: 4, text: 'first' },
      { from: 1, to: 2, value: 2, text: 'second' },
      { from: 5, to: 6, value: 4, text: 'third' },
    ];
    const path = /class="curve" d="([^"]+)"/.exec(stepPlot({ ...axes, spans }).text)![1]!;
    expect(path.match(/M/g)).toHaveLength(2);
    expect(path).toBe('M62 110V8H90.6V59H119.2V110M205 110V8H233.6V110');
  });

  test('of a time without length, of no span and of one run has no figure that is none', () => {
    const one = runsPlot({
      title: 't',
      note: 'n',
      dots: [{ value: 0, text: 'x' }],
      mark: { value: 1, text: 'm' },
      ends: ['', ''],
      yText: xText,
    });
    const none = stepPlot({ ...axes, to: 0, max: 0, spans: [] });
    for (const { text } of [
      one,
      none,
      stepPlot({ ...axes, to: 0, max: 0, spans: [{ from: 0, to: 0, value: 0, text: '' }] }),
    ])
      expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('escapes what it is told', () => {
    const span = { from: 0, to: 1, value: 1, text: HOSTILE };
    expect(stepPlot({ ...axes, title: HOSTILE, note: HOSTILE, spans: [span] }).text).not.toMatch(/<script|<img/);
  });
});

const at = (time: number, nodes: Record<string, NodeSample>, frames = 0): MetricsSample => ({
  time,
  links: { ab: { frames, bytes: frames * 1000, lost: 0 } },
  nodes,
});
const timeline = (omitted: number): Timeline => ({
  epoch: 0,
  omitted,
  entries: [{ kind: 'frame', time: 500, link: 'ab', to: [], label: '', text: '', length: 125 }],
});

describe('the metrics of a cell', () => {
  test('show nothing where nothing was sampled or seen', () => {
    expect(metricsSection({ samples: [], pings: [] }, undefined)).toBeUndefined();
    expect(
      metricsSection({ samples: [at(0, {}), at(1000, {})], pings: [] }, { ...timeline(0), entries: [] }),
    ).toBeUndefined();
  });

  test('take throughput from frames, and from samples where not all frames are listed', () => {
    const samples = [at(0, {}), at(1000, {}, 10), at(2000, {}, 30)];
    expect(metricsSection({ samples, pings: [] }, timeline(0))!.text).toContain('0.5 s: 1 frame, 125 bytes, 20 kbit/s');
    const sampled = metricsSection({ samples, pings: [] }, timeline(29))!.text;
    expect(sampled).toContain('1 s: 20 frames, 20000 bytes, 160 kbit/s');
    expect(sampled).toContain('30 frames, 29.3 KiB');
  });

  test('tell processor time by node, and for each packet where there were enough', () => {
    const usage = (cpu: number, packets: number): NodeSample => ({
      cpu,
      rss: 2 ** 20,
      interfaces: {
        ab: { inPackets: packets, inBytes: 0, inErrors: 0, inDropped: 0, outPackets: 0, outBytes: 0, outErrors: 0 },
      },
    });
    const samples = [0, 1, 2, 3].map((second) =>
      at(second * 1000, { a: usage(second / 2, second * 1000), b: usage(0, 1) }),
    );
    const { text } = metricsSection({ samples, pings: [] }, undefined)!;
    expect(text).toContain('processor, at most 50 %');
    expect(text).toContain('500 µs');
    expect(text).not.toContain('Node b');
  });

  test('tell percentiles only of enough answers', () => {
    const pings = (count: number): Ping[] =>
      Array.from({ length: count }, (_, time) => ({
        link: 'ab',
        node: 'a',
        from: 'x',
        to: 'y',
        time,
        rtt: time === 0 ? null : time / 100,
      }));
    const heads = (count: number) => metricsSection({ samples: [], pings: pings(count) }, undefined)!.text;
    expect(heads(5)).not.toContain('90 %</th>');
    expect(heads(11)).toContain('90 %</th>');
    expect(heads(11)).not.toContain('99 %</th>');
    expect(heads(201)).toContain('99 %</th>');
    expect(heads(201)).toContain('200 of 201');
    expect(heads(201)).toContain('<td class="figure">1.98 ms</td><td class="figure">2 ms</td>');
    expect(heads(2)).not.toMatch(/NaN|Infinity/);
  });

  test('tell losses by what was counted between the first sample and the last', () => {
    const samples = [
      at(0, { a: { counters: { 'ip6.received': 1, 'ip6.noRoute': 2 } }, b: { silent: true } }),
      at(1, { a: { counters: { 'ip6.received': 9, 'ip6.noRoute': 5 } }, b: { counters: { Ip6InDiscards: 1 } } }),
      at(2, { a: { silent: true }, b: { counters: { Ip6InDiscards: 8, Ip6InReceives: 99 } } }),
    ];
    expect(losses(samples).map(({ node, counter, count }) => [node, counter, count])).toEqual([
      ['b', 'Ip6InDiscards', 7],
      ['a', 'ip6.noRoute', 3],
    ]);
  });
});

test('every counter under which the stack drops a packet is one of the losses', () => {
  const dropped = globSync('**/*.ts', { cwd: STACK }).flatMap((file) =>
    [...readFileSync(join(STACK, file), 'utf8').matchAll(/\bdrop\([\w.#]+, \w+, '(\w+)', '(\w+)'\)/g)].map(
      ([, protocol, counter]) => `${protocol}.${counter}`,
    ),
  );
  expect(dropped.length).toBeGreaterThan(20);
  expect(dropped.filter((name) => !lossCounters.has(name))).toEqual([]);
  const known = Object.entries(text).flatMap(([protocol, all]) =>
    Object.keys(all).map((name) => `${protocol}.${name}`),
  );
  expect([...lossCounters].filter((name) => name.includes('.') && !known.includes(name))).toEqual([]);
});

describe('benchmarks over time', () => {
  const run = (day: number, kame: number): BenchRun => ({
    ...benchRun('forward', [
      { test: 'forward', bytes: 64, kame, linux: 200_000, unit: 'packets/s' },
      { test: 'round trip p50', bytes: 64, kame: 20, linux: 10, unit: 'µs' },
    ]),
    date: new Date(Date.UTC(2026, 0, day)).toISOString(),
    commit: '0123456789abcdef',
    changed: false,
  });

  test('a history is read from the oldest, without lines that are none', () => {
    const results = mkdtempSync(join(tmpdir(), 'bench-'));
    const file = historyFile(results);
    expect(readHistory(file)).toEqual([]);
    appendHistory(file, run(2, 1));
    appendHistory(file, run(1, 2));
    appendHistory(file, { nonsense: true } as never);
    appendHistory(file, null as never);
    appendHistory(file, { ...run(3, 3), date: 'never' });
    expect(readHistory(file).map(({ date }) => date.slice(8, 10))).toEqual(['01', '02']);
    rmSync(results, { recursive: true });
  });

  test('a page has the ratio of every run and says which way is better', () => {
    const page = benchPage([run(1, 100_000), run(2, 150_000)]);
    expect(page).toContain('2026-01-01 00:00:00 UTC, 0123456789: kame 100 k packets/s, Linux 200 k packets/s, 0.5 ×');
    expect(page).toContain('last 0.75 ×, more is better');
    expect(page).toContain('last 2 ×, less is better');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('a page of one run, or of rows without a figure, stands', () => {
    const odd = { ...run(1, 0), rows: [{ test: HOSTILE, bytes: 1, kame: 1, linux: 0, unit: 's' }, ...run(1, 5).rows] };
    for (const page of [benchPage([run(1, 100)]), benchPage([odd])])
      expect(page).not.toMatch(/NaN|Infinity|<script>doc/);
  });
});
