/**
 * usage: node scripts/verdict.ts RESULTS URL
 * Judges a finished run as CI does: counts the cells of the newest one in the folder RESULTS and asks URL for its report.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { failingIn, type RunResult } from '../orchestrator/outcome.ts';

const [results = 'results', url = 'http://127.0.0.1:8080/'] = process.argv.slice(2);

function newestRun(folder: string): RunResult {
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name, 'results.json'))
    .filter((file) => statSync(file, { throwIfNoEntry: false }) !== undefined)
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (files[0] === undefined) throw new Error(`no results.json in a folder of ${folder}`);
  console.log(`cells of ${files[0]}`);
  return JSON.parse(readFileSync(files[0], 'utf8'));
}

/** The service may still be starting: asks for ten seconds. */
async function served(): Promise<boolean> {
  let answer = '';
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
      const page = await response.text();
      if (response.ok && page.includes('<html')) {
        console.log(`report served at ${url}: ${page.length} bytes`);
        return true;
      }
      answer = `status ${response.status}, ${page.length} bytes`;
    } catch (error) {
      answer = String(error);
    }
    await wait(500);
  }
  console.log(`no report at ${url}: ${answer}`);
  return false;
}

const count = { passed: 0, failed: 0, skipped: 0 };
const run = newestRun(results);
for (const { id, outcome, reason } of run.cells) {
  if (failingIn(run).includes(outcome)) {
    count.failed++;
    console.log(`${outcome}: ${id}: ${reason}`);
  } else if (outcome === 'unsupported' || outcome === 'inconclusive') count.skipped++;
  else count.passed++;
}
if (count.passed === 0) {
  count.failed++;
  console.log('not one cell passed');
}
if (await served()) count.passed++;
else count.failed++;
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exitCode = count.failed === 0 ? 0 : 1;
