/**
 * The living labs of this host as Prometheus text: of every node its processes and interfaces, from /proc; of a Linux node what
 * its kernel counts; of a kame node all that it tells itself, with the labels `lab` and `node`.
 */
import { connect } from 'node:net';
import type { Request, ServerLine } from '#node/control-protocol.ts';
import { type Family, labelled, merged, parseExposition, type Sample, single } from '#node/exposition.ts';
import type { Driver, LabSummary, NodeSummary } from './drivers/driver.ts';
import { type InterfaceUsage, kernelUsage, NodeProcesses, type ProcessUsage } from './node-usage.ts';

/** A node that does not answer is told as down. Milliseconds. */
const PATIENCE = 1000;
/** Of what a node says; its control socket may be anybody's. */
const LONGEST = 4 * 2 ** 20;

const INTERFACE_FAMILIES: readonly [keyof InterfaceUsage, string, string][] = [
  ['inPackets', 'receive_packets', 'Packets received.'],
  ['inBytes', 'receive_bytes', 'Bytes received.'],
  ['inErrors', 'receive_errors', 'Packets received that could not be read.'],
  ['inDropped', 'receive_dropped', 'Packets received and dropped by the interface.'],
  ['outPackets', 'transmit_packets', 'Packets sent.'],
  ['outBytes', 'transmit_bytes', 'Bytes sent.'],
  ['outErrors', 'transmit_errors', 'Packets that could not be sent.'],
];

/** A node at one scrape. */
export interface SeenNode {
  readonly lab: LabSummary;
  readonly node: NodeSummary;
  readonly up: boolean;
  readonly processes: ProcessUsage | undefined;
  readonly interfaces: Readonly<Record<string, InterfaceUsage>>;
  /** Of a Linux kernel. */
  readonly counters: Readonly<Record<string, number>>;
  /** What a kame node told. */
  readonly told: readonly Family[];
}

export class HostMetrics {
  readonly #drivers: readonly Driver[];
  /** From scrape to scrape, so that a process that ended still counts. */
  #processes = new Map<string, NodeProcesses>();
  #going: Promise<Family[]> | undefined;

  constructor(drivers: readonly Driver[]) {
    this.#drivers = drivers;
  }

  /** Of these labs, or all. Who asks while another is answered gets the same answer. */
  async collect(labs: readonly string[] = []): Promise<Family[]> {
    this.#going ??= this.#collect(labs).finally(() => {
      this.#going = undefined;
    });
    return this.#going;
  }

  async #collect(wanted: readonly string[]): Promise<Family[]> {
    const start = performance.now();
    const all = (await Promise.all(this.#drivers.map((driver) => driver.list()))).flat();
    const labs = all.filter(({ id }) => wanted.length === 0 || wanted.includes(id));
    const known = this.#processes;
    this.#processes = new Map();
    const nodes = await Promise.all(labs.flatMap((lab) => lab.nodes.map((node) => this.#look(lab, node, known))));
    const took = (performance.now() - start) / 1000;
    return labFamilies(labs, nodes, took);
  }

  async #look(lab: LabSummary, node: NodeSummary, known: ReadonlyMap<string, NodeProcesses>): Promise<SeenNode> {
    const key = `${lab.id} ${node.name} ${node.namespace}`;
    const processes = attempt(() => {
      const found = known.get(key) ?? new NodeProcesses(node.namespace, node.name);
      this.#processes.set(key, found);
      return found.look();
    });
    const seen = { lab, node, processes, interfaces: {}, counters: {}, told: [] };
    if (!node.running) return { ...seen, up: false };
    if (node.control === '') {
      const kernel = attempt(() => kernelUsage(node.namespace));
      return kernel === undefined ? { ...seen, up: false } : { ...seen, ...kernel, up: true };
    }
    const told = parseExposition(await kameMetrics(node.control));
    return { ...seen, told, interfaces: interfacesOf(told), up: told.length > 0 };
  }
}

export function labFamilies(labs: readonly LabSummary[], nodes: readonly SeenNode[], seconds: number): Family[] {
  return merged([
    {
      name: 'kamelab_lab_nodes',
      type: 'gauge',
      help: 'Nodes of the lab.',
      samples: labs.map(({ id, driver, nodes }) => ({ labels: { lab: id, driver }, value: nodes.length })),
    },
    ...nodeFamilies(nodes),
    single('kamelab_scrape_seconds', 'gauge', 'Time it took to ask all nodes.', seconds),
    ...nodes.flatMap(({ lab, node, told }) => told.map((family) => labelled(family, { lab: lab.id, node: node.name }))),
  ]);
}

function nodeFamilies(nodes: readonly SeenNode[]): Family[] {
  const samples = (value: (seen: SeenNode) => number | undefined): Sample[] =>
    nodes.flatMap((seen) => {
      const { lab, node } = seen;
      const found = value(seen);
      return found === undefined ? [] : [{ labels: { lab: lab.id, node: node.name }, value: found }];
    });
  return [
    {
      name: 'kamelab_node_up',
      type: 'gauge',
      help: 'Whether the node runs and answers.',
      samples: nodes.map(({ lab, node, up }) => ({
        labels: { lab: lab.id, node: node.name, kind: node.kind },
        value: up ? 1 : 0,
      })),
    },
    {
      name: 'kamelab_node_cpu_seconds_total',
      type: 'counter',
      help: "Processor time of the node's processes, user and system.",
      samples: samples(({ processes }) => processes?.cpu),
    },
    {
      name: 'kamelab_node_resident_memory_bytes',
      type: 'gauge',
      help: "Resident memory of the node's processes.",
      samples: samples(({ processes }) => processes?.rss),
    },
    {
      name: 'kamelab_node_processes',
      type: 'gauge',
      help: 'Processes of the node.',
      samples: samples(({ processes }) => processes?.processes),
    },
    ...INTERFACE_FAMILIES.map(
      ([field, name, help]): Family => ({
        name: `kamelab_interface_${name}_total`,
        type: 'counter',
        help,
        samples: nodes.flatMap(({ lab, node, interfaces }) =>
          Object.entries(interfaces).map(([name, usage]) => ({
            labels: { lab: lab.id, node: node.name, interface: name },
            value: usage[field],
          })),
        ),
      }),
    ),
    {
      name: 'kamelab_kernel_ip6_total',
      type: 'counter',
      help: 'What the Linux kernel of the node counts, as /proc/net/snmp6 names it.',
      samples: nodes.flatMap(({ lab, node, counters }) =>
        Object.entries(counters).map(([counter, value]) => ({
          labels: { lab: lab.id, node: node.name, counter },
          value,
        })),
      ),
    },
  ];
}

/** Its interfaces in the terms that all nodes have in common. */
function interfacesOf(told: readonly Family[]): Record<string, InterfaceUsage> {
  const values = (name: string): ReadonlyMap<string, number> => {
    const samples = told.find((family) => family.name === `kame_interface_${name}_total`)?.samples ?? [];
    return new Map(samples.map(({ labels, value }) => [labels['interface'] ?? '', value]));
  };
  const fields = {
    inPackets: values('in_packets'),
    inBytes: values('in_bytes'),
    inErrors: values('in_errors'),
    inDropped: values('in_dropped'),
    outPackets: values('out_packets'),
    outBytes: values('out_bytes'),
    outErrors: values('out_errors'),
  };
  const usage = (name: string) =>
    Object.fromEntries(Object.entries(fields).map(([field, all]) => [field, all.get(name) ?? 0])) as {
      [K in keyof InterfaceUsage]: number;
    };
  const names = [...fields.inPackets.keys()].filter((name) => name !== 'lo0');
  return Object.fromEntries(names.map((name) => [name, usage(name)]));
}

/** Empty of a node that does not answer. */
function kameMetrics(control: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(control);
    let text = '';
    const end = (answer: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(end, PATIENCE, '');
    socket.setEncoding('utf8');
    socket.on('error', () => end(''));
    socket.on('close', () => end(''));
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.length > LONGEST) return end('');
      if (text.includes('\n')) end(metricsOf(text));
    });
    socket.write(`${JSON.stringify({ metrics: true } satisfies Request)}\n`);
  });
}

function metricsOf(line: string): string {
  const answer = attempt(() => JSON.parse(line) as ServerLine | null);
  return answer != null && typeof answer === 'object' && 'metrics' in answer && typeof answer.metrics === 'string'
    ? answer.metrics
    : '';
}

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined; // it went meanwhile
  }
}
