import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const COMMAND = join(ROOT, 'bin/kamelab.js');
/** Root has no use for its privileges here. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

// each test starts a process or more, and the machine may have much else to do
vi.setConfig({ testTimeout: 60_000 });

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kamelab-cli-'));
  chmodSync(scratch, 0o777);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function kamelab(argv: readonly string[], node: readonly string[] = []): Promise<Ended> {
  const child = spawn(process.execPath, [...node, COMMAND, ...argv], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KAMELAB_RUN: join(scratch, 'labs'), NO_COLOR: undefined, FORCE_COLOR: undefined },
    ...NOBODY,
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
}

function file(name: string, text: string): string {
  const path = join(scratch, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const GOOD =
  'name: good\nnodes: { a: { kind: kame }, b: { kind: kame } }\nlinks: { ab: { type: p2p, nodes: [a, b] } }\n';

describe.concurrent('help', () => {
  // what is listed is tested, so that no command goes without
  const { stdout: all } = spawnSync(process.execPath, [COMMAND, '--help'], { encoding: 'utf8' });
  const listed = /^Commands:\n(.*?)\n\n/ms.exec(all)![1]!;
  const commands = [...listed.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!).filter((name) => name !== 'help');

  test.each(['', ...commands])('kamelab %s --help prints what is expected, with examples', async (command) => {
    const { code, stdout, stderr } = await kamelab([...(command === '' ? [] : [command]), '--help']);
    expect([code, stderr]).toEqual([0, '']);
    if (command !== '') expect(stdout).toContain(`Examples:\n  kamelab ${command}`);
    await expect(stdout).toMatchFileSnapshot(`cli-help/${command === '' ? 'kamelab' : command}.txt`);
  });

  test('the commands are there', () => {
    expect(commands).toEqual(expect.arrayContaining(['run', 'serve', 'up', 'down', 'ps', 'exec', 'validate', 'gc']));
  });

  test('--version is the one of package.json', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(await kamelab(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('help loads no driver, no engine client and no schema', async () => {
    const print = `import { registerHooks } from 'node:module';
      registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context); } });`;
    const { stderr } = await kamelab(['--help'], ['--import', `data:text/javascript,${encodeURIComponent(print)}`]);
    const loaded = stderr.split('\n');
    expect(loaded.some((url) => url.endsWith('orchestrator/cli.ts'))).toBe(true);
    expect(
      loaded.filter((url) => /dockerode|zod|yaml|tun-tap|stack\/|commands\/|drivers\/(docker|process)/.test(url)),
    ).toEqual([]);
  });
});

describe.concurrent('wrong words end with 2, and the message helps', () => {
  const cases: [string, string][] = [
    ['frobnicate', "error: unknown command 'frobnicate'"],
    ['runn', '(Did you mean run?)'],
    ['run --drivr sim', '(Did you mean --driver?)'],
    ['run --driver dcker', 'There are docker, process, sim; did you mean "docker"?'],
    ['run --seed -1', 'A whole number from 0 to 4294967295 is wanted.'],
    ['run --jobs 0', 'A whole number from 1 to 1000 is wanted.'],
    ['run --port 65536', 'A whole number from 0 to 65535 is wanted.'],
    ['run resolv --driver sim', `no cell matches 'resolv'; did you mean "resolve"?`],
    ['run resolve zzz --driver sim', `no cell matches 'zzz'; scenarios are `],
    ['run resolve --driver sim --impl linux', `no cell matches 'resolve' with these options`],
    ['run --impl kam', `no implementation 'kam'; did you mean "kame"?`],
    ['run --impl bird', `no implementation 'bird'; there are kame, linux`],
    ['up', "error: missing required argument 'topology'"],
    ['up no/such/file.yaml', 'no/such/file.yaml: no such file or folder'],
    ['up topologies/examples/two-nodes --name No', "'No' is no name for a lab"],
    ['up topologies/examples/two-nodes --driver sim', 'a simulated lab ends with its command'],
    ['down', 'which lab?'],
    ['down nosuch', "no lab 'nosuch'"],
    ['exec nosuch a true', "no lab 'nosuch'"],
    ['exec nosuch a', "missing required argument 'command'"],
    ['ps nosuch', "no lab 'nosuch'"],
    ['validate', "missing required argument 'file'"],
    ['gc --al', '(Did you mean --all?)'],
  ];
  test.each(cases)('kamelab %s', async (line, message) => {
    const { code, stdout, stderr } = await kamelab(line.split(' '));
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe('validate', () => {
  test('tells name and size of what is right, by file or folder, and ends with 0', async () => {
    const folder = join(file('lab/topology.yaml', GOOD), '..');
    const other = file('good.yaml', GOOD);
    expect(await kamelab(['validate', folder, other])).toEqual({
      code: 0,
      stdout: `${folder}: good, 2 nodes, 1 links\n${other}: good, 2 nodes, 1 links\n`,
      stderr: '',
    });
  });

  test('names file, line, column, field and what was expected of all that is wrong, and ends with 2', async () => {
    const wrong = file('wrong.yaml', GOOD.replace('p2p', 'p2q').replace('b: { kind: kame', 'b: { kind: knme'));
    const { code, stdout, stderr } = await kamelab(['validate', wrong, file('good.yaml', GOOD)]);
    expect(code).toBe(2);
    expect(stdout).toContain('good.yaml: good, 2 nodes');
    expect(stderr.split('\n')).toEqual([
      `${wrong}:2:40: nodes.b.kind: expected one of kame, linux, found "knme"; did you mean "kame"?`,
      `${wrong}:3:22: links.ab.type: expected one of p2p, lan, found "p2q"; did you mean "p2p"?`,
      '',
    ]);
  });

  test('--json gives the resolved topologies', async () => {
    const { code, stdout } = await kamelab(['validate', '--json', file('good.yaml', GOOD)]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'good', seed: 1, nodes: [{ name: 'a' }, { name: 'b' }] }]);
  });

  test('what works but looks wrong is told, and is no error', async () => {
    const { code, stderr } = await kamelab(['validate', file('odd.yaml', 'name: odd\nnodes: { a: { kind: kame } }\n')]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('odd.yaml:2:10: nodes.a: is on no link')]);
  });
});

describe('without root and Docker', () => {
  test.skipIf(process.getuid?.() !== 0)('run says why it takes the simulation', async () => {
    const { code, stdout, stderr } = await kamelab(['run', '--list']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^kamelab: the docker driver can't run here: .+$/m);
    expect(stderr).toContain("kamelab: the process driver can't run here: needs root for network namespaces");
    expect(
      stdout
        .split('\n')
        .filter(Boolean)
        .every((id) => id.endsWith('/sim')),
    ).toBe(true);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'up, gc, and a driver asked for that can not run, end with 3 and the reason',
    async () => {
      for (const line of [
        'up topologies/examples/two-nodes',
        'up topologies/examples/two-nodes -d process',
        'gc',
        'run -d process',
      ]) {
        const { code, stdout, stderr } = await kamelab(line.split(' '));
        expect([line, code, stdout]).toEqual([line, 3, '']);
        expect(stderr).toContain('needs root for network namespaces');
      }
    },
  );
});

describe('run --driver sim', () => {
  const one = 'resolve/p2p/kame-kame/sim';
  const options = () => ['run', one, '--driver', 'sim', '--output', join(scratch, 'results')];

  test('judges its cells without privilege, with plain lines where there is no terminal', async () => {
    const { code, stdout, stderr } = await kamelab(options());
    expect(code).toBe(0);
    expect(stderr).toMatch(/^1 cells under sim; results in .*\n/);
    expect(stderr).toMatch(/^\[1\/1\] pass resolve\/p2p\/kame-kame\/sim \(\d+\.\d s\)$/m);
    expect(stdout).toMatch(/^1 cells in \d+\.\d s: 1 pass\nreport: .*index\.html\n$/);
    expect(stdout + stderr).not.toContain('\x1b');
  });

  test('--json gives the result and nothing else', async () => {
    const { code, stdout, stderr } = await kamelab([...options(), '--json', '--seed', '7']);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ cells: [{ id: one, outcome: 'pass', seed: 7 }] });
  });

  test('--list names cells, one a line or as JSON; patterns and --impl choose', async () => {
    const lines = await kamelab(['run', 'resolve', '--driver', 'sim', '--list']);
    expect(lines.stdout.split('\n')).toContain(one);
    const json = await kamelab(['run', '*/p2p/*', '--impl', 'kame', '--driver', 'sim', '--list', '--json']);
    const ids: string[] = JSON.parse(json.stdout);
    expect(ids).toContain(one);
    expect(ids.every((id) => id.includes('/p2p/'))).toBe(true);
  });

  test('a reader that leaves early is no error', () => {
    const line = `"${process.execPath}" "${COMMAND}" run --driver sim --list 2>&1 | head -1`;
    expect(spawnSync('sh', ['-c', line], { encoding: 'utf8', cwd: ROOT }).stdout.split('\n')).toHaveLength(2);
  });

  test('on a terminal it has colours and a last line of what runs', () => {
    const line = [process.execPath, COMMAND, ...options()].map((word) => `'${word}'`).join(' ');
    const env = { ...process.env, TERM: 'xterm-256color', CI: undefined, NO_COLOR: undefined, FORCE_COLOR: undefined };
    const { status, stdout } = spawnSync('script', ['-qec', line, '/dev/null'], { encoding: 'utf8', cwd: ROOT, env });
    expect(status).toBe(0);
    expect(stdout).toContain('\x1b[32mpass\x1b[39m');
    expect(stdout).toContain('running resolve/p2p/kame-kame/sim\r\x1b[K');
  });
});
