/** The matrix on a real machine: a run that is killed goes on, and one on a busy machine accuses nobody. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Outcome, RunResult } from '#orchestrator/outcome.ts';

const KAMELAB = join(import.meta.dirname, '../../bin/kamelab.js');

let results: string;
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), 'matrix-'));
});
afterEach(() => rmSync(results, { recursive: true, force: true }));

const latest = (): RunResult | undefined => {
  const file = join(results, 'latest/results.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
};

function kamelab(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [KAMELAB, ...args, '-o', results], {
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

/** Starts a run and kills it, without a chance to tidy up, once so many cells have finished. */
async function killedAfter(finished: number, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [KAMELAB, 'run', ...args, '-o', results], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  while ((latest()?.cells.length ?? 0) < finished && child.exitCode === null) await wait(5);
  child.kill('SIGKILL');
  await ended;
  expect(child.signalCode).toBe('SIGKILL');
}

describe('a run that is killed goes on where it was', () => {
  test.each([
    ['sim', ['nud', 'resolve', 'forward', 'dad*', '--driver', 'sim'], 3],
    ['process', ['resolve', '--impl', 'linux', '--impl', 'kame', '--driver', 'process', '-j', '2'], 2],
  ])('under %s', async (_, args, finished) => {
    await killedAfter(finished, ...args);
    const before = latest()!;
    expect(before.cells.length).toBeLessThan(before.planned!.length);
    const kept = before.cells.map(({ folder }) => join(results, 'latest', folder, 'result.json'));
    const written = kept.map((file) => statSync(file).mtimeMs);

    const { status, output } = kamelab('run', '--resume');
    expect(output).toMatch(/\d+ cells \(\d+ have finished before\)/);
    const after = latest()!;
    expect(after.started).toBe(before.started);
    expect(after.cells.map(({ id }) => id)).toEqual(after.planned);
    expect(kept.map((file) => statSync(file).mtimeMs)).toEqual(written);
    for (const cell of before.cells) expect(after.cells).toContainEqual(cell);
    expect(status).toBe(0);
    expect(readFileSync(join(results, 'latest/junit.xml'), 'utf8')).toContain(`tests="${after.cells.length}"`);

    const once = kamelab('run', '--resume', 'latest');
    expect(once.output).toMatch(/^0 cells/m);
    spawnSync(process.execPath, [KAMELAB, 'gc']);
  });

  test('and not with other cells', () => {
    const { status, output } = kamelab('run', 'nud', '--resume');
    expect({ status, output }).toEqual({ status: 2, output: expect.stringContaining('leave out patterns') });
  });
});

describe('the baseline', () => {
  test('a known failure that passes fails the run unless that is allowed; a pattern of nothing is told', () => {
    const file = join(results, 'known.yaml');
    spawnSync('sh', ['-c', 'cat > "$0"', file], {
      input: 'failures:\n  - cells: resolve/lan\n    reason: a test\n  - cells: resolv\n    reason: another\n',
    });
    const run = ['run', 'resolve/lan', '--driver', 'sim', '--baseline', file];
    const { status, output } = kamelab(...run);
    expect(status).toBe(1);
    expect(output).toContain('1 now-passing');
    expect(output).toContain(`${file}:4:12: "resolv" matches no cell; did you mean "resolve"?`);
    expect(kamelab(...run, '--allow-now-passing').status).toBe(0);
  });
});

/** Keeps one processor busy, for a time that has an end whatever happens here. */
function burner(milliseconds: number): Worker {
  const code = `const end = Date.now() + ${milliseconds}; while (Date.now() < end) Math.random();`;
  return new Worker(code, { eval: true });
}

test('with processors kept busy nothing fails: inconclusive at worst', { timeout: 240_000 }, async () => {
  const burners = Array.from({ length: availableParallelism() - 1 || 1 }, () => burner(200_000));
  try {
    const child = spawn(process.execPath, [KAMELAB, 'run', 'resolve', 'nud', '--driver', 'process', '-o', results], {
      stdio: 'ignore',
    });
    await new Promise((resolve) => child.on('exit', resolve));
    const outcomes = new Set(latest()!.cells.map(({ outcome }) => outcome));
    const allowed: Outcome[] = ['pass', 'inconclusive', 'unsupported'];
    expect([...outcomes].filter((outcome) => !allowed.includes(outcome))).toEqual([]);
    const pressed = latest()!.cells.filter(({ load }) => (load?.crowd ?? 0) > 0.5);
    expect(pressed.length, 'the burner was seen').toBeGreaterThan(0);
  } finally {
    await Promise.all(burners.map((each) => each.terminate()));
  }
});
