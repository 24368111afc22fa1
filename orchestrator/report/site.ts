/** The report: a static site in the run's folder that needs no server, no network and no script to be read. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { historyFile, readHistory } from '../bench-history.ts';
import type { PastRun } from '../history.ts';
import { parseMetrics } from '../metrics.ts';
import type { CellResult, RunResult } from '../outcome.ts';
import { ATTEMPT, folderName, METRICS, readJson } from '../results.ts';
import { benchPage } from './bench-page.ts';
import { type CaseFiles, cellPage, type NodeOutput } from './cell-page.ts';
import { indexPage } from './index-page.ts';
import type { Timeline } from './timeline.ts';
import type { LabShape } from './topology-picture.ts';
import { writeWhole } from './write-file.ts';

/** Writes the pages of a run into its folder, over those of an earlier call. `past`: earlier runs, the newest first. */
export async function writeReport(folder: string, run: RunResult, past: readonly PastRun[] = []): Promise<void> {
  mkdirSync(join(folder, 'cells'), { recursive: true });
  copyFileSync(join(import.meta.dirname, 'report.css'), join(folder, 'report.css'));
  for (const [at, cell] of run.cells.entries()) {
    const beside = { before: run.cells[at - 1], after: run.cells[at + 1] };
    const path = join(folder, 'cells', `${folderName(cell.id)}.html`);
    writeWhole(path, cellPage(cell, caseFiles(folder, cell), beside));
    for (const attempt of cell.attempts ?? []) {
      const result = readJson<CellResult>(join(folder, attempt.folder, ATTEMPT));
      if (result === undefined) continue;
      const first = cellPage(result, caseFiles(folder, result), { before: undefined, after: cell });
      writeWhole(join(folder, `${attempt.folder}.html`), first);
    }
  }
  const benchmarks = readHistory(historyFile(join(folder, '..')));
  if (benchmarks.length > 0) writeWhole(join(folder, 'bench.html'), benchPage(benchmarks));
  writeWhole(join(folder, 'index.html'), indexPage(run, past, { benchmarks: benchmarks.length > 0 }));
}

function caseFiles(folder: string, cell: CellResult): CaseFiles {
  const path = join(folder, cell.folder);
  return {
    timeline: readable(() => JSON.parse(readFileSync(join(path, 'timeline.json'), 'utf8')) as Timeline),
    lab: readable(() => parse(readFileSync(join(path, 'topology.yaml'), 'utf8')) as LabShape),
    metrics: readable(() => parseMetrics(readFileSync(join(path, METRICS), 'utf8'))),
    outputs: nodeOutputs(path),
    files: filesIn(path).map((file) => ({ path: relative(path, file), bytes: statSync(file).size })),
  };
}

/** A file that is not there is nothing to show, and no reason to have no report. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function nodeOutputs(path: string): NodeOutput[] {
  const told = filesIn(join(path, 'nodes')).map((file) => {
    const text = readFileSync(file, 'utf8');
    const [, node = '', name = ''] = relative(path, file).split('/');
    // the first line of a tool's output is its command
    const command = /^\$ (.*)\n/.exec(text);
    if (name === 'log.txt' || command === null) return { node, title: 'log', text, path: relative(path, file) };
    return { node, title: command[1]!, text: text.slice(command[0].length), path: relative(path, file) };
  });
  return told.sort((a, b) => Number(a.title === 'log') - Number(b.title === 'log'));
}

function filesIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
