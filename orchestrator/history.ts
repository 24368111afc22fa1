/** Earlier runs in `results/`: what they took, and whether a cell always ends the same. */
import { readdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CellResult, Outcome, RunResult } from './outcome.ts';
import { readJson } from './results.ts';

/** A run, and where it is. */
export interface PastRun {
  /** Its folder's name. */
  readonly name: string;
  readonly run: RunResult;
}

/** Runs that are looked at: enough to see a flake of one in ten, and read in a moment. */
const MOST = 30;

/** The newest first, without that of the folder `self`. What can't be read is left out. */
export function pastRuns(results: string, self?: string, most = MOST): PastRun[] {
  const names = folders(results).sort().reverse();
  const past: PastRun[] = [];
  for (const name of names) {
    if (past.length === most) break;
    if (self !== undefined && resolve(results, name) === realPath(self)) continue;
    const run = readJson<RunResult>(join(results, name, 'results.json'));
    if (Array.isArray(run?.cells) && run.cells.length > 0) past.push({ name, run });
  }
  // names tell seconds, and folders can be renamed
  return past.sort((a, b) => b.run.started - a.run.started);
}

/** Without links: `latest` leads to one of the others. */
function folders(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** Milliseconds that a cell took when it last ran; of one that never did, the longest of its scenario under the same driver. */
export function lastDurations(past: readonly PastRun[]): (id: string) => number | undefined {
  const known = new Map<string, number>();
  const scenarios = new Map<string, number>();
  for (const { run } of past) {
    for (const { id, scenario, driver, duration, outcome } of run.cells) {
      if (outcome === 'unsupported' || known.has(id)) continue;
      known.set(id, duration);
      const kin = `${scenario} ${driver}`;
      scenarios.set(kin, Math.max(scenarios.get(kin) ?? 0, duration));
    }
  }
  return (id) => {
    const words = id.split('/');
    return known.get(id) ?? scenarios.get(`${words[0]} ${words.at(-1)}`);
  };
}

/** The run to compare with: of those that share most cells with this one, the newest. */
export function runBefore({ cells, started }: RunResult, past: readonly PastRun[]): PastRun | undefined {
  const ids = new Set(cells.map(({ id }) => id));
  const shared = ({ run }: PastRun): number => run.cells.filter(({ id }) => ids.has(id)).length;
  const earlier = past.filter(({ run }) => run.started < started);
  const most = Math.max(0, ...earlier.map(shared));
  return most === 0 ? undefined : earlier.find((each) => shared(each) === most);
}

export interface Flake {
  readonly id: string;
  /** Newest first: how each run ended it, `inconclusive pass` where the machine spoiled a first attempt. */
  readonly outcomes: readonly (readonly Outcome[])[];
  /** Of the runs that judged it, those it did not plainly pass or fail like most. */
  readonly odd: number;
  readonly judged: number;
}

/** An outcome that blames nobody alone. */
const UNSETTLED: readonly Outcome[] = ['flaky', 'inconclusive', 'harness-error'];
const PASSED: readonly Outcome[] = ['pass', 'now-passing'];
const FAILED: readonly Outcome[] = ['fail', 'known-fail'];

/**
 * Cells that did not end the same in every run, those with most to tell first. A cell that failed in some runs and passed in
 * others is among them though the code may have changed between: the order of its outcomes shows which it was.
 */
export function flakes(runs: readonly RunResult[]): Flake[] {
  const newestFirst = runs.toSorted((a, b) => b.started - a.started);
  const byCell = Map.groupBy(
    newestFirst.flatMap(({ cells }) => cells),
    ({ id }) => id,
  );
  return [...byCell]
    .map(([id, results]) => flake(id, results))
    .filter(({ odd }) => odd > 0)
    .sort((a, b) => b.odd / b.judged - a.odd / a.judged || a.id.localeCompare(b.id));
}

function flake(id: string, results: readonly CellResult[]): Flake {
  const judged = results.filter(({ outcome }) => outcome !== 'unsupported');
  const count = (some: readonly Outcome[]): number => judged.filter(({ outcome }) => some.includes(outcome)).length;
  const isSpoiled = ({ outcome, attempts }: CellResult): boolean => outcome === 'pass' && attempts !== undefined;
  const odd = count(UNSETTLED) + judged.filter(isSpoiled).length + Math.min(count(PASSED), count(FAILED));
  const outcomes = results.map((result): Outcome[] => [
    ...(isSpoiled(result) ? ['inconclusive' as const] : []),
    result.outcome,
  ]);
  return { id, outcomes, odd, judged: judged.length };
}
