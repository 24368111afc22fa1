/**
 * Plants every mutant, or those named, and tells which cell or test found each one out.
 *
 *   node tests/mutants/run.ts [--output mutants.html] [--output mutants.json] [mutant...]
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { check } from './mutant.ts';
import { mutants } from './mutants.ts';
import { tablePage } from './table.ts';
import { judgeAll, scenarios, type Verdict } from './verdict.ts';

const { values, positionals } = parseArgs({
  options: { output: { type: 'string', multiple: true, default: [] } },
  allowPositionals: true,
});

const chosen = mutants.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
const unknown = positionals.filter((id) => !mutants.some((mutant) => mutant.id === id));
const outputs = values.output.map((path) => ({ path, write: writer(path) }));
if (unknown.length > 0) throw new Error(`there is no mutant ${unknown.join(', ')}`);
for (const mutant of chosen) check(mutant);
const control = await scenarios();
if (control.length > 0) throw new Error(`without a mutant ${control[0]!.where} does not pass: ${control[0]!.check}`);

const width = Math.max(...chosen.map(({ id }) => id.length));
const verdicts = await judgeAll(chosen, ({ mutant, by }) => {
  const found = by[0] === undefined ? 'SURVIVED' : `${by[0].where}: ${by[0].check}`;
  console.log(`${mutant.id.padEnd(width)}  ${mutant.rule}\n${' '.repeat(width)}  ${found}`);
});
const survivors = verdicts.filter(({ by }) => by.length === 0);
console.log(`${verdicts.length} mutants, ${survivors.length} survived`);
for (const { path, write } of outputs) {
  mkdirSync(dirname(path), { recursive: true });
  write(verdicts);
}
process.exitCode = survivors.length === 0 ? 0 : 1;

function writer(path: string): (verdicts: readonly Verdict[]) => void {
  if (path.endsWith('.json')) return (verdicts) => writeFileSync(path, `${JSON.stringify(verdicts, undefined, 2)}\n`);
  if (!path.endsWith('.html')) throw new Error(`--output ${path}: a name that ends in .html or .json is wanted`);
  return (verdicts) => {
    writeFileSync(path, tablePage(verdicts, Date.now()));
    // the style sheet of a run's report, beside which the page may lie
    const style = join(import.meta.dirname, '../../orchestrator/report/report.css');
    copyFileSync(style, join(dirname(path), 'report.css'));
  };
}
