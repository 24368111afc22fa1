/** Faults in the simulated world: exact in virtual time, the same for one seed, seen in frames and time line. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Frame, Lab } from '#orchestrator/drivers/driver.ts';
import { SimulationDriver } from '#orchestrator/drivers/simulation.ts';
import type { FaultSource } from '#orchestrator/faults/fault-schema.ts';
import { loadKinds } from '#orchestrator/kinds.ts';
import { timelineEntries } from '#orchestrator/report/timeline.ts';
import { topology } from '#orchestrator/topology.ts';

const kinds = loadKinds();
const driver = new SimulationDriver(kinds);
const B = '2001:db8::b';
const IN_USE = 3000;
/** One way over a segment, and what a frame takes there and back. */
const LATENCY = 0.05;

function plan(faults: FaultSource[], { seed = 1, wire = true, type = 'p2p' as const } = {}) {
  const ends = { a: { addresses: ['2001:db8::a/64'] }, b: { addresses: [`${B}/64`] } };
  return topology(
    {
      name: 't',
      seed,
      defaults: { kind: 'kame' },
      nodes: { a: null, b: null },
      links: { ab: { type, wire, faults, ends } },
    },
    { kinds: [...kinds.keys()] },
  );
}

const up = (faults: FaultSource[], options: Parameters<typeof plan>[1] = {}, onFrame?: (frame: Frame) => void) =>
  driver.up(plan(faults, options), { id: 't', ...(onFrame === undefined ? {} : { onFrame }) });
const ping = (lab: Lab, ...words: string[]) => lab.nodes.get('a')!.exec(['ping6', '-n', ...words, B]);
const of = (lab: Lab, name: string): Frame[] =>
  lab.links.get('ab')!.frames.filter(({ decoded, time }) => decoded.icmp6?.name === name && time >= IN_USE);

test('a wire without faults changes nothing: the same frames at the same times as on a plain segment', async () => {
  const run = async (wire: boolean) => {
    await using lab = await up([], { wire });
    await lab.sleep(IN_USE);
    await ping(lab, '-c', '3');
    return lab.links.get('ab')!.frames.map(({ time, from, bytes }) => [time, from, Buffer.from(bytes).toString('hex')]);
  };
  const plain = await run(false);
  expect(plain.length).toBeGreaterThan(10);
  expect(await run(true)).toEqual(plain);
});

test('the first advertisement is lost, and asked for again after RETRANS_TIMER', async () => {
  await using lab = await up([]);
  await lab.sleep(IN_USE);
  const fault = lab.links.get('ab')!.fault({ drop: { icmp6: 'neighborAdvertisement', nth: 1 }, from: 'b' });
  expect((await ping(lab, '-c', '1')).stdout).toContain('1 packets received');
  const [first, second] = of(lab, 'neighborSolicitation');
  expect(second!.time - first!.time).toBe(1000);
  const answers = of(lab, 'neighborAdvertisement');
  expect(answers.map(({ fault }) => fault)).toEqual(['lost', undefined]);
  expect(fault.fired).toBe(1);
  const entries = timelineEntries({ frames: answers, events: lab.events, steps: [], checks: [] }, lab.topology);
  expect(entries.filter(({ kind }) => kind === 'fault')).toEqual([
    {
      kind: 'fault',
      time: Math.round(answers[0]!.time * 1000) / 1000,
      link: 'ab',
      from: 'b',
      text: expect.stringMatching(
        /^lost, by 'drop icmp6 neighborAdvertisement nth 1 from b': .*neighbor advertisement/,
      ),
    },
  ]);
  expect(entries.find(({ kind }) => kind === 'frame')).toMatchObject({
    fault: 'lost',
    label: expect.stringMatching(/\(lost\)$/),
  });
});

test('a delay of 30 ms each way makes a round trip of 60 ms and two latencies, exactly', async () => {
  await using lab = await up([{ delay: '30ms' }]);
  await lab.sleep(IN_USE);
  await ping(lab, '-c', '2');
  const [, request] = of(lab, 'echoRequest');
  const [, reply] = of(lab, 'echoReply');
  expect(reply!.time - request!.time).toBeCloseTo(30 + LATENCY, 9);
});

test('a link that is down for 3 s loses what is sent, and tells when', async () => {
  await using lab = await up([]);
  await lab.sleep(IN_USE);
  await ping(lab, '-c', '1');
  const since = lab.now;
  lab.links.get('ab')!.fault({ down: '3s', after: '2s' });
  const { stdout } = await ping(lab, '-c', '8');
  expect(stdout).toContain('8 packets transmitted, 5 packets received');
  const turns = lab.events.filter(({ type, node }) => type === 'fault' && node === '');
  expect(turns.map(({ time, what }) => [Math.round((time - since) * 1e6) / 1e6, what])).toEqual([
    [2000, 'link down'],
    [5000, 'link up'],
  ]);
});

test('one seed gives one run byte for byte, with every kind of chance; another seed another', async () => {
  const run = async (seed: number): Promise<string> => {
    const hash = createHash('sha256');
    await using lab = await up(
      [
        { loss: '10%' },
        { delay: '10ms', jitter: '5ms', overtake: true },
        { duplicate: { probability: '20%' } },
        { corrupt: { probability: '10%' }, bits: 2 },
        { reorder: { probability: '10%' }, by: 2 },
        { rate: '1mbit' },
      ],
      { seed },
      ({ time, bytes, fault }) => void hash.update(`${time} ${fault} `).update(bytes),
    );
    await lab.sleep(IN_USE);
    await ping(lab, '-c', '200', '-i', '0.1');
    for (const event of lab.events) hash.update(JSON.stringify(event));
    return hash.digest('hex');
  };
  const first = await run(7);
  expect(await run(7)).toBe(first);
  expect(await run(8)).not.toBe(first);
});

test('a link that is no wire takes no fault', async () => {
  await using lab = await up([], { wire: false });
  expect(() => lab.links.get('ab')!.fault({ drop: 'all' })).toThrow(
    'link ab can have no faults: write wire: true for it',
  );
});
