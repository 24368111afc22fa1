/** The text of a host's labs, and that the dashboard and the document name only what is in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exposition, type Family } from '#node/exposition.ts';
import { processMetrics } from '#node/process-metrics.ts';
import type { LabSummary } from '#orchestrator/drivers/driver.ts';
import { labFamilies, type SeenNode } from '#orchestrator/lab-metrics.ts';
import { pair } from '#tests/node/nodes.ts';
import { hasPrometheusClient, parseByPrometheusClient, problemsOf } from '#tests/support/prometheus.ts';

const DOCS = join(import.meta.dirname, '../../docs');

function families(): Family[] {
  const { a, run } = pair();
  run('ping6 -c 1 2001:db8::2');
  const nodes = [
    { name: 'a', kind: 'kame', running: true, control: '/run/a', namespace: '/run/netns/a' },
    { name: 'b', kind: 'linux', running: true, control: '', namespace: '/run/netns/b' },
    { name: 'c', kind: 'linux', running: false, control: '', namespace: '' },
  ];
  const lab: LabSummary = { id: 'two', driver: 'process', keep: true, nodes };
  const interfaces = {
    ab: { inPackets: 1, inBytes: 2, inErrors: 3, inDropped: 4, outPackets: 5, outBytes: 6, outErrors: 7 },
  };
  const [one, two, three] = nodes.map((node): SeenNode => {
    return {
      lab,
      node,
      up: true,
      processes: { cpu: 0.25, rss: 2 ** 20, processes: 1 },
      interfaces,
      counters: {},
      told: [],
    };
  }) as [SeenNode, SeenNode, SeenNode];
  const seen = [
    { ...one, told: [...a.metrics(), ...processMetrics()] },
    { ...two, counters: { Ip6InReceives: 9 } },
    { ...three, up: false, processes: undefined, interfaces: {} },
  ];
  // a second lab with nodes of the same names
  const other = { ...lab, id: 'other' };
  return labFamilies([lab, other], [...seen, ...seen.map((node) => ({ ...node, lab: other }))], 0.02);
}

const all = families();
const text = exposition(all);
const names = new Set(all.map(({ name }) => name));

describe('the labs of a host as Prometheus text', () => {
  test('are sound by the rules of the format, each node apart by its labels', () => {
    expect(problemsOf(text)).toEqual([]);
    expect(text).toContain('\nkamelab_node_up{lab="two",node="a",kind="kame"} 1\n');
    expect(text).toContain('\nkamelab_node_up{lab="other",node="c",kind="linux"} 0\n');
    expect(text).toContain('\nkamelab_interface_receive_dropped_total{lab="two",node="b",interface="ab"} 4\n');
    expect(text).toContain('\nkamelab_kernel_ip6_total{lab="two",node="b",counter="Ip6InReceives"} 9\n');
    expect(text).toMatch(/\nkame_neighbors\{interface="tap0",state="reachable",lab="two",node="a"\} 1\n/);
    expect(text).not.toContain('kamelab_node_processes{lab="two",node="c"}');
  });

  test.skipIf(!hasPrometheusClient)("are read by Prometheus' own parser (needs python3-prometheus-client)", () => {
    expect(parseByPrometheusClient(text).map(({ samples }) => samples[0]!.name)).toEqual([...names]);
  });
});

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

describe('the Grafana dashboard', () => {
  const dashboard = JSON.parse(readFileSync(join(DOCS, 'grafana-dashboard.json'), 'utf8')) as {
    readonly title: string;
    readonly uid: string;
    readonly schemaVersion: number;
    readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
    readonly panels: readonly Panel[];
  };
  const { panels } = dashboard;
  const targets = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));
  /** The words that are no functions, labels, strings or durations. */
  const metricsIn = (expr: string): string[] =>
    expr
      .replace(/\{[^}]*\}|\[[^\]]*\]|\b(by|on) \([^)]*\)/g, ' ')
      .match(/[a-z_]\w+/g)!
      .filter((word) => !['rate', 'sum', 'count'].includes(word));

  test('has panels with numbers of their own that lie beside each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), title).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
    }
    for (const { title, type, targets = [] } of panels) {
      expect(targets.length > 0, title).toBe(type !== 'row');
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    }
  });

  test('asks only for metrics that are served', () => {
    const asked = targets.flatMap(({ expr }) => metricsIn(expr));
    expect(asked.length).toBeGreaterThan(50);
    expect(asked.filter((name) => !names.has(name))).toEqual([]);
  });

  test('asks only for labels that these metrics have, and names series by them', () => {
    for (const { title, expr, legendFormat } of targets) {
      const labels = new Set(
        metricsIn(expr).flatMap((name) =>
          all.find((family) => family.name === name)!.samples.flatMap((sample) => Object.keys(sample.labels)),
        ),
      );
      const selected = [...expr.matchAll(/([a-z_]+)(?:=~?|!=|!~)"/g)].map(([, label]) => label!);
      const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
      for (const label of [...selected, ...shown]) expect(labels, `${title}: ${expr}: ${label}`).toContain(label);
    }
  });

  test('takes the rate of counters, and of nothing else', () => {
    for (const { title, expr } of targets) {
      for (const [, name] of expr.matchAll(/rate\((\w+)/g)) expect(name, title).toMatch(/_total$/);
      const bare = expr.replace(/rate\(\w+/g, '');
      expect(bare, title).not.toMatch(/_total/);
    }
  });

  test('has variables of labels that are there', () => {
    const queries = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
    expect(queries).toHaveLength(2);
    for (const query of queries) expect(names).toContain(/^label_values\((\w+)/.exec(query)![1]);
  });
});

test('the document names only metrics that are served, and all that kamelab adds itself', () => {
  const document = readFileSync(join(DOCS, 'metrics.md'), 'utf8');
  const named = [...document.matchAll(/`((?:kame|kamelab|process)_[a-z0-9_]*[a-z0-9])`/g)].map(([, name]) => name!);
  expect(named.filter((name) => !names.has(name))).toEqual([]);
  const missing = [...names].filter(
    (name) => name.startsWith('kamelab_') && !document.includes(name.replace(/_(packets|errors|dropped)_total$/, '_')),
  );
  expect(missing).toEqual([]);
});
