/** `kamelab run`: the matrix, cell by cell, with progress; then results and report. */
import { randomBytes } from 'node:crypto';
import { hostname, release } from 'node:os';
import { relative } from 'node:path';
import type { Cell } from '../cell.ts';
import { chooseDriver, DRIVER_NAMES, loadDriver } from '../drivers/choose.ts';
import type { Driver, DriverName } from '../drivers/driver.ts';
import { ExitCode } from '../exit-code.ts';
import { loadKinds } from '../kinds.ts';
import { cells } from '../matrix.ts';
import { type CellResult, FAILING, type RunResult } from '../outcome.ts';
import { Progress } from '../progress.ts';
import { writeReport } from '../report/site.ts';
import { RunFolder } from '../results.ts';
import { runCells } from '../runner.ts';
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
}

export async function run(
  patterns: readonly string[],
  options: RunCommandOptions,
  signal: AbortSignal,
): Promise<number> {
  const kinds = loadKinds();
  for (const kind of options.impl) {
    const names = [...kinds.keys()];
    if (!kinds.has(kind))
      throw new UsageError(
        `no implementation '${kind}'${didYouMean(kind, names) || `; there are ${names.join(', ')}`}`,
      );
  }
  const scenarios = await loadScenarios();
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
  if (options.list === true) {
    const lines =
      options.json === true ? JSON.stringify(chosen.map(({ id }) => id)) : chosen.map(({ id }) => id).join('\n');
    console.log(lines);
    return ExitCode.done;
  }

  const started = Date.now();
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
    cells: chosen.map(({ id }) => id),
  });
  const progress = new Progress(chosen.length, options.json !== true);
  progress.line(
    `${chosen.length} cells under ${drivers.map(({ name }) => name).join(' and ')}; results in ${shown(folder.path)}`,
  );
  const results = await runCells(chosen, {
    kinds,
    caseFolder: (cell, attempt) => folder.caseFolder(cell, attempt),
    labId: () => `cell-${randomBytes(4).toString('hex')}`,
    signal,
    started: (cell) => progress.started(cell.id),
    ended: (result) => progress.ended(result),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.jobs === undefined ? {} : { parallel: options.jobs }),
  });
  progress.close();
  const result: RunResult = { kamelab: version(), started, duration: Date.now() - started, host, cells: results };
  await folder.finish(result);
  await writeReport(folder.path, result);
  if (options.json === true) console.log(JSON.stringify(result, undefined, 2));
  else summary(results, shown(folder.path), Date.now() - started);
  signal.throwIfAborted();
  if (options.serve === true) await serve(folder.path, { port: options.port, host: '127.0.0.1' }, signal);
  return results.some(({ outcome }) => FAILING.includes(outcome)) ? ExitCode.failed : ExitCode.done;
}

function summary(results: readonly CellResult[], folder: string, duration: number): void {
  const counts = new Map<string, number>();
  for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const text = [...counts].map(([outcome, number]) => `${number} ${outcome}`).join(', ');
  console.log(`${results.length} cells in ${(duration / 1000).toFixed(1)} s: ${text}`);
  for (const { id, outcome, reason } of results) {
    if (FAILING.includes(outcome)) console.log(`  ${outcome}  ${id}: ${reason.split('\n')[0]}`);
  }
  console.log(`report: ${folder}/index.html`);
}

const shown = (path: string): string => relative(process.cwd(), path) || '.';
const version = (): string => process.env['npm_package_version'] ?? '0.1.0';
