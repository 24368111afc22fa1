/** How cells are run: attempts, outcomes, order, room; with labs and a machine that are made up. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cell } from '#orchestrator/cell.ts';
import type { Driver, Lab, LabLink } from '#orchestrator/drivers/driver.ts';
import { loadKinds } from '#orchestrator/kinds.ts';
import type { Load, LoadMeter } from '#orchestrator/load.ts';
import type { CellResult } from '#orchestrator/outcome.ts';
import { writeReport } from '#orchestrator/report/site.ts';
import { RunFolder } from '#orchestrator/results.ts';
import { atOnce, type RunOptions, runCells } from '#orchestrator/runner.ts';
import { defineScenario, type Scenario } from '#orchestrator/scenario.ts';
import { sampleOptions } from './report-sample.ts';

const kinds = loadKinds();
const QUIET = { lateness: 1, eventLoop: 1 };
const BUSY = { lateness: 400, eventLoop: 1 };

/** What one attempt does: holds, fails, or breaks. */
type Play = 'pass' | 'fail' | 'break' | 'slip';

const LINK = { name: 'ab', type: 'p2p', medium: 'ethernet', mtu: 1500, frames: [], lost: 0, faults: [] };

function fakeDriver(name: 'process' | 'sim', lost: () => number): Driver {
  const up: Driver['up'] = async (topology) => {
    const link = { ...LINK, lost: lost() } as unknown as LabLink;
    const lab: Partial<Lab> = {
      id: 'lab',
      driver: name,
      topology,
      nodes: new Map(),
      links: new Map([['ab', link]]),
      epoch: 0,
      now: 5,
      tolerance: 250,
      events: [],
      versions: async () => ({}),
      [Symbol.asyncDispose]: async () => {},
    };
    return lab as Lab;
  };
  return { name, up, unsupported: () => undefined } as Partial<Driver> as Driver;
}

/** A cell that plays these attempts, one after the other. */
function fakeCell(name: string, plays: Play[], driver: 'process' | 'sim' = 'process', lost: number[] = []): Cell {
  const scenario: Scenario = defineScenario({
    name,
    title: name,
    description: '',
    references: [],
    features: [],
    roles: { a: {}, b: {} },
    variants: {
      v: { name, nodes: { a: null, b: null }, links: { ab: { type: 'p2p', nodes: ['a', 'b'] } } },
    },
    run: async ({ expect }) => {
      const play = plays.shift();
      if (play === 'break') throw new Error('no answer');
      if (play === 'slip') throw new TypeError('x is undefined');
      expect.that(play === 'pass', 'b answers', 'silence');
    },
  });
  const roles = { a: 'kame', b: 'kame' };
  return {
    id: `${name}/v/kame-kame/${driver}`,
    scenario,
    variant: 'v',
    roles,
    driver: fakeDriver(driver, () => lost.shift() ?? 0),
  };
}

/** A measurement for each attempt's judged part. */
function fakeMeter(loads: readonly Omit<Load, 'lost'>[]): LoadMeter {
  let begun = 0;
  // each attempt measures its bring-up, then what is judged
  return { begin: () => ({ end: () => (begun++ % 2 === 0 ? QUIET : (loads[(begun - 2) / 2] ?? QUIET)) }) };
}

let results: string;
let folder: RunFolder;
beforeEach(async () => {
  results = mkdtempSync(join(tmpdir(), 'runner-'));
  folder = await RunFolder.create(results, sampleOptions);
});
afterEach(() => rmSync(results, { recursive: true, force: true }));

const run = (cells: readonly Cell[], options: Partial<RunOptions> = {}): Promise<CellResult[]> =>
  runCells(cells, {
    kinds,
    caseFolder: (cell, attempt) => folder.caseFolder(cell, attempt),
    labId: () => 'lab',
    meter: fakeMeter([]),
    ...options,
  });
const one = async (cell: Cell, options: Partial<RunOptions> = {}): Promise<CellResult> =>
  (await run([cell], options))[0]!;
const has = (path: string): boolean => existsSync(join(folder.path, 'cells', path));

describe('a cell', () => {
  test('that passes has one attempt and how the machine was', async () => {
    const { outcome, attempts, load } = await one(fakeCell('s', ['pass']), { meter: fakeMeter([BUSY]) });
    expect({ outcome, attempts, load }).toEqual({ outcome: 'pass', attempts: undefined, load: { ...BUSY, lost: 0 } });
  });

  test('that fails and then passes is flaky, and what was seen of both is kept', async () => {
    const again: string[] = [];
    const result = await one(fakeCell('s', ['fail', 'pass']), { again: ({ outcome }) => again.push(outcome) });
    expect(again).toEqual(['fail']);
    expect(result).toMatchObject({ outcome: 'flaky', reason: 'failed, then passed; first: b answers: silence' });
    expect(result.attempts?.map((each) => each.folder)).toEqual([
      'cells/s.v.kame-kame.process.1',
      'cells/s.v.kame-kame.process.2',
    ]);
    expect([has('s.v.kame-kame.process'), has('s.v.kame-kame.process.1/timeline.json')]).toEqual([false, true]);
    expect(has('s.v.kame-kame.process.2/timeline.json')).toBe(true);
    expect(folder.finished(result.id)?.outcome).toBe('flaky');
  });

  test('that fails twice fails', async () => {
    expect((await one(fakeCell('s', ['fail', 'fail']))).outcome).toBe('fail');
  });

  test('is run once without retries, and in virtual time', async () => {
    expect((await one(fakeCell('s', ['fail', 'pass']), { retries: 0 })).outcome).toBe('fail');
    expect((await one(fakeCell('t', ['fail', 'pass'], 'sim'))).outcome).toBe('fail');
  });

  test('that fails on a busy machine is inconclusive, with the figures', async () => {
    const { outcome, reason } = await one(fakeCell('s', ['fail', 'fail']), { meter: fakeMeter([BUSY, BUSY]) });
    expect({ outcome, reason }).toEqual({
      outcome: 'inconclusive',
      reason: 'the machine was too busy: a timer was 400 ms late (limit 125); then: b answers: silence',
    });
  });

  test('that fails once more on a quiet machine fails, and one that then passes passes', async () => {
    expect((await one(fakeCell('s', ['fail', 'fail']), { meter: fakeMeter([BUSY, QUIET]) })).outcome).toBe('fail');
    const passed = await one(fakeCell('t', ['fail', 'pass']), { meter: fakeMeter([BUSY, QUIET]) });
    expect([passed.outcome, passed.attempts?.map(({ outcome }) => outcome)]).toEqual([
      'pass',
      ['inconclusive', 'pass'],
    ]);
  });

  test('that breaks on a busy machine is inconclusive, unless it was a slip in the code', async () => {
    const options = () => ({ meter: fakeMeter([BUSY, BUSY]) });
    expect((await one(fakeCell('s', ['break', 'break']), options())).outcome).toBe('inconclusive');
    expect((await one(fakeCell('t', ['slip', 'slip']), options())).outcome).toBe('harness-error');
    expect((await one(fakeCell('u', ['break', 'break']))).outcome).toBe('harness-error');
  });

  test('that passes though frames were lost is inconclusive: something may not have been seen', async () => {
    const result = await one(fakeCell('s', ['pass', 'pass'], 'process', [3, 1]));
    expect([result.outcome, result.reason]).toEqual(['inconclusive', 'captures lost 1 frame']);
  });

  test('in virtual time never blames the machine', async () => {
    const { outcome, load } = await one(fakeCell('s', ['fail'], 'sim'), { meter: fakeMeter([BUSY, BUSY]) });
    expect([outcome, load]).toEqual(['fail', undefined]);
  });

  test('that is known to fail is run once and known, and news when it passes', async () => {
    const known = () => ({ reason: 'slow', where: 'known.yaml:3' });
    expect((await one(fakeCell('s', ['fail', 'pass']), { known })).outcome).toBe('known-fail');
    expect((await one(fakeCell('t', ['pass']), { known })).outcome).toBe('now-passing');
  });
});

describe('a run that was broken off between two attempts', () => {
  test('does not take the first for the result, and begins the cell anew', async () => {
    const end = new AbortController();
    const cell = fakeCell('s', ['fail', 'pass', 'pass']);
    await run([cell], { signal: end.signal, again: () => end.abort(new Error('killed')) });
    const resumed = await RunFolder.create(results, { ...sampleOptions, resume: folder.path });
    expect(resumed.finished(cell.id)).toBeUndefined();
    expect(has('s.v.kame-kame.process.1')).toBe(true);
    folder = resumed;
    // one play is left of three: the second attempt never came to its own
    await run([fakeCell('s', ['pass'])]);
    expect(has('s.v.kame-kame.process.1')).toBe(false);
    expect(resumed.finished(cell.id)?.outcome).toBe('pass');
  });
});

test('the report has a page for each attempt', async () => {
  const result = await one(fakeCell('s', ['fail', 'pass']));
  await writeReport(folder.path, await folder.finish({ duration: 1 }));
  const page = readFileSync(join(folder.path, 'cells/s.v.kame-kame.process.html'), 'utf8');
  expect(page).toContain('<a href="s.v.kame-kame.process.1.html">1</a>');
  expect(page).toContain('timers at most 1 ms late');
  const first = readFileSync(join(folder.path, 'cells/s.v.kame-kame.process.1.html'), 'utf8');
  expect(first).toContain('b answers: silence');
  expect(result.attempts).toHaveLength(2);
});

test('results come in the order of the matrix, the longest cells begin first, second attempts last', async () => {
  const cells = [
    fakeCell('a', ['fail', 'pass']),
    fakeCell('b', ['pass']),
    fakeCell('c', ['pass']),
    fakeCell('d', ['pass']),
  ];
  const expected = new Map([
    ['a', 10],
    ['b', 5],
    ['c', 20],
  ]);
  const started: string[] = [];
  const found = await run(cells, {
    parallel: 1,
    expected: ({ scenario }) => expected.get(scenario.name),
    started: ({ scenario }) => started.push(scenario.name),
  });
  expect(started.join('')).toBe('dcaba');
  expect(found.map(({ scenario }) => scenario).join('')).toBe('abcd');
});

describe('at once', () => {
  /** Runs items that end when they are told to; what is running after each word. */
  async function drive(
    needs: Record<string, number>,
    limits: { most?: number; rising?: number; memory?: number },
    words: string[],
  ) {
    const running = new Map<string, { up: () => void; end: (error?: Error) => void }>();
    const seen: string[] = [];
    const done = atOnce(
      Object.keys(needs),
      { most: 9, rising: 9, memory: 9, ...limits, needs: (item) => needs[item]!, ended: () => false },
      (item, up) =>
        new Promise((resolve, reject) => {
          const end = (error?: Error): void => {
            running.delete(item);
            if (error === undefined) resolve();
            else reject(error);
          };
          running.set(item, { up, end });
        }),
    ).catch((error: Error) => seen.push(error.message));
    const look = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      seen.push([...running.keys()].join(''));
    };
    await look();
    for (const word of words) {
      const [item = '', what] = word.split(' ');
      if (what === 'up') running.get(item)!.up();
      else running.get(item)!.end(what === undefined ? undefined : new Error(what));
      await look();
    }
    for (const { end } of running.values()) end();
    await done;
    return seen;
  }

  test('no more run than are allowed', async () => {
    expect(await drive({ a: 1, b: 1, c: 1 }, { most: 2 }, ['a', 'c', 'b'])).toEqual(['ab', 'bc', 'b', '']);
  });

  test('no more come up than are allowed, however many run', async () => {
    expect(await drive({ a: 1, b: 1, c: 1 }, { rising: 1 }, ['a up', 'b up', 'a'])).toEqual(['a', 'ab', 'abc', 'bc']);
  });

  test('no more run than there is memory for; a small one goes before a large one that has to wait', async () => {
    expect(await drive({ a: 5, b: 6, c: 3 }, {}, ['a', 'c'])).toEqual(['ac', 'cb', 'b']);
  });

  test('one that is larger than the memory runs alone', async () => {
    expect(await drive({ a: 1, b: 99 }, {}, ['a', 'b'])).toEqual(['a', 'b', '']);
  });

  test('after an error no more begin, and it is thrown when the others have ended', async () => {
    expect(await drive({ a: 1, b: 1, c: 1 }, { most: 2 }, ['a broken', 'b'])).toEqual(['ab', 'b', 'broken', '']);
  });
});
