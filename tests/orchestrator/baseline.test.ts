/** Known failures: what a file of them says, and what is wrong with one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BASELINE, type Baseline, loadBaseline, parseBaseline } from '#orchestrator/baseline.ts';
import { DRIVER_NAMES } from '#orchestrator/drivers/choose.ts';
import { loadKinds } from '#orchestrator/kinds.ts';
import { everyId } from '#orchestrator/matrix.ts';
import { loadScenarios } from '#orchestrator/scenarios.ts';
import { UsageError } from '#orchestrator/usage-error.ts';

const FILE = 'known.yaml';
const TODAY = '2026-11-20';
const IDS = [
  'nud/tun/kame-linux/process',
  'nud/tun/linux-kame/docker',
  'nud-off/tun/kame-kame/sim',
  'resolve/lan/a-b/sim',
];

const parse = (text: string): Baseline => parseBaseline(text, FILE, TODAY);
const entry = (fields: string): string => `failures:\n  - ${fields.split('\n').join('\n    ')}\n`;

function error(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('a cell is known to fail', () => {
  test.each([
    ['by its id', 'cells: nud/tun/kame-linux/process', [0]],
    ['by the name of its scenario', 'cells: nud', [0, 1]],
    ['by the beginning of its id', 'cells: nud/tun', [0, 1]],
    ['by a pattern', "cells: '*/linux-kame/*'", [1]],
    ['by one of several', 'cells: [resolve, nud-off]', [2, 3]],
  ])('%s', (_, cells, known) => {
    const baseline = parse(entry(`${cells}\nreason: slow`));
    expect(IDS.flatMap((id, at) => (baseline.known(id) === undefined ? [] : [at]))).toEqual(known);
  });

  test('with the reason, the link and the place', () => {
    const baseline = parse(`# known\n${entry('cells: nud\nreason: slow\nlink: https://example.org/42')}`);
    expect(baseline.known(IDS[0]!)).toMatchObject({ reason: 'slow (https://example.org/42)', where: 'known.yaml:3' });
  });

  test('until its day has passed', () => {
    const until = (day: string) => parse(entry(`cells: nud\nreason: slow\nuntil: ${day}`));
    expect(until('2026-11-20').known(IDS[0]!)).toBeDefined();
    expect(until('2026-11-19').known(IDS[0]!)).toBeUndefined();
    expect(until('2026-11-19').stale(IDS)).toEqual([
      'known.yaml:2:12: counts no more since 2026-11-19; remove it or give it more time',
    ]);
  });
});

test('a pattern that matches no cell at all is told with its place, and what may be meant', () => {
  const baseline = parse(entry('cells: [nud/tun, nudd/tun, x*]\nreason: slow'));
  expect(baseline.stale(IDS)).toEqual([
    'known.yaml:2:22: "nudd/tun" matches no cell; did you mean "nud"?',
    'known.yaml:2:32: "x*" matches no cell; remove it',
  ]);
});

describe('an error names line, column and what is wanted', () => {
  test.each([
    ['a field that there is not', entry('cell: nud\nreason: slow'), 'known.yaml:2:5: failures[0].cell: unknown field'],
    ['a missing reason', entry('cells: nud'), 'failures[0].reason: missing; expected why it fails, in words'],
    ['a day that is none', entry('cells: nud\nreason: slow\nuntil: 2026-02-30'), 'known.yaml:4:12: failures[0].until'],
    ['no list', 'failures: nud\n', 'known.yaml:1:11: failures: expected a list of failures, found "nud"'],
    [
      'an empty list of cells',
      entry('cells: []\nreason: slow'),
      'known.yaml:2:12: failures[0].cells: expected a pattern',
    ],
    ['a link that is none', entry('cells: nud\nreason: slow\nlink: 42?'), 'known.yaml:4:11: failures[0].link'],
    ['no YAML', 'failures: [\n', 'known.yaml:2:1: '],
  ])('%s', (_, text, message) => expect(error(text)).toContain(message));

  test('and each of several', () => {
    const lines = error(entry('cells: 7\nreason: ""')).split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^known.yaml:2:12: failures\[0\].cells: /);
  });
});

test('an empty file of failures is none', () => {
  expect(parse('failures: []\n').known(IDS[0]!)).toBeUndefined();
  expect(parse('failures:\n').known(IDS[0]!)).toBeUndefined();
});

test('a file that was named must be there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baseline-'));
  expect(() => loadBaseline(join(folder, 'none.yaml'), 0)).toThrow(UsageError);
  rmSync(folder, { recursive: true });
});

test("the project's own matches cells that there are", async () => {
  const ids = everyId(await loadScenarios(), loadKinds(), DRIVER_NAMES);
  expect(loadBaseline(BASELINE, Date.UTC(2026, 0, 1)).stale(ids)).toEqual([]);
});
