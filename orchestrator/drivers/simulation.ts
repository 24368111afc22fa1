/** The sim driver: kame nodes only, all in this process, on in-memory links, in virtual time. One seed gives one run. */
import { Node, type RunningProgram } from '#node/node.ts';
import { setUpNode } from '#node/node-setup.ts';
import type { NodeState } from '#node/node-state.ts';
import { Timer } from '#stack/env/clock.ts';
import { SeededRandom } from '#stack/env/random.ts';
import { VirtualClock } from '#stack/env/virtual-clock.ts';
import { Segment, type SegmentEnd } from '#stack/link/segment.ts';
import { Pool } from '#stack/packet/pool.ts';
import { parseMac } from '#stack/wire/ethernet.ts';
import { LinkRecord } from '../capture.ts';
import { Line } from '../faults/line.ts';
import { ALL } from '../faults/wire.ts';
import type { Kind } from '../kinds.ts';
import type { Topology, TopologyLink, TopologyNode } from '../topology.ts';
import { plainWords } from '../words.ts';
import { EXEC_TIMEOUT, LATE } from './command.ts';
import type {
  Driver,
  ExecResult,
  Frame,
  Lab,
  LabEvent,
  LabLink,
  LabNode,
  LabSummary,
  RunningCommand,
  UpOptions,
} from './driver.ts';
import { kameConfig } from './kame-node.ts';
import { unsupported } from './kernel-lab.ts';
import { runCommands } from './node-commands.ts';
import { VirtualTime } from './virtual-time.ts';

/** A fixed day, so that captures of one seed are the same byte for byte: 2001-05-25, the date of the KAME note. */
const EPOCH = Date.UTC(2001, 4, 25);

export class SimulationDriver implements Driver {
  readonly name = 'sim';
  readonly #kinds: ReadonlyMap<string, Kind>;

  constructor(kinds: ReadonlyMap<string, Kind>) {
    this.#kinds = kinds;
  }

  async unavailable(): Promise<undefined> {
    return undefined;
  }

  async unreachable(): Promise<undefined> {
    return undefined;
  }

  unsupported(topology: Topology): string | undefined {
    return unsupported(this.name, topology, this.#kinds, false);
  }

  async up(topology: Topology, options: UpOptions): Promise<Lab> {
    const { signal = new AbortController().signal, progress } = options;
    signal.throwIfAborted();
    const lab = new SimulatedLab(topology, options);
    const abort = (): void => lab.time.stop(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    try {
      for (const { name, kind } of topology.nodes) progress?.(`${name} (${kind})`);
      progress?.(`${topology.links.length} links`);
      await runCommands(lab, signal);
      signal.throwIfAborted();
      return lab;
    } catch (error) {
      await lab.down();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  // a simulated lab is never there without its maker

  async collect(): Promise<string[]> {
    return [];
  }

  async list(): Promise<LabSummary[]> {
    return [];
  }

  async remove(): Promise<void> {}

  async exec(): Promise<number> {
    throw new Error('a simulated lab has no nodes beyond its own process');
  }
}

class SimulatedLab implements Lab {
  readonly id: string;
  readonly driver = 'sim';
  readonly topology: Topology;
  readonly nodes = new Map<string, SimulatedNode>();
  readonly links = new Map<string, LabLink>();
  readonly events: LabEvent[] = [];
  readonly epoch = EPOCH;
  readonly tolerance = 0;
  readonly clock = new VirtualClock();
  readonly time = new VirtualTime(this.clock);
  readonly #pool = new Pool();
  readonly #segments = new Map<string, Segment>();

  constructor(topology: Topology, { id, onFrame }: UpOptions) {
    this.id = id;
    this.topology = topology;
    const random = new SeededRandom(topology.seed);
    const pool = this.#pool;
    const ends = new Map<string, SegmentEnd>();
    for (const link of topology.links) this.#connect(link, ends, onFrame);
    for (const node of topology.nodes) {
      const made = new Node({
        clock: this.clock,
        random: random.fork(node.name),
        pool,
        hostname: node.hostname,
        strict: true,
        date: () => EPOCH + this.clock.now,
      });
      made.onEvent((event) => this.events.push({ ...event, time: this.clock.now, node: node.name }));
      this.nodes.set(node.name, new SimulatedNode(node, made, this));
      setUpNode(made, kameConfig(node, topology.links), (one) => ends.get(`${node.name}:${one.name}`)!);
    }
  }

  #connect(link: TopologyLink, ends: Map<string, SegmentEnd>, onFrame: UpOptions['onFrame']): void {
    const medium = link.medium === 'tun' ? 'ip' : 'ethernet';
    const segment = new Segment(this.clock, { medium, mtu: link.mtu });
    this.#segments.set(link.name, segment);
    const record = new LinkRecord(link, (frame: Frame) => onFrame?.(frame, EPOCH));
    this.links.set(link.name, record);
    const connected = link.ends.map((end) => {
      const made = segment.connect(medium === 'ethernet' ? parseMac(end.mac) : undefined);
      ends.set(`${end.node}:${end.interface}`, made);
      return made;
    });
    if (link.wire) return this.#wire(link, segment, connected, record);
    const senders = new Map(connected.map((end, at) => [end, link.ends[at]!.node]));
    segment.tap((pkt, from) => {
      record.add(this.clock.now, pkt.bytes.slice(pkt.head, pkt.tail), senders.get(from));
    });
  }

  /** A frame's way leads over the wire before it takes the segment's own time. */
  #wire(link: TopologyLink, segment: Segment, ends: readonly SegmentEnd[], record: LinkRecord): void {
    const places = new Map(ends.map((end, at) => [end, at]));
    const timer = new Timer(() => line.release());
    const line: Line = new Line({
      link,
      seed: this.topology.seed,
      record,
      now: () => this.clock.now,
      wake: (time) => {
        if (time === Number.POSITIVE_INFINITY) this.clock.disarm(timer);
        else this.clock.arm(timer, time - this.clock.now);
      },
      deliver: (bytes, from, to) => {
        const pkt = this.#pool.take(bytes.length);
        pkt.bytes.set(bytes, pkt.head);
        pkt.tail = pkt.head + bytes.length;
        segment.carry(pkt, ends[from]!, to === ALL ? undefined : ends[to]!);
      },
      tell: (event) => this.events.push(event),
    });
    segment.filter((pkt, from) => line.transmit(pkt.bytes.subarray(pkt.head, pkt.tail), places.get(from)!));
  }

  get now(): number {
    return this.clock.now;
  }

  async sleep(duration: number): Promise<void> {
    await this.until(() => false, duration);
  }

  until(check: () => boolean, within: number): Promise<boolean> {
    let over = false;
    const timer = new Timer(() => {
      over = true;
    });
    this.clock.arm(timer, within);
    return this.time.wait(() => (check() ? true : over ? false : undefined), timer);
  }

  async versions(): Promise<Record<string, string>> {
    return { node: process.version };
  }

  async down(): Promise<void> {
    for (const node of this.nodes.values()) await node.kill();
    this.time.stop(new Error('the lab is down'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down();
  }
}

class SimulatedNode implements LabNode {
  readonly name: string;
  readonly kind: string;
  readonly #node: Node;
  readonly #lab: SimulatedLab;
  #killed = false;

  constructor(plan: TopologyNode, node: Node, lab: SimulatedLab) {
    this.name = plan.name;
    this.kind = plan.kind;
    this.#node = node;
    this.#lab = lab;
  }

  async exec(
    command: string | readonly string[],
    { timeout = EXEC_TIMEOUT, input }: { timeout?: number; input?: string } = {},
  ): Promise<ExecResult> {
    const running = this.#run(command, input);
    const timer = new Timer(() => running.giveUp(timeout));
    this.#lab.clock.arm(timer, timeout);
    return this.#lab.time.wait(() => running.result, timer);
  }

  async start(command: string | readonly string[]): Promise<RunningCommand> {
    return this.#run(command, undefined);
  }

  #run(command: string | readonly string[], input: string | undefined): SimulatedCommand {
    if (this.#killed) throw new Error(`${this.name} was killed`);
    const argv = typeof command === 'string' ? plainWords(command) : command;
    if (argv === undefined) throw new Error(`${this.name}: a simulated node has no shell for '${command}'`);
    return new SimulatedCommand(this.#node, argv, input, this.#lab);
  }

  async sysctl(name: string, value: string | number): Promise<void> {
    const result = await this.exec(['sysctl', '-w', `${name}=${value}`]);
    if (result.code !== 0) throw new Error(`${this.name}: ${result.stderr.trim()}`);
  }

  async state(): Promise<NodeState> {
    return this.#node.state();
  }

  async log(): Promise<string> {
    return this.#lab.events
      .filter((event) => event.node === this.name && event.type === 'log')
      .map((event) => `${event['message']}\n`)
      .join('');
  }

  async kill(): Promise<void> {
    this.#killed = true;
    this.#node.end();
    for (const ifp of this.#node.stack.interfaces) ifp?.setUp(false);
  }

  async pause(): Promise<void> {
    throw new Error('a simulated node cannot be paused: it has no process');
  }

  async resume(): Promise<void> {}
}

class SimulatedCommand implements RunningCommand {
  stdout = '';
  stderr = '';
  result: ExecResult | undefined;
  readonly program: RunningProgram;
  readonly #lab: SimulatedLab;

  constructor(node: Node, argv: readonly string[], input: string | undefined, lab: SimulatedLab) {
    this.#lab = lab;
    this.program = node.run(argv, {
      out: (text) => {
        this.stdout += text;
      },
      error: (text) => {
        this.stderr += text;
      },
      exited: (code) => {
        this.result = { code, stdout: this.stdout, stderr: this.stderr };
      },
    });
    if (input !== undefined) this.program.input(input);
    this.program.input(undefined);
  }

  get done(): Promise<ExecResult> {
    return this.#lab.time.wait(() => this.result);
  }

  interrupt(): void {
    this.program.interrupt();
  }

  giveUp(after: number): void {
    this.stderr += `(ended after ${after} ms)\n`;
    this.program.kill(LATE);
  }
}
