/** What earlier runs tell: durations, differences, flakes. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compare, isUnchanged } from '#orchestrator/compare.ts';
import { flakes, lastDurations, pastRuns, runBefore } from '#orchestrator/history.ts';
import type { CellResult, Measurement, Outcome, RunResult } from '#orchestrator/outcome.ts';
import { sampleResult } from './report-sample.ts';

const DAY = 86_400_000;

const cell = (scenario: string, outcome: Outcome, more: Partial<CellResult> = {}): CellResult => ({
  ...sampleResult({ scenario, title: '', variant: 'v', kinds: ['kame', 'linux'], driver: 'process', outcome }),
  ...more,
});
const id = (scenario: string): string => `${scenario}/v/kame-linux/process`;
const run = (day: number, ...cells: CellResult[]): RunResult => ({
  kamelab: '0.1.0',
  started: day * DAY,
  duration: 1000,
  host: {},
  cells,
});
const past = (...runs: RunResult[]) => runs.map((run, at) => ({ name: `run${at}`, run }));

describe('the folder of results', () => {
  let results: string;
  beforeEach(() => {
    results = mkdtempSync(join(tmpdir(), 'history-'));
  });
  afterEach(() => rmSync(results, { recursive: true }));
  const keep = (name: string, content: string): void => {
    mkdirSync(join(results, name));
    writeFileSync(join(results, name, 'results.json'), content);
  };

  test('gives the newest first, each once, without the run itself and what is not whole', () => {
    for (const day of [1, 2, 3]) keep(`2026010${day}T000000Z-aaaa`, JSON.stringify(run(day, cell('a', 'pass'))));
    keep('20260104T000000Z-broken', '{"cells": [');
    keep('20260105T000000Z-empty', JSON.stringify(run(5)));
    mkdirSync(join(results, 'else'));
    symlinkSync('20260103T000000Z-aaaa', join(results, 'latest'));
    expect(pastRuns(results).map(({ run }) => run.started / DAY)).toEqual([3, 2, 1]);
    expect(pastRuns(results, join(results, 'latest')).map(({ run }) => run.started / DAY)).toEqual([2, 1]);
    expect(pastRuns(results, undefined, 1)).toHaveLength(1);
  });

  test('that is not there holds no runs', () => expect(pastRuns(join(results, 'none'))).toEqual([]));
});

test('a cell is expected to take what it took last, a new one what the longest of its scenario did', () => {
  const took = (scenario: string, variant: string, duration: number): CellResult =>
    cell(scenario, 'pass', { id: `${scenario}/${variant}/kame-linux/process`, duration });
  const expected = lastDurations(
    past(run(2, took('a', 'v', 10), took('a', 'w', 30)), run(1, took('a', 'v', 500), cell('b', 'unsupported'))),
  );
  expect([
    expected(id('a')),
    expected('a/x/kame-kame/process'),
    expected('a/x/kame-kame/sim'),
    expected(id('b')),
  ]).toEqual([10, 30, undefined, undefined]);
});

test('a run is compared with the newest of those that share most of its cells', () => {
  const now = run(9, cell('a', 'pass'), cell('b', 'pass'));
  const runs = past(
    run(10, cell('a', 'pass'), cell('b', 'pass')),
    run(8, cell('a', 'pass')),
    run(7, cell('a', 'pass'), cell('b', 'fail')),
    run(6, cell('a', 'pass'), cell('b', 'pass')),
  );
  expect(runBefore(now, runs)?.name).toBe('run2');
  expect(runBefore(now, past(run(8, cell('c', 'pass'))))).toBeUndefined();
});

describe('two runs', () => {
  const outcomes = (before: Outcome, after: Outcome) => compare(run(1, cell('a', before)), run(2, cell('a', after)));

  test.each([
    ['pass', 'fail', 'newlyFailing'],
    ['known-fail', 'fail', 'newlyFailing'],
    ['pass', 'harness-error', 'newlyFailing'],
    ['fail', 'pass', 'newlyPassing'],
    ['inconclusive', 'pass', 'newlyPassing'],
    ['known-fail', 'now-passing', 'newlyPassing'],
    ['pass', 'inconclusive', 'changed'],
    ['pass', 'flaky', 'changed'],
    ['fail', 'known-fail', 'changed'],
  ] as const)('%s, then %s is %s', (before, after, list) => {
    const found = outcomes(before, after);
    expect(found[list].map((each) => each.id)).toEqual([id('a')]);
    expect(found.newlyFailing.length + found.newlyPassing.length + found.changed.length).toBe(1);
  });

  test('with the same outcomes and values are not different', () => {
    expect(isUnchanged(outcomes('fail', 'fail'))).toBe(true);
    expect(isUnchanged(outcomes('pass', 'fail'))).toBe(false);
  });

  test('tell cells that came and went', () => {
    const { shared, added, removed } = compare(
      run(1, cell('a', 'pass'), cell('b', 'pass')),
      run(2, cell('b', 'pass'), cell('c', 'pass')),
    );
    expect({ shared, added, removed }).toEqual({ shared: 1, added: [id('c')], removed: [id('a')] });
  });

  const value = (value: number, unit = 'ms', name = 'm'): Measurement => ({ name, value, unit });
  const measuring = (...measurements: Measurement[]) => cell('a', 'pass', { measurements });

  test.each([
    ['by more than a quarter', 100, 126, 'ms', 0.26],
    ['by less', 100, 124, 'ms', undefined],
    ['by much of little, which is noise in real time', 1, 15, 'ms', undefined],
    ['by much of little of what is counted', 1, 2, 'probes', 1],
    ['from none', 0, 3, 'probes', Number.POSITIVE_INFINITY],
    ['downwards', 1000, 500, 'ms', -0.5],
  ])('tell values that changed %s', (_, before, after, unit, change) => {
    const found = compare(run(1, measuring(value(before, unit))), run(2, measuring(value(after, unit)))).measurements;
    expect(found[0]?.change).toEqual(change);
  });

  test('say nothing of a value that is drawn between two bounds, until it leaves them', () => {
    const drawn = (at: number): Measurement => ({ ...value(at), min: 0, max: 1000 });
    expect(compare(run(1, measuring(drawn(10))), run(2, measuring(drawn(900)))).measurements).toEqual([]);
    expect(compare(run(1, measuring(drawn(10))), run(2, measuring(drawn(1100)))).measurements).toHaveLength(1);
  });

  test('compare values of one name in their order, and the largest change comes first', () => {
    const before = measuring(value(100), value(1000), value(50, 'ms', 'n'));
    const after = measuring(value(100), value(3000), value(500, 'ms', 'n'), value(7));
    const found = compare(run(1, before), run(2, after)).measurements;
    expect(found.map(({ name, before, after }) => [name, before, after])).toEqual([
      ['n', 50, 500],
      ['m', 1000, 3000],
    ]);
    expect(compare(run(1, before), run(2, after), 5).measurements.map(({ name }) => name)).toEqual(['n']);
  });
});

test('flakes are cells that did not end the same in every run, the worst first', () => {
  const spoiled = cell('spoiled', 'pass', { attempts: [] });
  const runs = [
    run(
      1,
      cell('steady', 'pass'),
      cell('flips', 'pass'),
      cell('flaky', 'pass'),
      cell('no', 'unsupported'),
      cell('spoiled', 'pass'),
    ),
    run(3, cell('steady', 'pass'), cell('flips', 'fail'), cell('flaky', 'flaky'), cell('no', 'unsupported'), spoiled),
    run(
      2,
      cell('steady', 'pass'),
      cell('flips', 'pass'),
      cell('flaky', 'inconclusive'),
      cell('no', 'pass'),
      cell('spoiled', 'pass'),
    ),
  ];
  expect(
    flakes(runs).map(({ id, odd, judged, outcomes }) => [
      id.split('/')[0],
      odd,
      judged,
      outcomes.map((each) => each.join('+')).join(' '),
    ]),
  ).toEqual([
    ['flaky', 2, 3, 'flaky inconclusive pass'],
    ['flips', 1, 3, 'fail pass pass'],
    ['spoiled', 1, 3, 'inconclusive+pass pass pass'],
  ]);
});
