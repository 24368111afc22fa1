import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DriverUnderTest } from './drivers/driver-under-test.ts';

const ROOT = join(import.meta.dirname, '../..');
const TOPOLOGY = join(ROOT, 'topologies/examples/two-nodes');
const scratch = mkdtempSync(join(tmpdir(), 'kamelab-cli-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(words[0]!, words.slice(1), {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH']}`, ...env },
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, ...said })));
  return { child, said, ended };
}

function kamelab(words: readonly string[], input?: string): Promise<Ended> {
  const { child, ended } = start([process.execPath, 'bin/kamelab.js', ...words]);
  child.stdin.end(input);
  return ended;
}

for (const name of ['process', 'docker'] as const) {
  const under = await DriverUnderTest.load(name);
  const title = under.reason === undefined ? name : `${name} (skipped: ${under.reason})`;
  describe.skipIf(under.reason !== undefined)(`up, ps, exec and down under ${title}`, () => {
    const id = under.id();
    let socket = '';

    test('up says what it makes, how to use it, and leaves it running', async () => {
      const { code, stdout, stderr } = await kamelab(['up', TOPOLOGY, '--driver', name, '--name', id]);
      expect(code, stderr).toBe(0);
      expect(stderr.split('\n').sort()).toEqual(['', '  1 links', '  a (kame)', '  b (linux)']);
      const lines = stdout.split('\n');
      expect(lines[0]).toBe(`${id} is up under ${name}: a (kame), b (linux)`);
      expect(lines[1]).toBe(`  kamelab exec ${id} a ndp -a`);
      expect(lines[2]).toMatch(/^ {2}KAME_NODE=\S+ node-image\/bin\/ndp -a$/);
      expect(lines[3]).toBe(`  kamelab down ${id}`);
      socket = /KAME_NODE=(\S+)/.exec(stdout)![1]!;
    });

    test('a second of that name is refused, with 2', async () => {
      for (const driver of ['process', name]) {
        const { code, stderr } = await kamelab(['up', TOPOLOGY, '--driver', driver, '--name', id]);
        expect([code, stderr]).toEqual([2, expect.stringContaining(`a lab '${id}' is up already: kamelab down ${id}`)]);
      }
    });

    test('ps lists its nodes: as a table, as JSON, and their control sockets alone', async () => {
      const table = (await kamelab(['ps'])).stdout.split('\n').map((line) => line.split(/ +/));
      expect(table).toContainEqual([id, name, 'a', 'kame', 'running', socket]);
      expect(table).toContainEqual([id, name, 'b', 'linux', 'running']);
      const json = JSON.parse((await kamelab(['ps', id, '--json'])).stdout);
      expect(json).toMatchObject([
        {
          id,
          driver: name,
          keep: true,
          nodes: [
            { name: 'a', kind: 'kame', running: true, control: socket },
            { name: 'b', control: '' },
          ],
        },
      ]);
      expect(await kamelab(['ps', id, 'a', '--control'])).toMatchObject({ code: 0, stdout: `${socket}\n` });
      expect(await kamelab(['ps', id, 'c'])).toMatchObject({ code: 2, stderr: expect.stringContaining('has no node') });
    });

    test('exec runs tools of either node, by its exit code, streams and words', async () => {
      expect(await kamelab(['exec', id, 'a', 'ping6', '-c', '1', '2001:db8::2'])).toMatchObject({
        code: 0,
        stderr: '',
      });
      expect(await kamelab(['exec', id, 'b', '--', 'ping', '-c', '1', '2001:db8::1'])).toMatchObject({ code: 0 });
      expect((await kamelab(['exec', id, 'b', 'ip', '-6', 'neigh'])).stdout).toMatch(/^2001:db8::1 dev ab lladdr/m);
      expect((await kamelab(['exec', id, 'a', 'ndp', '-an'])).stdout).toMatch(/^2001:db8::2 /m);
      const line = 'cat; echo bad >&2; exit 7';
      expect(await kamelab(['exec', id, 'b', 'sh', '-c', line], 'some\n')).toEqual({
        code: 7,
        stdout: 'some\n',
        stderr: 'bad\n',
      });
      expect((await kamelab(['exec', id, 'b', 'no-such-command'])).code).toBe(127);
      expect(await kamelab(['exec', id, 'c', 'true'])).toMatchObject({
        code: 2,
        stderr: `lab '${id}' has no node 'c'; it has a, b\n`,
      });
    });

    test('Ctrl-C is for the command that exec runs', async () => {
      const { child, said, ended } = start([
        process.execPath,
        'bin/kamelab.js',
        'exec',
        id,
        'b',
        'ping',
        '2001:db8::1',
      ]);
      await expect.poll(() => said.stdout, { timeout: 30_000 }).toContain('icmp_seq=1');
      child.kill('SIGINT');
      // a terminal tells both; without one the command has to be told
      if (name === 'process') await interruptIn(id);
      expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('0% packet loss') });
    });

    test('exec ends with its command, whoever still writes to its standard input', async () => {
      const { child, ended } = start([process.execPath, 'bin/kamelab.js', 'exec', id, 'b', 'true']);
      expect(await ended).toMatchObject({ code: 0 });
      child.stdin.destroy();
    });

    test('exec on a terminal gives the command one', async () => {
      const command = `'${process.execPath}' bin/kamelab.js exec ${id} b sh -c 'test -t 0 && test -t 1 && echo both'`;
      const { child, ended } = start(['script', '-qec', command, '/dev/null']);
      expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('both') });
      child.stdin.destroy();
    });

    test("a kame node's own tools run from outside, by KAME_NODE as ps tells it", async () => {
      const line = `KAME_NODE=$('${process.execPath}' bin/kamelab.js ps --control ${id} a) node-image/bin/ndp -an`;
      const { code, stdout } = await start(['sh', '-c', line]).ended;
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^2001:db8::1 .* permanent /m)]);
    });

    test('gc lets it be', async () => {
      expect(await kamelab(['gc'])).toMatchObject({ code: 0, stdout: expect.not.stringContaining(id) });
      expect(await kamelab(['exec', id, 'a', 'ping6', '-c', '1', '2001:db8::2'])).toMatchObject({ code: 0 });
    });

    test('down takes it down, and nothing is left', async () => {
      expect(await kamelab(['down', id])).toEqual({ code: 0, stdout: `${id} is down\n`, stderr: '' });
      expect(await under.left(id)).toEqual([]);
      expect(await kamelab(['down', id])).toMatchObject({ code: 2, stderr: expect.stringContaining(`no lab '${id}'`) });
    });

    test('what can not be built ends with 3 and its reason, and nothing is left', async () => {
      const wrong = JSON.stringify({
        name: 'wrong',
        nodes: { a: { kind: 'linux', commands: ['echo no >&2; exit 9'] } },
      });
      const file = join(scratch, `${name}.yaml`);
      writeFileSync(file, wrong);
      const { code, stderr } = await kamelab(['up', file, '--driver', name, '--name', `${id}-wrong`]);
      expect([code, stderr]).toEqual([
        3,
        expect.stringContaining("kamelab: a: 'echo no >&2; exit 9' ended with 9: no"),
      ]);
      expect(await under.left(`${id}-wrong`)).toEqual([]);
    });
  });
}

/** As a terminal would: to the command in the node. */
async function interruptIn(id: string): Promise<void> {
  await start([process.execPath, 'bin/kamelab.js', 'exec', id, 'b', 'pkill', '-INT', '-x', '-n', 'ping']).ended;
}
