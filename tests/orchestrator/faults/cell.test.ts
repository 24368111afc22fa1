/** What faults mean for a cell's verdict; and that what the documentation shows is so. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCell } from '#orchestrator/cell.ts';
import { SimulationDriver } from '#orchestrator/drivers/simulation.ts';
import type { FaultSource } from '#orchestrator/faults/fault-schema.ts';
import { loadKinds } from '#orchestrator/kinds.ts';
import type { CaseFolder } from '#orchestrator/results.ts';
import { type Context, defineScenario } from '#orchestrator/scenario.ts';
import { topology } from '#orchestrator/topology.ts';

const kinds = loadKinds();
const folder: CaseFolder = {
  relative: '',
  begin: async () => {},
  up: () => {},
  frame: () => {},
  step: () => {},
  evidence: async () => {},
  end: async () => {},
  setAside: async (result) => result,
};

function run(faults: FaultSource[], steps: (context: Context) => Promise<void>) {
  const ends = { a: { addresses: ['2001:db8::a/64'] }, b: { addresses: ['2001:db8::b/64'] } };
  const variant = { name: 't', nodes: { a: null, b: null }, links: { ab: { type: 'p2p' as const, faults, ends } } };
  const scenario = defineScenario({
    name: 't',
    title: 't',
    description: '',
    references: [],
    features: [],
    roles: { a: {}, b: {} },
    variants: { p2p: variant },
    run: steps,
  });
  const roles = { a: 'kame', b: 'kame' };
  const cell = { id: 't/p2p/kame-kame/sim', scenario, variant: 'p2p', roles, driver: new SimulationDriver(kinds) };
  return runCell(cell, { labId: 't', kinds: [...kinds.keys()], folder });
}

const settle = async ({ lab, node }: Context): Promise<void> => {
  await lab.sleep(3000);
  await node('a').ping('2001:db8::b');
};

test('a fault that struck is a check that held', async () => {
  const result = await run([{ drop: { icmp6: 'neighborAdvertisement', nth: 1 } }], settle);
  expect(result).toMatchObject({ outcome: 'pass' });
  expect(result.checks.at(-1)).toMatchObject({
    ok: true,
    text: 'ab: fault struck: drop icmp6 neighborAdvertisement nth 1',
  });
});

test('one that never did fails the cell, though everything else held', async () => {
  const result = await run([{ drop: { icmp6: 'redirect' } }], settle);
  expect(result).toMatchObject({ outcome: 'fail', reason: 'ab: fault struck: drop icmp6 redirect: it never did' });
});

test('also one that a scenario has taken off again', async () => {
  const result = await run([{ delay: '1ms' }], async (context) => {
    context
      .link('ab')
      .fault({ drop: { udp: 53 } })
      .remove();
    await settle(context);
  });
  expect(result).toMatchObject({ outcome: 'fail', reason: 'ab: fault struck: drop udp 53: it never did' });
});

test('an optional one may', async () => {
  expect(await run([{ drop: { icmp6: 'redirect' }, optional: true }], settle)).toMatchObject({ outcome: 'pass' });
});

const text = readFileSync('orchestrator/faults/README.md', 'utf8');
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map(([, block]) => block!);

test.each(blocks('yaml'))('the README shows faults that there are: %s', (block) => {
  const faults = parse(block) as FaultSource[];
  const source = {
    name: 't',
    defaults: { kind: 'kame' },
    nodes: { a: null, b: null },
    links: { ab: { type: 'p2p' as const, nodes: ['a', 'b'], faults } },
  };
  expect(topology(source).links[0]!.faults).toHaveLength(faults.length);
});

test('the README sets faults as a scenario can', async () => {
  const [block] = blocks('ts');
  const result = await run([{ delay: '0ms' }], async (context) => {
    new Function('link', block!)(context.link);
    await settle(context);
    expect(context.link('ab').faults.map(({ name }) => name)).toEqual([
      'delay 0ms',
      'down 3s after 2s',
      'delay 200ms from a',
    ]);
  });
  expect(result.outcome).toBe('fail'); // the delay was taken off before it did anything
});
