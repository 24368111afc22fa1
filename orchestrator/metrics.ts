/**
 * Metrics of a lab while a cell runs: `metrics.jsonl` of its case folder, a line a sample, as it happens.
 *
 * Every second of the lab's clock: what nodes count, what their processes use, what links carried. Never more than a bounded
 * number of samples: when there are too many every other goes, and later ones come half as often. In virtual time a sample is
 * taken as a frame passes, by nothing but reading: no timer is armed, so the run is the same with and without.
 *
 * Nothing here may fail or hold up a cell. A sample costs this process about 1 ms for two nodes.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import type { NodeState } from '#node/node-state.ts';
import type { Lab, LabNode } from './drivers/driver.ts';
import { kernelUsage, NodeProcesses } from './node-usage.ts';
import type { Ping } from './pings.ts';
import { writeWhole } from './report/write-file.ts';

/** One line of metrics.jsonl. What counts, counts from the start of its owner. */
export interface MetricsSample {
  /** Milliseconds of the lab's clock. */
  readonly time: number;
  readonly links: Readonly<Record<string, LinkSample>>;
  readonly nodes: Readonly<Record<string, NodeSample>>;
  /** This process, which captures and judges; others of its cells run at the same time. Not in virtual time. */
  readonly orchestrator?: { readonly cpu: number; readonly rss: number };
}

/** By the capture. */
export interface LinkSample {
  readonly frames: number;
  readonly bytes: number;
  readonly lost: number;
}

/** What could be had. */
export interface NodeSample {
  readonly interfaces?: Readonly<Record<string, InterfaceSample>>;
  /** Those that are not 0: `ip6.received` of kame, `Ip6InReceives` of a Linux kernel. */
  readonly counters?: Readonly<Record<string, number>>;
  /** Entries of the neighbor cache by state. */
  readonly neighbors?: Readonly<Record<string, number>>;
  /** Processor seconds. */
  readonly cpu?: number;
  /** Bytes. */
  readonly rss?: number;
  /** It was asked and did not answer in time. */
  readonly silent?: true;
}

export interface InterfaceSample {
  readonly inPackets: number;
  readonly inBytes: number;
  readonly inErrors: number;
  readonly inDropped: number;
  readonly outPackets: number;
  readonly outBytes: number;
  readonly outErrors: number;
}

/** A line of another kind, at the end. */
export interface PingLine {
  readonly ping: Ping;
}

const INTERVAL = 1000;
/** Nodes asked in one second: a larger lab is sampled less often. */
const NODES_A_SECOND = 32;
/** Samples kept, and of how many nodes in all. */
const MOST = 300;
const LEAST = 20;
const MOST_NODE_SAMPLES = 6000;
/** How long a node may take to answer. Milliseconds. */
const PATIENCE = 800;

export class Sampler {
  readonly #lab: Lab;
  readonly #path: string;
  readonly #most: number;
  readonly #processes = new Map<string, NodeProcesses>();
  readonly #links = new Map<string, { frames: number; bytes: number }>();
  #interval: number;
  #next = 0;
  /** Samples asked for since the interval last grew, as if it had been this from the start. */
  #taken = 0;
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #going: Promise<void> | undefined;
  #ended = false;

  constructor(lab: Lab, path: string) {
    this.#lab = lab;
    this.#path = path;
    const { size } = lab.nodes;
    this.#interval = INTERVAL * Math.max(1, Math.ceil(size / NODES_A_SECOND));
    this.#most = Math.max(LEAST, Math.min(MOST, Math.floor(MOST_NODE_SAMPLES / Math.max(1, size))));
    for (const node of lab.nodes.values()) {
      const { namespace } = node;
      if (namespace === undefined) continue;
      attempt(() => this.#processes.set(node.name, new NodeProcesses(namespace, node.name)));
    }
    // of an earlier try
    attempt(() => writeFileSync(path, ''));
    this.#take(lab.now);
    if (lab.driver === 'sim') return;
    this.#timer = setInterval(() => {
      if (this.#going === undefined && lab.now >= this.#next) this.#take(lab.now);
    }, INTERVAL);
    this.#timer.unref();
  }

  /** A frame passed at this time: what moves sampling in virtual time. */
  passed(time: number): void {
    if (this.#timer === undefined && time >= this.#next && !this.#ended) this.#take(time);
  }

  /** The last sample; while the lab still stands. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    await this.#going;
    this.#take(this.#lab.now);
    await this.#going;
  }

  #take(time: number): void {
    this.#next = time + this.#interval;
    if (++this.#taken >= this.#most) {
      this.#taken /= 2;
      this.#interval *= 2;
    }
    // asked before anything is awaited: in virtual time, what is answered is of this very moment
    const taken = this.#sample(time).then(
      (sample) => this.#keep(sample),
      () => {},
    );
    this.#going = taken.then(() => {
      this.#going = undefined;
    });
  }

  async #sample(time: number): Promise<MetricsSample> {
    const links: Record<string, LinkSample> = {};
    for (const [name, { frames, lost }] of this.#lab.links) {
      const seen = this.#links.get(name) ?? { frames: 0, bytes: 0 };
      for (; seen.frames < frames.length; seen.frames++) seen.bytes += frames[seen.frames]!.bytes.length;
      this.#links.set(name, seen);
      links[name] = { ...seen, lost };
    }
    const nodes = await Promise.all(
      [...this.#lab.nodes.values()].map(async (node) => [node.name, await this.#node(node)] as const),
    );
    const sample: MetricsSample = { time: Math.round(time * 1000) / 1000, links, nodes: Object.fromEntries(nodes) };
    if (this.#lab.driver === 'sim') return sample;
    const { user, system } = process.cpuUsage();
    return { ...sample, orchestrator: { cpu: (user + system) / 1e6, rss: process.memoryUsage.rss() } };
  }

  async #node(node: LabNode): Promise<NodeSample> {
    const processes = attempt(() => this.#processes.get(node.name)?.look());
    const used = processes === undefined ? {} : { cpu: processes.cpu, rss: processes.rss };
    const state = await answered(node.state());
    if (state === 'silent') return { ...used, silent: true };
    if (state !== undefined) return { ...stateSample(state), ...used };
    const kernel = node.namespace === undefined ? undefined : attempt(() => kernelUsage(node.namespace!));
    return { ...kernel, ...used };
  }

  #keep(sample: MetricsSample): void {
    const line = JSON.stringify(sample);
    this.#lines.push(line);
    const full = this.#lines.length >= this.#most;
    if (full) this.#lines = this.#lines.filter((_, at) => at % 2 === 0);
    // virtual time is over before anybody could read it, and files take longer than samples
    if (this.#lab.driver === 'sim' && !this.#ended) return;
    if (full || this.#lab.driver === 'sim') attempt(() => writeWhole(this.#path, `${this.#lines.join('\n')}\n`));
    else attempt(() => appendFileSync(this.#path, `${line}\n`));
  }
}

/** Pings at the end of the file. */
export function appendPings(path: string, pings: readonly Ping[]): void {
  if (pings.length === 0) return;
  const lines = pings.map((ping): string => JSON.stringify({ ping } satisfies PingLine));
  attempt(() => appendFileSync(path, `${lines.join('\n')}\n`));
}

/** As far as it can be read: the last line of a killed run may be half. */
export function parseMetrics(text: string): { samples: MetricsSample[]; pings: Ping[] } {
  const samples: MetricsSample[] = [];
  const pings: Ping[] = [];
  for (const line of text.split('\n')) {
    const value = line === '' ? undefined : attempt(() => JSON.parse(line) as MetricsSample | PingLine);
    if (typeof value !== 'object' || value === null) continue;
    if ('ping' in value) pings.push(value.ping);
    else if (typeof value.time === 'number') samples.push(value);
  }
  return { samples, pings };
}

function stateSample(state: NodeState): NodeSample {
  const neighbors: Record<string, number> = {};
  for (const entry of state.neighbors) neighbors[entry.state] = (neighbors[entry.state] ?? 0) + 1;
  const counters: Record<string, number> = {};
  for (const [protocol, all] of Object.entries(state.counters)) {
    for (const [name, value] of Object.entries(all)) if (value > 0) counters[`${protocol}.${name}`] = value;
  }
  const interfaces = state.interfaces
    .filter(({ kind }) => kind !== 'loopback')
    .map(({ name, inPackets, inBytes, inErrors, inDropped, outPackets, outBytes, outErrors }) => {
      const sample: InterfaceSample = { inPackets, inBytes, inErrors, inDropped, outPackets, outBytes, outErrors };
      return [name, sample] as const;
    });
  return { interfaces: Object.fromEntries(interfaces), counters, neighbors };
}

/** In virtual time at once; no timer of the lab is used. */
async function answered(asked: Promise<NodeState | undefined>): Promise<NodeState | undefined | 'silent'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'silent'>((resolve) => {
    timer = setTimeout(resolve, PATIENCE, 'silent');
  });
  try {
    return await Promise.race([asked, late]);
  } catch {
    return 'silent';
  } finally {
    clearTimeout(timer);
  }
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined; // metrics are no reason for a cell to fail
  }
}
