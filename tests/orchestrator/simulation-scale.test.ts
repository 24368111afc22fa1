/** What virtual time is for: many nodes, long times, and one capture for one seed. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SimulationDriver } from '#orchestrator/drivers/simulation.ts';
import { loadKinds } from '#orchestrator/kinds.ts';
import { topology } from '#orchestrator/topology.ts';

const kinds = loadKinds();
const driver = new SimulationDriver(kinds);

function lan(count: number, seed: number) {
  const nodes = Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      `n${at}`,
      { kind: 'kame', addresses: [`2001:db8::${(at + 1).toString(16)}/64`] },
    ]),
  );
  return topology(
    { name: 'scale', seed, nodes, links: { lan0: { type: 'lan', nodes: Object.keys(nodes) } } },
    {
      kinds: [...kinds.keys()],
    },
  );
}

describe('the simulation', () => {
  test('200 kame nodes share one LAN: each detects no duplicate, and the first pings the last', async () => {
    const frames: number[] = [];
    await using lab = await driver.up(lan(200, 1), { id: 'scale', onFrame: (frame) => void frames.push(frame.time) });
    await lab.sleep(3000);
    const states = await Promise.all([...lab.nodes.values()].map((node) => node.state()));
    const addresses = states.flatMap((state) => state!.interfaces.find(({ name }) => name === 'lan0')!.addresses);
    expect(addresses).toHaveLength(400);
    expect(addresses.every(({ state }) => state === 'preferred')).toBe(true);
    const ping = await lab.nodes.get('n0')!.exec('ping6 -n -c 2 2001:db8::c8');
    expect(ping.stdout).toContain('2 packets transmitted, 2 packets received');
    expect(frames.length).toBeGreaterThan(800);
  });

  test('one seed gives one run, byte for byte, and another seed another', async () => {
    const run = async (seed: number): Promise<string> => {
      const hash = createHash('sha256');
      await using lab = await driver.up(lan(5, seed), {
        id: 'same',
        onFrame: ({ time, bytes }) => void hash.update(`${time} `).update(bytes),
      });
      await lab.sleep(2000);
      await Promise.all([
        lab.nodes.get('n0')!.exec('ping6 -n -c 5 2001:db8::2'),
        lab.nodes.get('n1')!.exec('ping6 -n -c 3 ff02::1%lan0'),
      ]);
      await lab.sleep(60_000);
      return hash.digest('hex');
    };
    const first = await run(7);
    expect(await run(7)).toBe(first);
    expect(await run(8)).not.toBe(first);
  });
});
