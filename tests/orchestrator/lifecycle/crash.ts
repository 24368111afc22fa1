/** Ends the command at many moments in many ways, and looks for what is left. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { listNamespaces } from 'tun-tap';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DriverName, Lab } from '#orchestrator/drivers/driver.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import { SeededRandom } from '#stack/env/random.ts';
import type { DriverUnderTest } from '../drivers/driver-under-test.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Cases at once: each mostly waits, and what one leaves is no business of another's. */
const AT_ONCE = 4;
const SEED = 20;

const PAIR: TopologySource = {
  name: 'pair',
  defaults: {
    kame: { sysctls: { 'net.inet6.ip6.dad_count': 0 } },
    linux: { sysctls: { 'net.ipv6.conf.default.accept_dad': 0 } },
  },
  nodes: { a: { kind: 'kame' }, b: { kind: 'linux', daemons: [{ run: 'echo up; exec sleep 1000', ready: 'up' }] } },
  links: {
    ab: { type: 'p2p', ends: { a: { addresses: ['2001:db8::1/64'] }, b: { addresses: ['2001:db8::2/64'] } } },
    lan: { type: 'lan', nodes: ['a', 'b'] },
  },
};

const WAYS = ['SIGINT', 'SIGTERM', 'SIGKILL', 'throws'] as const;
type Way = (typeof WAYS)[number];
type Doing = 'up' | 'run' | 'down';

/** More than one of every way in each doing. */
function moments(): { doing: Doing; way: Way; part: number; id: string }[] {
  const random = new SeededRandom(SEED);
  const all = (['up', 'run', 'down', 'up', 'run'] as const).flatMap((doing) => WAYS.map((way) => ({ doing, way })));
  return all.map((each, at) => ({ ...each, part: random.u32() / 2 ** 32, id: `crash${process.pid}-${at}` }));
}

interface Ended {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly duration: number;
}

/** `loadUnderTest` comes after the folder of labs is set, since that is read once. */
export function crashes(name: DriverName, loadUnderTest: (name: DriverName) => Promise<DriverUnderTest>): void {
  const scratch = mkdtempSync(join(tmpdir(), 'kamelab-crash-'));
  process.env['KAMELAB_RUN'] = join(scratch, 'labs');
  const topologyFile = join(scratch, 'pair.yaml');
  writeFileSync(topologyFile, JSON.stringify(PAIR));

  const words: Readonly<Record<Doing, (id: string) => string[]>> = {
    up: (id) => ['up', topologyFile, '--name', id, '--driver', name],
    run: (id) => ['run', 'resolve/lan/kame-linux', '--driver', name, '--output', join(scratch, id)],
    down: (id) => ['down', id],
  };

  function kamelab(argv: readonly string[], end?: { way: Way; after: number }): Promise<Ended> {
    const started = performance.now();
    const throwing = end?.way === 'throws';
    const before = throwing ? ['--import', join(import.meta.dirname, 'throw-later.js')] : [];
    const child = spawn(process.execPath, [...before, join(ROOT, 'bin/kamelab.js'), ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...(throwing ? { THROW_AFTER: `${end.after}` } : {}) },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const way = end?.way;
    const timer = way === undefined || way === 'throws' ? undefined : setTimeout(() => child.kill(way), end!.after);
    return new Promise((resolve) => {
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        resolve({ pid: child.pid!, code, signal, output, duration: performance.now() - started });
      });
    });
  }

  describe(`ended at any moment, a command of the ${name} driver`, async () => {
    const under = await loadUnderTest(name);
    let living: Lab;
    const lasts = {} as Record<Doing, number>;

    /** What can be traced to these processes or labs. */
    async function left(pids: readonly number[], ids: readonly string[]): Promise<string[]> {
      const found: string[] = [];
      for (const id of ids) found.push(...(await under.left(id)));
      if (name === 'process') {
        for (const id of listing(process.env['KAMELAB_RUN']!)) if (id !== living.id) found.push(`folder ${id}`);
        return found;
      }
      const containers = await new Docker().listContainers({ all: true, filters: { label: ['kamelab.owner'] } });
      for (const { Names, Labels } of containers) {
        if (pids.includes(JSON.parse(Labels['kamelab.owner']!).pid)) found.push(`container ${Names[0]}`);
      }
      return found;
    }

    const stillThere = async (): Promise<void> => {
      for (const [node, ping, address] of [
        ['a', 'ping6', '2001:db8::2'],
        ['b', 'ping', '2001:db8::1'],
      ] as const) {
        const answer = await living.nodes.get(node)!.exec([ping, '-c', '1', address]);
        expect(answer, answer.stdout + answer.stderr).toMatchObject({ code: 0 });
      }
    };

    beforeAll(async () => {
      if (under.reason !== undefined) return;
      living = await under.up(PAIR);
      const ids = { up: `crash${process.pid}-once`, run: `crash${process.pid}-run`, down: `crash${process.pid}-once` };
      for (const doing of ['up', 'down', 'run'] as const) {
        const whole = await kamelab(words[doing](ids[doing]));
        expect(whole, whole.output).toMatchObject({ code: 0 });
        lasts[doing] = whole.duration;
      }
    });

    afterAll(async () => {
      await living?.down();
      rmSync(scratch, { recursive: true, force: true });
    });

    test.skipIf(under.reason !== undefined)(
      `leaves nothing that gc does not remove, and a living lab is as it was${under.reason === undefined ? '' : ` (skipped: ${under.reason})`}`,
      async () => {
        const waiting = moments();
        const problems: string[] = [];
        const one = async ({ doing, way, part, id }: (typeof waiting)[number]): Promise<void> => {
          if (doing === 'down') await kamelab(words.up(id));
          const after = Math.round(part * lasts[doing]);
          const ended = await kamelab(words[doing](id), { way, after });
          const what = `${doing} ended by ${way} after ${after} of ${lasts[doing].toFixed(0)} ms (${ended.code ?? ended.signal})`;
          const done = ended.code === 0;
          const asked = way === 'SIGKILL' || ended.signal !== null || doing === 'down';
          if (!asked && !done) {
            const wanted = way === 'throws' ? 3 : 130;
            if (ended.code !== wanted) problems.push(`${what}: ended with ${ended.code}: ${ended.output}`);
            const kept = (await left([ended.pid], [id])).filter((line) => !line.startsWith('folder'));
            if (kept.length > 0) problems.push(`${what}, before gc: ${kept.join(', ')}: ${ended.output}`);
          }
          await under.driver.collect({ all: false, dryRun: false });
          // what came up before the end was asked for, or stays because its end did not begin, is a lab to be kept
          if ((await under.driver.list()).some((lab) => lab.id === id && lab.keep)) {
            if (doing === 'run') problems.push(`${what}: kept`);
            await under.driver.remove(id);
          }
          const found = (await left([ended.pid], [id])).filter((line) => !line.startsWith('folder'));
          if (found.length > 0) problems.push(`${what}, after gc: ${found.join(', ')}: ${ended.output}`);
        };
        const worker = async (): Promise<void> => {
          for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await one(next);
        };
        await Promise.all(Array.from({ length: AT_ONCE }, worker));
        expect(problems).toEqual([]);
        await stillThere();
        expect(await left([], [])).toEqual([]);
        if (name === 'process') {
          const others = processesOfThis(process.env['KAMELAB_RUN']!, living.id);
          expect(others).toEqual([]);
          const mine = listNamespaces().filter((each) => each.startsWith(`kamelab-crash${process.pid}-`));
          expect(mine).toEqual([]);
        }
      },
    );

    test.skipIf(under.reason !== undefined)('gc told to look only, looks only', async () => {
      const id = `crash${process.pid}-look`;
      await kamelab(words.up(id), { way: 'SIGKILL', after: 0.7 * lasts.up });
      const before = await under.driver.collect({ all: false, dryRun: true });
      const again = await under.driver.collect({ all: false, dryRun: true });
      expect(again.filter((line) => line.includes(id))).toEqual(before.filter((line) => line.includes(id)));
      await under.driver.collect({ all: false, dryRun: false });
      await under.driver.remove(id);
      await stillThere();
    });
  });
}

/** Started by one of the commands, wherever they are; those of one lab are meant to be there. */
function processesOfThis(folder: string, except: string): string[] {
  return listing('/proc').filter((pid) => {
    if (Number(pid) === process.pid || !/^\d+$/.test(pid)) return false;
    const environment = read(`/proc/${pid}/environ`).split('\0');
    return environment.includes(`KAMELAB_RUN=${folder}`) && !environment.includes(`KAMELAB_LAB=${except}`);
  });
}

function listing(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
