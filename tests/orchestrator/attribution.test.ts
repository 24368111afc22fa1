/** Whose fault it probably is. */
import { describe, expect, test } from 'vitest';
import { attributions } from '#orchestrator/attribution.ts';
import type { CellResult, Outcome } from '#orchestrator/outcome.ts';
import { sampleResult } from './report-sample.ts';

type Kinds = readonly [string, string];

const cell = (kinds: Kinds, outcome: Outcome, variant = 'p2p'): CellResult =>
  sampleResult({ scenario: 'nud', title: '', variant, kinds, driver: 'process', outcome, reason: 'no' });

/** Castings of these kinds; those that are named fail. */
const group = (kinds: readonly string[], failing: readonly string[], variant?: string): CellResult[] =>
  kinds.flatMap((a) => kinds.map((b) => cell([a, b], failing.includes(`${a}-${b}`) ? 'fail' : 'pass', variant)));
const texts = (cells: readonly CellResult[]): string[] => attributions(cells).map(({ text }) => text);

describe('an implementation is named', () => {
  test('that fails in one role against all, while the others pass', () => {
    expect(texts(group(['kame', 'linux'], ['kame-kame', 'kame-linux']))).toEqual([
      'nud: kame fails as a against every other (linux; p2p process) while linux-kame and linux-linux pass: probably its own fault',
    ]);
  });

  test('that fails wherever it takes part, while the others pass among themselves', () => {
    expect(texts(group(['kame', 'linux'], ['kame-kame', 'kame-linux', 'linux-kame']))).toEqual([
      'nud: kame fails in every casting it has a role in (linux; p2p process) while linux-linux passes: probably its own fault',
    ]);
  });

  test('once for all variants that it is so in', () => {
    const failing = ['kame-kame', 'linux-kame'];
    const [hint, ...more] = attributions([
      ...group(['kame', 'linux'], failing, 'p2p'),
      ...group(['kame', 'linux'], failing, 'lan'),
      ...group(['kame', 'linux'], [], 'tun'),
    ]);
    expect(more).toEqual([]);
    expect(hint).toMatchObject({ kind: 'kame', role: 'b', where: ['p2p process', 'lan process'] });
    expect(hint?.cells).toHaveLength(4);
  });

  test('of two at fault each', () => {
    const failing = ['x-x', 'x-linux', 'x-y', 'linux-y', 'x-y', 'y-y'];
    const found = attributions(group(['x', 'y', 'linux'], failing));
    expect(found.map(({ kind, role }) => `${kind} ${role}`).sort()).toEqual(['x a', 'y b']);
  });

  test('by failures that are known, too', () => {
    const cells = group(['kame', 'linux'], ['kame-kame', 'kame-linux']);
    const known = cells.map((each) => (each.outcome === 'fail' ? { ...each, outcome: 'known-fail' as const } : each));
    expect(attributions(known)).toHaveLength(1);
  });
});

describe('nobody is named', () => {
  test.each([
    ['where one pair fails', ['kame-linux']],
    ['where all fail: it may be the scenario', ['kame-kame', 'kame-linux', 'linux-kame', 'linux-linux']],
    ['where none fails', []],
  ])('%s', (_, failing) => expect(texts(group(['kame', 'linux'], failing))).toEqual([]));

  test('where two explain it as well', () => {
    expect(texts([cell(['kame', 'linux'], 'fail'), cell(['linux', 'kame'], 'pass')])).toEqual([]);
  });

  test('by what the machine or the testbed spoiled', () => {
    const spoiled = group(['kame', 'linux'], ['kame-kame', 'kame-linux']).map((each) =>
      each.outcome === 'fail' ? { ...each, outcome: 'inconclusive' as const } : each,
    );
    expect(texts(spoiled)).toEqual([]);
  });
});
