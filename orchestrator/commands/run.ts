/** `kamelab run`: the matrix, cell by cell, with progress; then results and report. */
import { randomBytes } from 'node:crypto';
import { hostname, release } from 'node:os';
import { relative } from 'node:path';
import { attributions } from '../attribution.ts';
import { loadBaseline } from '../baseline.ts';
import type { Cell } from '../cell.ts';
import { chooseDriver, DRIVER_NAMES, loadDriver } from '../drivers/choose.ts';
import type { Driver, DriverName } from '../drivers/driver.ts';
import { ExitCode } from '../exit-code.ts';
import { lastDurations, pastRuns } from '../history.ts';
import { type Kind, loadKinds } from '../kinds.ts';
import { cells, everyId } from '../matrix.ts';
import { failingIn, type Outcome, type RunResult } from '../outcome.ts';
import { Progress } from '../progress.ts';
import { writeReport } from '../report/site.ts';
import { RunFolder, runToResume } from '../results.ts';
import { runCells } from '../runner.ts';
import type { Scenario } from '../scenario.ts';
import { loadScenarios } from '../scenarios.ts';
import { didYouMean } from '../topology-problems.ts';
import { UsageError } from '../usage-error.ts';
import { serve } from './serve.ts';

export interface RunCommandOptions {
  readonly impl: readonly string[];
  readonly driver?: DriverName;
  readonly output: string;
  readonly jobs?: number;
  readonly seed?: number;
  readonly json?: boolean;
  readonly list?: boolean;
  readonly serve?: boolean;
  readonly port: number;
  /** A file; false: none counts. */
  readonly baseline?: string | false;
  readonly allowNowPassing?: boolean;
  readonly allowFlaky?: boolean;
  readonly retries?: 0 | 1;
  /** true: the last run. */
  readonly resume?: string | true;
}

interface Choice {
  readonly drivers: readonly Driver[];
  readonly chosen: readonly Cell[];
}

export async function run(
  patterns: readonly string[],
  options: RunCommandOptions,
  signal: AbortSignal,
): Promise<number> {
  const kinds = loadKinds();
  const scenarios = await loadScenarios();
  const before = resumedRun(patterns, options);
  const { drivers, chosen } =
    before === undefined
      ? await choose(scenarios, kinds, patterns, options)
      : await chooseAgain(scenarios, kinds, before.planned ?? before.cells.map(({ id }) => id));
  if (options.list === true) {
    const lines =
      options.json === true ? JSON.stringify(chosen.map(({ id }) => id)) : chosen.map(({ id }) => id).join('\n');
    console.log(lines);
    return ExitCode.done;
  }

  const baseline = options.baseline === false ? undefined : loadBaseline(options.baseline, Date.now());
  const notes = baseline?.stale(everyId(scenarios, kinds, DRIVER_NAMES)) ?? [];
  const past = pastRuns(options.output);
  const started = Date.now();
  const seed = options.seed ?? before?.seed;
  const host = {
    name: hostname(),
    kernel: release(),
    node: process.version,
    drivers: drivers.map(({ name }) => name).join(', '),
  };
  const folder = await RunFolder.create(options.output, {
    kamelab: version(),
    started,
    host,
    cells: before?.planned ?? chosen.map(({ id }) => id),
    allowed: allowedBy(options),
    notes,
    ...(seed === undefined ? {} : { seed }),
    ...(before === undefined ? {} : { resume: resumeName(options) }),
  });
  const todo = chosen.filter(({ id }) => folder.finished(id) === undefined);
  const progress = new Progress(todo.length, options.json !== true);
  for (const note of notes) console.error(note);
  const done = before === undefined ? '' : ` (${chosen.length - todo.length} have finished before)`;
  progress.line(
    `${todo.length} cells${done} under ${drivers.map(({ name }) => name).join(' and ')}; results in ${shown(folder.path)}`,
  );
  if (before !== undefined) {
    const left = (await Promise.all(drivers.map((each) => each.collect({ all: false, dryRun: true })))).flat();
    if (left.length > 0) progress.line('what the run that was killed has left, kamelab gc removes');
  }
  const duration = lastDurations(past);
  await runCells(todo, {
    kinds,
    caseFolder: (cell, attempt) => folder.caseFolder(cell, attempt),
    labId: () => `cell-${randomBytes(4).toString('hex')}`,
    signal,
    started: (cell) => progress.started(cell.id),
    again: (result) => progress.again(result),
    ended: (result) => progress.ended(result),
    expected: ({ id }) => duration(id),
    ...(baseline === undefined ? {} : { known: (id: string) => baseline.known(id) }),
    ...(options.retries === undefined ? {} : { retries: options.retries }),
    ...(seed === undefined ? {} : { seed }),
    ...(options.jobs === undefined ? {} : { parallel: options.jobs }),
  });
  progress.close();
  const result = await folder.finish({ duration: (before?.duration ?? 0) + Date.now() - started });
  await writeReport(folder.path, result, pastRuns(options.output, folder.path));
  if (options.json === true) console.log(JSON.stringify(result, undefined, 2));
  else summary(result, shown(folder.path));
  signal.throwIfAborted();
  if (options.serve === true) await serve(folder.path, { port: options.port, host: '127.0.0.1' }, signal);
  const failing = failingIn(result);
  return result.cells.some(({ outcome }) => failing.includes(outcome)) ? ExitCode.failed : ExitCode.done;
}

async function choose(
  scenarios: readonly Scenario[],
  kinds: ReadonlyMap<string, Kind>,
  patterns: readonly string[],
  options: RunCommandOptions,
): Promise<Choice> {
  for (const kind of options.impl) {
    const names = [...kinds.keys()];
    if (!kinds.has(kind))
      throw new UsageError(
        `no implementation '${kind}'${didYouMean(kind, names) || `; there are ${names.join(', ')}`}`,
      );
  }
  const tell = (line: string): void => console.error(`kamelab: ${line}`);
  const driver = await chooseDriver(kinds, DRIVER_NAMES, options.driver, tell);
  // virtual time proves what real time can't (no tolerance), so it comes along unless one driver was asked for
  const drivers: Driver[] = [driver];
  if (options.driver === undefined && driver.name !== 'sim') drivers.push(await loadDriver('sim', kinds));

  const matching = (some: readonly string[]): Cell[] =>
    cells(scenarios, kinds, drivers, { patterns: some, implementations: options.impl });
  for (const pattern of patterns) {
    if (matching([pattern]).length > 0) continue;
    const names = scenarios.map(({ name }) => name);
    const known = names.includes(pattern);
    const hint = known ? '' : didYouMean(pattern, names) || `; scenarios are ${names.join(', ')}`;
    throw new UsageError(`no cell matches '${pattern}'${known ? ' with these options' : hint}`);
  }
  const chosen = matching(patterns);
  if (chosen.length === 0)
    throw new UsageError('no cell matches these options; kamelab run --list tells which there are');
  return { drivers, chosen };
}

/** What a run that is resumed had chosen. */
async function chooseAgain(
  scenarios: readonly Scenario[],
  kinds: ReadonlyMap<string, Kind>,
  planned: readonly string[],
): Promise<Choice> {
  const wanted = DRIVER_NAMES.filter((name) => planned.some((id) => id.endsWith(`/${name}`)));
  const tell = (): void => {};
  const drivers = await Promise.all(wanted.map((name) => chooseDriver(kinds, DRIVER_NAMES, name, tell)));
  const all = cells(scenarios, kinds, drivers, { patterns: [], implementations: [] });
  const there = new Map(all.map((cell) => [cell.id, cell]));
  const gone = planned.filter((id) => !there.has(id));
  if (gone.length > 0) throw new UsageError(`the run can't be resumed: there is no cell ${gone.join(', ')} any more`);
  return { drivers, chosen: planned.map((id) => there.get(id)!) };
}

const resumeName = ({ resume }: RunCommandOptions): string => (typeof resume === 'string' ? resume : 'latest');

function resumedRun(patterns: readonly string[], options: RunCommandOptions): RunResult | undefined {
  if (options.resume === undefined) return undefined;
  const { impl, driver, seed } = options;
  if (patterns.length > 0 || impl.length > 0 || driver !== undefined || seed !== undefined)
    throw new UsageError(
      '--resume goes on with the cells and the seed that the run had: leave out patterns, --impl, --driver and --seed',
    );
  return runToResume(options.output, resumeName(options)).run;
}

function allowedBy({ allowNowPassing, allowFlaky }: RunCommandOptions): Outcome[] {
  return [
    ...(allowNowPassing === true ? ['now-passing' as const] : []),
    ...(allowFlaky === true ? ['flaky' as const] : []),
  ];
}

function summary({ cells, duration, ...run }: RunResult, folder: string): void {
  const counts = new Map<string, number>();
  for (const { outcome } of cells) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const text = [...counts].map(([outcome, number]) => `${number} ${outcome}`).join(', ');
  console.log(`${cells.length} cells in ${(duration / 1000).toFixed(1)} s: ${text}`);
  for (const { id, outcome, reason } of cells) {
    if (failingIn(run).includes(outcome)) console.log(`  ${outcome}  ${id}: ${reason.split('\n')[0]}`);
  }
  for (const { text } of attributions(cells)) console.log(`  hint: ${text}`);
  console.log(`report: ${folder}/index.html`);
}

const shown = (path: string): string => relative(process.cwd(), path) || '.';
const version = (): string => process.env['npm_package_version'] ?? '0.1.0';
