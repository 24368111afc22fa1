/** What became of a mutant: the suite of scenarios, or a unit test, is run by a process that has it planted. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CellResult, FAILING, type RunResult } from '#orchestrator/outcome.ts';
import { type Mutant, NOT_PLANTED } from './mutant.ts';

const ROOT = join(import.meta.dirname, '../..');
/** More than any run takes; a cell has a limit of its own. Milliseconds of real time. */
const LONGEST = 60_000;

export interface Verdict {
  readonly mutant: Mutant;
  /** The cells, or the unit test, that did not pass. */
  readonly by: readonly Killer[];
  /** Milliseconds. */
  readonly duration: number;
}

export interface Killer {
  readonly where: string;
  /** The expectation that failed. */
  readonly check: string;
}

export async function judge(mutant: Mutant): Promise<Verdict> {
  const started = Date.now();
  const by = await killers(mutant);
  return { mutant, by, duration: Date.now() - started };
}

/** The scenario that should find it is asked first, the others only if it did not. */
async function killers(mutant: Mutant): Promise<Killer[]> {
  if (typeof mutant.by !== 'string') return unitTest(mutant, mutant.by.test);
  const expected = await scenarios(mutant, mutant.by);
  return expected.length > 0 ? expected : scenarios(mutant);
}

/** The cells that do not pass, of all or of one scenario; without a mutant, as a control. */
export function scenarios(mutant?: Mutant, only?: string): Promise<Killer[]> {
  return inFolder(async (folder) => {
    const kamelab = [join(ROOT, 'bin/kamelab.js'), 'run', '--driver', 'sim', '--json', '--output', folder];
    if (only !== undefined) kamelab.push(only);
    const ended = await run(['--import', join(import.meta.dirname, 'preload.ts'), ...kamelab], mutant);
    if (ended.stdout === '' || ended.code === NOT_PLANTED) throw broken(mutant, ended);
    const { cells } = JSON.parse(ended.stdout) as RunResult;
    const failed = ({ outcome }: CellResult) => (mutant === undefined ? outcome !== 'pass' : FAILING.includes(outcome));
    return cells.filter(failed).map(killer);
  });
}

function killer(cell: CellResult): Killer {
  const check = cell.checks.find(({ ok }) => !ok)?.text ?? `${cell.outcome}: ${cell.reason.split('\n')[0]}`;
  return { where: cell.id, check };
}

function unitTest(mutant: Mutant, test: string): Promise<Killer[]> {
  return inFolder(async (folder) => {
    const report = join(folder, 'report.json');
    const vitest = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter', 'json', '--outputFile', report];
    const config = ['--config', join(import.meta.dirname, 'vitest.config.ts')];
    const ended = await run([...vitest, ...config, join('tests', test)], mutant);
    if (!existsSync(report)) throw broken(mutant, ended);
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
    const results = testResults.flatMap(({ assertionResults }) => assertionResults);
    if (results.length === 0) throw broken(mutant, ended);
    return results
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => ({ where: test, check: fullName.trim() }));
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'kamelab-mutant-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface VitestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Killing must be the judges' doing: a mutant that does not even load is no mutant. */
function broken(mutant: Mutant | undefined, { code, stderr, stdout }: Ended): Error {
  const what = mutant === undefined ? 'the run without a mutant' : `mutant '${mutant.id}'`;
  if (code === NOT_PLANTED) return new Error(`${what}: stack/${mutant?.file} was never loaded`);
  return new Error(`${what} ended with ${code}: ${(stderr || stdout).trim().slice(-2000)}`);
}

/** `code` null: it was killed, for it did not end. */
function run(argv: readonly string[], mutant: Mutant | undefined): Promise<Ended> {
  // a child of Vitest is not to take itself for a part of it
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^VITEST|^NODE_OPTIONS$/.test(name)));
  if (mutant !== undefined) env['KAMELAB_MUTANT'] = mutant.id;
  // the cache knows modules by what is in them
  env['NODE_COMPILE_CACHE'] = join(ROOT, 'node_modules/.cache/mutants');
  const child = spawn(process.execPath, argv, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const told = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => (told.stdout += text));
  child.stderr.on('data', (text) => (told.stderr += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, ...told });
    });
  });
}

/** Two at a time: each keeps a processor busy. */
const AT_ONCE = 2;

export async function judgeAll(mutants: readonly Mutant[], told: (verdict: Verdict) => void = () => {}) {
  const verdicts: Verdict[] = new Array(mutants.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < mutants.length) {
      const at = next++;
      verdicts[at] = await judge(mutants[at]!);
      told(verdicts[at]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return verdicts;
}
