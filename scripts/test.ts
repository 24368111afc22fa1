/** Runs every kind of test to its end, whatever fails before, and closes with one line that counts them all. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** What is read of vitest's JSON report. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: unknown[] }[];
}

const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'kamelab-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

function run(title: string, command: string, ...args: string[]): boolean {
  console.log(`\n== ${title}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) console.error(`${command}: ${error.message}`);
  return status === 0;
}

/** A tool that only says yes or no counts as one test. */
function check(title: string, command: string, ...args: string[]): Count {
  const ok = run(title, command, ...args);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

function vitest(title: string, project: string): Count {
  const file = join(scratch, `${project}.json`);
  const report = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const ok = run(title, 'vitest', 'run', '--project', project, ...report);
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const result: Report = JSON.parse(readFileSync(file, 'utf8'));
  // A file that does not load has no tests to count, and an error outside of tests belongs to none.
  const unloaded = result.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0).length;
  const failed = result.numFailedTests + unloaded;
  return {
    passed: result.numPassedTests,
    failed: ok ? failed : Math.max(failed, 1),
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

function skip(title: string, project: string, reason: string): Count {
  console.log(`\n== ${title}: skipped, ${reason}`);
  const file = join(scratch, `${project}.json`);
  spawnSync('vitest', ['list', '--no-static-parse', '--project', project, `--json=${file}`], {
    cwd: root,
    stdio: 'ignore',
  });
  const tests: { file: string }[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  for (const path of new Set(tests.map((test) => test.file))) console.log(`   skipped: ${path.slice(root.length + 1)}`);
  return { passed: 0, failed: 0, skipped: tests.length };
}

function whyNotReal(): string | undefined {
  if (process.platform !== 'linux') return 'real links need Linux';
  if (process.getuid?.() !== 0) return 'real links need root: run sudo npm test';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  return undefined;
}

const notReal = whyNotReal();
const counts = [
  check('types', 'tsc', '-p', '.'),
  check('lint', 'biome', 'check', '.'),
  vitest('unit tests', 'unit'),
  notReal === undefined ? vitest('tests on real links', 'real') : skip('tests on real links', 'real', notReal),
];

const total = { passed: 0, failed: 0, skipped: 0 };
for (const count of counts) {
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
