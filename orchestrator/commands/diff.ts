/** `kamelab diff`: what is different between two runs. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Change, type Comparison, compare, isUnchanged } from '../compare.ts';
import { ExitCode } from '../exit-code.ts';
import type { RunResult } from '../outcome.ts';
import { percentText, plural, valueText } from '../report/text.ts';
import { readJson } from '../results.ts';
import { UsageError } from '../usage-error.ts';

export interface DiffOptions {
  readonly output: string;
  /** Percent. */
  readonly beyond: number;
  readonly json?: boolean;
}

export function diff(before: string, after: string, { output, beyond, json }: DiffOptions): number {
  const [old, now] = [before, after].map((name) => runAt(output, name)) as [RunResult, RunResult];
  const found = compare(old, now, beyond / 100);
  if (json === true) console.log(JSON.stringify(brief(found), undefined, 2));
  else console.log(text(found).join('\n'));
  return found.newlyFailing.length > 0 ? ExitCode.failed : ExitCode.done;
}

/** A folder, or the name of a run in `results`. */
function runAt(results: string, name: string): RunResult {
  const folder = existsSync(join(results, name)) ? join(results, name) : name;
  const run = readJson<RunResult>(join(folder, 'results.json'));
  if (run === undefined) throw new UsageError(`${resolve(folder)}: no run is there: it has no readable results.json`);
  return run;
}

function text(found: Comparison): string[] {
  const { shared, newlyFailing, newlyPassing, changed, added, removed, measurements } = found;
  if (isUnchanged(found)) return [`no difference in ${plural(shared, 'cell')}`];
  const part = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [`${title}: ${lines.length}`, ...lines.map((line) => `  ${line}`)];
  const change = ({ id, before, after }: Change): string => {
    const why = after.reason === '' ? '' : `: ${after.reason.split('\n')[0]}`;
    return `${id}: ${before.outcome} -> ${after.outcome}${why}`;
  };
  return [
    `${plural(shared, 'cell')} in both`,
    ...part('newly failing', newlyFailing.map(change)),
    ...part('newly passing', newlyPassing.map(change)),
    ...part('other outcomes that changed', changed.map(change)),
    ...part(
      'measurements that changed',
      measurements.map(
        ({ id, name, unit, before, after, change }) =>
          `${id}: ${name}: ${valueText(before, unit)} -> ${valueText(after, unit)} (${percentText(change)})`,
      ),
    ),
    ...part('cells only in the later run', added),
    ...part('cells only in the earlier run', removed),
  ];
}

/** Without the whole results: what they are is in the runs. */
function brief({ newlyFailing, newlyPassing, changed, ...rest }: Comparison): object {
  const short = ({ id, before, after }: Change) => ({
    id,
    before: before.outcome,
    after: after.outcome,
    reason: after.reason,
  });
  return {
    newlyFailing: newlyFailing.map(short),
    newlyPassing: newlyPassing.map(short),
    changed: changed.map(short),
    ...rest,
  };
}
