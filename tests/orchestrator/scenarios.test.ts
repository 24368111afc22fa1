/** The suite's scenarios in virtual time, where kame plays every role: that they pass, and that they would not pass anything. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Cell, runCell } from '#orchestrator/cell.ts';
import type { Driver } from '#orchestrator/drivers/driver.ts';
import { SimulationDriver } from '#orchestrator/drivers/simulation.ts';
import { loadKinds } from '#orchestrator/kinds.ts';
import { cells } from '#orchestrator/matrix.ts';
import type { CellResult } from '#orchestrator/outcome.ts';
import type { CaseFolder } from '#orchestrator/results.ts';
import type { Scenario } from '#orchestrator/scenario.ts';
import { loadScenarios } from '#orchestrator/scenarios.ts';
import { topology } from '#orchestrator/topology.ts';

const TOPOLOGIES = join(import.meta.dirname, '../../topologies');
const kinds = loadKinds();
const driver = new SimulationDriver(kinds);
const scenarios = await loadScenarios();
const every = cells(scenarios, kinds, [driver], { patterns: [], implementations: [] });

const NOWHERE: CaseFolder = {
  relative: '',
  begin: async () => {},
  up: () => {},
  frame: () => {},
  step: () => {},
  evidence: async () => {},
  end: async () => {},
  setAside: async (result) => result,
};

const run = (cell: Cell): Promise<CellResult> =>
  runCell(cell, { labId: 'test', kinds: [...kinds.keys()], folder: NOWHERE });

/** The same cell with a node's sysctl set to something that the RFC does not allow. */
function spoiled(id: string, node: string, sysctl: string, value: number): Cell {
  const cell = every.find((each) => each.id === id)!;
  const source = cell.scenario.variants[cell.variant]!;
  const kame = { sysctls: { [`net.inet6.${sysctl}`]: value } };
  const variant = { ...source, nodes: { ...source.nodes, [node]: { ...source.nodes[node], kame } } };
  const scenario: Scenario = { ...cell.scenario, variants: { [cell.variant]: variant } };
  return { ...cell, scenario };
}

describe('every scenario', () => {
  test('has a name of its own, of small letters, digits and dashes', () => {
    const names = scenarios.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+$/);
  });

  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    '%s says what it judges, by which sections, and which features it proves',
    (_, scenario) => {
      expect(scenario.title).not.toBe('');
      expect(scenario.description.length).toBeGreaterThan(50);
      expect(scenario.references.length).toBeGreaterThan(0);
      for (const reference of scenario.references) expect(reference).toMatch(/^RFC \d+( [\dA-Z.]+)?$/);
      for (const feature of scenario.features) expect(feature).toMatch(/^[A-Z]{2}-\d{2}$/);
      for (const source of Object.values(scenario.variants)) {
        const nodes = topology({ ...source, defaults: { ...source.defaults, kind: 'kame' } }).nodes;
        expect(nodes.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(scenario.roles)));
      }
    },
  );

  test('is in the README of its folder', () => {
    for (const file of globSync('**/*.scenario.ts', { cwd: TOPOLOGIES })) {
      const readme = join(TOPOLOGIES, dirname(file), 'README.md');
      expect(existsSync(readme), readme).toBe(true);
      expect(readFileSync(readme, 'utf8')).toContain(`\`${/([^/]+)\.scenario\.ts$/.exec(file)![1]}\``);
    }
  });
});

describe('every lab of scenarios', () => {
  const readmes = globSync('*/README.md', { cwd: TOPOLOGIES }).sort();
  const commands = readmes.flatMap((file) =>
    [...readFileSync(join(TOPOLOGIES, file), 'utf8').matchAll(/^npx kamelab run (\S+)/gm)].map(([, pattern]) => [
      file,
      pattern!.replaceAll("'", ''),
    ]),
  );

  test.each(commands)('%s: `kamelab run %s` runs something', (_, pattern) => {
    const patterns = [pattern!];
    expect(cells(scenarios, kinds, [{ name: 'process' } as Driver], { patterns, implementations: [] })).not.toEqual([]);
  });
});

describe('between kame nodes in virtual time', () => {
  test.each(every.map((cell) => [cell.scenario.features.join(' '), cell.scenario.title, cell.id, cell] as const))(
    '%s %s: %s passes',
    async (_, __, ___, cell) => {
      const { outcome, reason } = await run(cell);
      expect({ outcome, reason }).toEqual({ outcome: 'pass', reason: '' });
    },
  );
});

describe('a scenario finds a node that', () => {
  test.each([
    ['sends with another hop limit', 'resolve/lan/kame-kame/sim', 'a', 'ip6.hlim', 63, /echo request/],
    ['asks once too little for an absent neighbor', 'resolve/p2p/kame-kame/sim', 'a', 'icmp6.nd6_mmaxtries', 2, /3 ×/],
    ['does not detect duplicates', 'dad-conflict/lan/kame-kame/sim', 'a', 'ip6.dad_count', 0, /probe/],
    ['probes a dead neighbor too often', 'nud/tun/kame-kame/sim', 'a', 'icmp6.nd6_umaxtries', 4, /fourth probe/],
    ['gives up a dead neighbor too early', 'nud/p2p/kame-kame/sim', 'a', 'icmp6.nd6_umaxtries', 2, /three probes/],
    ['probes too soon', 'nud/lan/kame-kame/sim', 'a', 'icmp6.nd6_delay', 4, /first probe .* within 5250/],
    ['does not forward', 'forward/p2p/kame-kame-kame/sim', 'r', 'ip6.forwarding', 0, /reply from h2/],
  ] as const)('%s', async (_, id, node, sysctl, value, reason) => {
    const result = await run(spoiled(id, node, sysctl, value));
    expect(result.outcome).toBe('fail');
    expect(result.reason).toMatch(reason);
  });
});
