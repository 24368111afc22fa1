/** What is sampled while a cell runs: that it changes nothing, stays within its bounds, and says when there is no answer. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Frame, Lab, LabNode } from '#orchestrator/drivers/driver.ts';
import { SimulationDriver } from '#orchestrator/drivers/simulation.ts';
import { loadKinds } from '#orchestrator/kinds.ts';
import { appendPings, parseMetrics, Sampler } from '#orchestrator/metrics.ts';
import { topology } from '#orchestrator/topology.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'metrics-'));
  path = join(folder, 'metrics.jsonl');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

const written = () => parseMetrics(readFileSync(path, 'utf8'));

const plan = topology({
  name: 'pair',
  nodes: { a: { kind: 'kame' }, b: { kind: 'kame' } },
  links: { ab: { type: 'p2p', ends: { a: { addresses: ['2001:db8::1/64'] }, b: { addresses: ['2001:db8::2/64'] } } } },
});

/** Pings for some seconds of virtual time, and what the link saw. */
async function ran(sampled: boolean): Promise<string[]> {
  const frames: string[] = [];
  let sampler: Sampler | undefined;
  const onFrame = (frame: Frame): void => {
    sampler?.passed(frame.time);
    frames.push(`${frame.time} ${Buffer.from(frame.bytes).toString('hex')}`);
  };
  await using lab = await new SimulationDriver(loadKinds()).up(plan, { id: 'test', onFrame });
  if (sampled) sampler = new Sampler(lab, path);
  await lab.sleep(3000);
  await lab.nodes.get('a')!.exec('ping6 -c 20 2001:db8::2');
  await lab.sleep(10_000);
  await lab.nodes.get('b')!.exec('ping6 -c 3 2001:db8::1');
  await sampler?.end();
  return frames;
}

describe('in virtual time', () => {
  test('a run with samples is the same, byte for byte', async () => {
    const plain = await ran(false);
    expect(plain.length).toBeGreaterThan(40);
    expect(await ran(true)).toEqual(plain);
  });

  test('a sample is of the second it is told for', async () => {
    await ran(true);
    const { samples } = written();
    const echoes = samples.map(({ time, nodes }) => [time, nodes['b']!.counters?.['icmp6.reflected'] ?? 0] as const);
    // one echo a second is answered: at every moment as many as seconds have passed
    const [first] = echoes.find(([, answered]) => answered > 0)!;
    for (const [time, answered] of echoes.filter(([time]) => time < first + 18_000))
      expect(Math.abs(answered - Math.max(0, (time - first) / 1000))).toBeLessThanOrEqual(1);
    expect(samples.at(-1)!.nodes['b']!.interfaces?.['ab']?.inPackets).toBeGreaterThanOrEqual(20);
    expect(samples.every(({ orchestrator }) => orchestrator === undefined)).toBe(true);
  });
});

/** A lab that is nothing but what it says. */
function labOf(nodes: Readonly<Record<string, LabNode['state']>>, driver: Lab['driver'] = 'sim') {
  const frames: Frame[] = [];
  const lab = {
    driver,
    now: 0,
    nodes: new Map(Object.entries(nodes).map(([name, state]) => [name, { name, kind: 'kame', state } as LabNode])),
    links: new Map([['ab', { name: 'ab', frames, lost: 0 }]]),
  };
  return lab as unknown as Lab & { now: number };
}

const STATE = { interfaces: [], neighbors: [], counters: { ip6: { received: 7, tooShort: 0 } } } as never;

describe('a file of samples', () => {
  test('stays within its bounds over any time, and covers all of it evenly', async () => {
    const lab = labOf({ a: async () => STATE });
    const sampler = new Sampler(lab, path);
    const DAY = 86_400_000;
    for (let time = 0; time <= DAY; time += 500) {
      sampler.passed(time);
      if (time % 50_000 === 0) await Promise.resolve();
    }
    lab.now = DAY;
    await sampler.end();
    const times = written().samples.map(({ time }) => time);
    expect(times.length).toBeGreaterThan(100);
    expect(times.length).toBeLessThanOrEqual(300);
    expect(times[0]).toBe(0);
    expect(times.at(-1)).toBe(DAY);
    const gaps = times.slice(1).map((time, at) => time - times[at]!);
    expect(Math.max(...gaps)).toBeLessThan(DAY / 50);
  });

  test('of a large lab asks less often, and keeps less', async () => {
    let asked = 0;
    const state = async () => {
      asked++;
      return STATE;
    };
    const lab = labOf(Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`n${at}`, state])));
    const sampler = new Sampler(lab, path);
    for (let time = 0; time <= 600_000; time += 1000) sampler.passed(time);
    await sampler.end();
    expect(asked).toBeLessThan(500 * 60);
    expect(written().samples.length).toBeLessThanOrEqual(20);
  });

  test('begins anew, ends with the pings, and is read up to where a killed run broke off', async () => {
    appendPings(path, [{ link: 'old', from: 'x', to: 'y', time: 0, rtt: 1 }]);
    const lab = labOf({ a: async () => STATE });
    await new Sampler(lab, path).end();
    const ping = { link: 'ab', node: 'a', from: 'fe80::a', to: 'fe80::b', time: 12, rtt: null };
    appendPings(path, [ping]);
    const text = readFileSync(path, 'utf8');
    expect(written()).toMatchObject({
      samples: [{ nodes: { a: { counters: { 'ip6.received': 7 } } } }, {}],
      pings: [ping],
    });
    expect(parseMetrics(text.slice(0, -10))).toMatchObject({ samples: [{}, {}], pings: [] });
    expect(parseMetrics('null\n[]\n7\n"x"\n{}\n{"time":1}\n').samples).toHaveLength(1);
  });
});

describe('a cell is neither failed nor held up', () => {
  test('by a node that says nothing, refuses, or is no kame node', async () => {
    vi.useFakeTimers();
    const lab = labOf({
      still: () => new Promise(() => {}),
      dead: () => Promise.reject(new Error('the node hung up')),
      linux: async () => undefined,
      well: async () => STATE,
    });
    const ended = new Sampler(lab, path).end();
    await vi.advanceTimersByTimeAsync(2000);
    await ended;
    expect(written().samples.at(-1)!.nodes).toEqual({
      still: { silent: true },
      dead: { silent: true },
      linux: {},
      well: { interfaces: {}, counters: { 'ip6.received': 7 }, neighbors: {} },
    });
  });

  test('by a folder that cannot be written', async () => {
    const lab = labOf({ a: async () => STATE });
    const sampler = new Sampler(lab, join(folder, 'nowhere', 'metrics.jsonl'));
    sampler.passed(5000);
    await expect(sampler.end()).resolves.toBeUndefined();
    appendPings(join(folder, 'nowhere', 'metrics.jsonl'), [{ link: 'ab', from: 'x', to: 'y', time: 0, rtt: 1 }]);
  });
});
