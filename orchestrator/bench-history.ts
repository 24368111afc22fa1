/**
 * Benchmarks over time: `results/bench/history.jsonl`, a line a run of `tests/bench/*.ts --json`. Each compares the kame stack
 * with the Linux kernel of the same machine in the same run, so that the ratio tells of the code and not of the machine.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { dirname, join } from 'node:path';

export interface BenchRun {
  /** Name of the file in tests/bench. */
  readonly bench: string;
  /** ISO 8601. */
  readonly date: string;
  /** Of the code; undefined outside a working copy. */
  readonly commit?: string;
  /** The working copy differed from the commit. */
  readonly changed?: boolean;
  readonly kernel: string;
  readonly node: string;
  readonly processor: string;
  readonly processors: number;
  /** Processes that ran or wanted to, on the average of the minute before: more than a few spoil the figures. */
  readonly load: number;
  readonly rows: readonly BenchRow[];
}

export interface BenchRow {
  readonly test: string;
  /** Of a frame. */
  readonly bytes: number;
  readonly kame: number;
  readonly linux: number;
  /** A rate (`packets/s`), of which more is better, or a time (`µs`), of which less is. */
  readonly unit: string;
}

export const historyFile = (results: string): string => join(results, 'bench', 'history.jsonl');

/** What a run is to be known by, besides its figures. */
export function benchRun(bench: string, rows: readonly BenchRow[]): BenchRun {
  const git = (...words: string[]): string | undefined => {
    try {
      return execFileSync('git', words, {
        cwd: import.meta.dirname,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch {
      return undefined;
    }
  };
  const commit = git('rev-parse', 'HEAD')?.trim();
  const changed = commit !== undefined && git('status', '--porcelain', '--untracked-files=no') !== '';
  return {
    bench,
    date: new Date().toISOString(),
    ...(commit === undefined ? {} : { commit, changed }),
    kernel: release(),
    node: process.version,
    processor: cpus()[0]?.model.trim() ?? '',
    processors: cpus().length,
    load: loadavg()[0]!,
    rows,
  };
}

export function appendHistory(file: string, run: BenchRun): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(run)}\n`);
}

/** From the oldest; lines that can't be read are passed over. Empty when nobody has measured. */
export function readHistory(file: string): BenchRun[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .flatMap(runOf)
    .sort((a, b) => a.date.localeCompare(b.date));
}

function runOf(line: string): BenchRun[] {
  try {
    const run = JSON.parse(line) as BenchRun | null;
    const whole = typeof run?.date === 'string' && typeof run.bench === 'string' && Array.isArray(run.rows);
    return whole && !Number.isNaN(Date.parse(run.date)) ? [run] : [];
  } catch {
    return [];
  }
}
