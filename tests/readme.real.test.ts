/** Every command in README.md is run as it stands there, from the project's root. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Commands that CI runs as such (.ci/run), since they take the whole of a machine. */
const BY_CI: readonly string[] = ['docker compose up', 'npm test'];
/** The whole suite: run by the test of the suite, here only listed. */
const WHOLE_SUITE = 'npx kamelab run';
const SERVES = 'npm start';

const commands = [...README.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block]) => block!.split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter((line) => line !== '');

function sh(command: string) {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 110_000,
  });
  return { status, output: stdout + stderr };
}

describe('README.md', () => {
  afterAll(() => {
    spawnSync('sh', ['-c', 'npx kamelab down two-nodes'], { cwd: ROOT });
  });

  test('its commands are found', () => {
    expect(commands.length).toBeGreaterThan(10);
    for (const known of [...BY_CI, WHOLE_SUITE, SERVES]) expect(commands).toContain(known);
  });

  test('CI runs the commands that set everything up', () => {
    const ci = readFileSync(join(ROOT, '.ci/run'), 'utf8');
    for (const command of BY_CI) expect(ci).toContain(command);
  });

  const ours = commands.filter((command) => !BY_CI.includes(command) && command !== WHOLE_SUITE && command !== SERVES);
  test.each(ours)('%s', (command) => {
    const { status, output } = sh(command);
    expect(output).not.toMatch(/harness-error/);
    expect({ command, status, output: status === 0 ? '' : output }).toEqual({ command, status: 0, output: '' });
  });

  test('npm start runs the suite, and serves the report until Ctrl-C', async () => {
    const child = spawn('npm', ['start', '--silent', '--', 'resolve', '--driver', 'sim', '--port', '18080'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const url = await said(child, /the report is at (\S+)/);
    const page = await (await fetch(url)).text();
    expect(page).toContain('<html');
    expect(page).toContain('resolve');
    process.kill(-child.pid!, 'SIGINT');
    await new Promise((resolve) => child.once('exit', resolve));
  });

  test('the files it points to are there', () => {
    const links = [...README.matchAll(/\]\((?!http)([^)#]+)\)/g)].map(([, path]) => path!);
    expect(links.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    const hear = (text: Buffer): void => {
      output += text.toString();
      const found = pattern.exec(output);
      if (found !== null) resolve(found[1]!);
    };
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
}
