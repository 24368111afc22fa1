/**
 * Which features of the KAME kit are proven, and by what: made from the titles of tests and the rows that scenarios name.
 *
 *   npm run coverage            a Markdown table: row, tests, scenarios
 *   npm run coverage -- --json
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { loadScenarios } from '../orchestrator/scenarios.ts';

/** `ND-15`, `ND-15/16`, `ND-07..09` and lists of them at the start of a title. */
const ROWS = /\b([A-Z]{2})-(\d{2})(?:(?:\.\.|–)(?:[A-Z]{2}-)?(\d{2}))?((?:\/\d{2})*)/g;

interface Row {
  readonly tests: { title: string; file: string }[];
  readonly scenarios: string[];
}

const root = join(import.meta.dirname, '..');
const table = new Map<string, Row>();

function row(id: string): Row {
  let found = table.get(id);
  if (found === undefined) {
    found = { tests: [], scenarios: [] };
    table.set(id, found);
  }
  return found;
}

function rowsOf(title: string): string[] {
  const ids = new Set<string>();
  for (const [, section, first, last, more] of title.matchAll(ROWS)) {
    for (let number = Number(first); number <= Number(last ?? first); number++)
      ids.add(`${section}-${`${number}`.padStart(2, '0')}`);
    for (const number of (more ?? '').split('/').filter(Boolean)) ids.add(`${section}-${number}`);
  }
  return [...ids];
}

const scratch = mkdtempSync(join(tmpdir(), 'kamelab-coverage-'));
const list = join(scratch, 'tests.json');
// titles made by loops and tables are known only to those who run the files
execFileSync('vitest', ['list', '--no-static-parse', `--json=${list}`], { cwd: root, stdio: 'ignore' });
for (const { name, file } of JSON.parse(readFileSync(list, 'utf8')) as { name: string; file: string }[]) {
  for (const id of rowsOf(name)) row(id).tests.push({ title: name, file: relative(root, file) });
}
rmSync(scratch, { recursive: true });
for (const scenario of await loadScenarios()) for (const id of scenario.features) row(id).scenarios.push(scenario.name);

const sorted = [...table].sort(([a], [b]) => a.localeCompare(b));
if (process.argv.includes('--json')) {
  console.log(JSON.stringify(Object.fromEntries(sorted), undefined, 2));
} else {
  console.log('| row | tests | of them on real links | scenarios |\n| --- | ---: | ---: | --- |');
  for (const [id, { tests, scenarios }] of sorted) {
    const real = tests.filter(({ file }) => file.endsWith('.real.test.ts')).length;
    console.log(`| ${id} | ${tests.length} | ${real} | ${scenarios.join(', ')} |`);
  }
}
