/** Metrics of real nodes: what the kernel knows of them, what they tell, and that a node that stands still holds nobody up. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTENT_TYPE } from '#node/exposition.ts';
import { serveMetrics } from '#orchestrator/commands/metrics.ts';
import type { Frame, Lab } from '#orchestrator/drivers/driver.ts';
import { ProcessDriver } from '#orchestrator/drivers/process.ts';
import { loadKinds } from '#orchestrator/kinds.ts';
import { HostMetrics } from '#orchestrator/lab-metrics.ts';
import { appendPings, parseMetrics, Sampler } from '#orchestrator/metrics.ts';
import { pings } from '#orchestrator/pings.ts';
import { topology } from '#orchestrator/topology.ts';
import { problemsOf } from '#tests/support/prometheus.ts';

const kinds = loadKinds();
const driver = new ProcessDriver(kinds);
const LAB = `metrics-${process.pid}`;

describe.skipIf(process.getuid?.() !== 0 || !existsSync('/dev/net/tun'))(
  'metrics (needs root and /dev/net/tun)',
  () => {
    let lab: Lab;
    let folder: string;
    const frames: Frame[] = [];

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'metrics-'));
      const ends = { a: { addresses: ['2001:db8::1/64'] }, b: { addresses: ['2001:db8::2/64'] } };
      const plan = topology(
        { name: 'pair', nodes: { a: { kind: 'kame' }, b: { kind: 'linux' } }, links: { ab: { type: 'p2p', ends } } },
        { kinds: [...kinds.keys()] },
      );
      lab = await driver.up(plan, { id: LAB, onFrame: (frame) => frames.push(frame) });
      await lab.until(() => frames.length > 0, 3000);
      await lab.sleep(2500);
    });
    afterAll(async () => {
      await lab?.down();
      rmSync(folder, { recursive: true, force: true });
    });

    test('samples of a case have nodes, links and processes; its pings have their times', async () => {
      const path = join(folder, 'metrics.jsonl');
      const sampler = new Sampler(lab, path);
      await lab.nodes.get('a')!.exec('ping6 -c 20 -i 0.05 2001:db8::2');
      await sampler.end();
      appendPings(path, pings(frames));
      const { samples, pings: seen } = parseMetrics(readFileSync(path, 'utf8'));
      const [first, last] = [samples[0]!, samples.at(-1)!];
      const { a, b } = last.nodes as Record<string, NonNullable<(typeof last.nodes)[string]>>;
      expect(a!.counters!['ip6.localOut']! - (first.nodes['a']!.counters!['ip6.localOut'] ?? 0)).toBeGreaterThanOrEqual(
        20,
      );
      expect(b!.counters!['Icmp6InEchos']! - (first.nodes['b']!.counters!['Icmp6InEchos'] ?? 0)).toBe(20);
      // nodes are asked one after the other, and may say something of their own in between
      expect(Math.abs(a!.interfaces!['ab']!.outPackets - b!.interfaces!['ab']!.inPackets)).toBeLessThanOrEqual(2);
      expect(a!.cpu).toBeGreaterThan(0);
      expect(a!.rss).toBeGreaterThan(10_000_000);
      expect(last.links['ab']!.frames).toBeGreaterThanOrEqual(40);
      expect(
        seen.filter(({ node, to, rtt }) => node === 'a' && to === '2001:db8::2' && rtt !== null && rtt > 0),
      ).toHaveLength(20);
    });

    test('a scrape has every node of the lab, its own words and what the kernel knows of it', async () => {
      const server = await serveMetrics(new HostMetrics([driver]), [LAB], 0);
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const answer = await fetch(`${url}/metrics`);
        expect(answer.headers.get('content-type')).toBe(CONTENT_TYPE);
        const text = await answer.text();
        expect(problemsOf(text)).toEqual([]);
        expect(text).toContain(`\nkamelab_node_up{lab="${LAB}",node="a",kind="kame"} 1\n`);
        expect(text).toContain(`\nkamelab_node_up{lab="${LAB}",node="b",kind="linux"} 1\n`);
        expect(text).toContain(`\nkamelab_node_processes{lab="${LAB}",node="a"} 1\n`);
        expect(text).toMatch(new RegExp(`\\nkame_ip6_local_out_total\\{lab="${LAB}",node="a"\\} [1-9]`));
        expect(text).toMatch(
          new RegExp(`\\nkamelab_kernel_ip6_total\\{lab="${LAB}",node="b",counter="Ip6InReceives"\\} [1-9]`),
        );
        const counted = (name: string, node: string): number => {
          const series = `kamelab_interface_${name}_total{lab="${LAB}",node="${node}",interface="ab"} `;
          return Number(
            text
              .split('\n')
              .find((line) => line.startsWith(series))!
              .slice(series.length),
          );
        };
        expect(Math.abs(counted('transmit_packets', 'a') - counted('receive_packets', 'b'))).toBeLessThanOrEqual(2);
        expect((await fetch(`${url}/`)).status).toBe(404);
        expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    });

    test('a node that stands still is told as such, and waited for no longer than its patience', async () => {
      await lab.nodes.get('a')!.pause();
      try {
        const path = join(folder, 'paused.jsonl');
        const families = new HostMetrics([driver]).collect([LAB]);
        await new Sampler(lab, path).end();
        const { samples } = parseMetrics(readFileSync(path, 'utf8'));
        expect(samples.map(({ nodes }) => nodes['a']!.silent)).toEqual([true, true]);
        expect(samples[0]!.nodes['a']!.rss).toBeGreaterThan(0);
        expect(samples[0]!.nodes['b']!.counters).toBeDefined();
        const up = (await families).find(({ name }) => name === 'kamelab_node_up')!.samples;
        expect(up.map(({ labels, value }) => [labels['node'], value])).toEqual([
          ['a', 0],
          ['b', 1],
        ]);
      } finally {
        await lab.nodes.get('a')!.resume();
      }
    });
  },
);
