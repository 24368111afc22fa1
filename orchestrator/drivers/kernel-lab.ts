/**
 * A lab of the kernel world: what the docker and process drivers have in common. A `Host` starts and ends nodes and
 * gives each one's network namespace; links, addresses, captures, time and events are the same for both.
 *
 * Order of bring-up: namespaces and nodes, links (all ends down), settings of kernel nodes, captures, then every end up
 * at once, addresses, routes, commands, daemons. So no frame is lost to a capture that is not there yet.
 */
import { link as device, FrameBatch, holdTaps, Kind, PacketSocket } from 'tun-tap';
import { LinkRecord, Watchers } from '../capture.ts';
import type { Kind as NodeKind } from '../kinds.ts';
import type { Topology, TopologyLink, TopologyNode } from '../topology.ts';
import type { Driver, DriverName, Frame, Lab, LabEvent, LabLink, LabNode, UpOptions } from './driver.ts';
import { raise, settings } from './kernel-node.ts';
import { runCommands } from './node-commands.ts';
import { WireLink } from './wire-link.ts';
import { type Observation, type Wired, wire } from './wiring.ts';

/** Starts and ends nodes: containers, or processes in namespaces. */
export interface Host {
  readonly driver: DriverName;
  /** The namespace that holds the testbed's side of every link. */
  readonly labNamespace: string;
  start(node: TopologyNode, kind: NodeKind, topology: Topology, signal: AbortSignal): Promise<HostedNode>;
  versions(): Promise<Record<string, string>>;
  /** The lab is whole and is to outlive this process: nothing here holds on to it any more. */
  leave(): Promise<void>;
  /** Everything this host made for the lab is gone afterwards. */
  end(): Promise<void>;
}

export interface HostedNode extends LabNode {
  readonly namespace: string;
  /** Of a kame node: its links are in place. */
  connected(): Promise<void>;
  /** Of a kame node: what it tells from now on. */
  onEvent(handler: (event: Record<string, unknown> & { type: string; time: number }) => void): void;
}

/** Nodes started at once: more is not faster on two cores. */
const STARTING = 4;
/** A loaded machine's scheduling, beyond the bounds of the RFC. */
const TOLERANCE = 250;
/** How often a wait looks without being told. Milliseconds. */
const LOOK = 50;
/** Duplicate address detection of a few addresses; one that is a duplicate stays tentative. */
const SETTLED = 5000;

export class KernelLab implements Lab {
  readonly id: string;
  readonly driver: DriverName;
  readonly topology: Topology;
  readonly nodes = new Map<string, HostedNode>();
  readonly links = new Map<string, LabLink>();
  readonly events: LabEvent[] = [];
  readonly epoch: number;
  readonly tolerance = TOLERANCE;
  readonly #start: number;
  readonly #host: Host;
  readonly #kinds: ReadonlyMap<string, NodeKind>;
  readonly #watchers = new Watchers();
  readonly #waits = new Set<(reason: Error) => void>();
  readonly #wired: Pick<Wired, 'devices' | 'close'>[] = [];
  readonly #held: Disposable[] = [];
  readonly #captures: PacketSocket[] = [];
  readonly #batch = new FrameBatch(64, 65_536 + 64);
  readonly #drains: (() => void)[] = [];
  readonly #onFrame: UpOptions['onFrame'];
  #down: Promise<void> | undefined;

  private constructor(topology: Topology, host: Host, kinds: ReadonlyMap<string, NodeKind>, options: UpOptions) {
    this.id = options.id;
    this.driver = host.driver;
    this.topology = topology;
    this.#host = host;
    this.#kinds = kinds;
    this.#onFrame = options.onFrame;
    // both clocks at a tick of the coarser one, so that frames (real time) and `now` agree to less than it
    const before = Date.now();
    do this.epoch = Date.now();
    while (this.epoch === before);
    this.#start = performance.now();
  }

  /** All or nothing. */
  static async up(
    topology: Topology,
    host: Host,
    kinds: ReadonlyMap<string, NodeKind>,
    options: UpOptions,
  ): Promise<KernelLab> {
    const lab = new KernelLab(topology, host, kinds, options);
    const { signal = new AbortController().signal } = options;
    try {
      await lab.#bringUp(options, signal);
      if (options.keep === true) await lab.#leave(signal);
      return lab;
    } catch (error) {
      const reason: unknown = signal.aborted ? signal.reason : error;
      try {
        await lab.down();
      } catch (left) {
        const [what, why] = [reason, left].map((each) => (each instanceof Error ? each.message : String(each)));
        throw new Error(`${what}; and taking it down failed (kamelab gc): ${why}`, { cause: error });
      }
      throw reason;
    }
  }

  get now(): number {
    return performance.now() - this.#start;
  }

  async #bringUp({ progress, keep }: UpOptions, signal: AbortSignal): Promise<void> {
    await this.#startNodes(progress, signal);
    for (const node of this.topology.nodes) if (this.#isKernel(node)) settings(node, this.#namespaceOf(node.name));
    for (const [number, link] of this.topology.links.entries()) {
      signal.throwIfAborted();
      this.#connect(link, number, keep !== true);
    }
    progress?.(`${this.topology.links.length} links`);
    for (const node of this.topology.nodes) if (this.#isKernel(node)) raise(node, this.#namespaceOf(node.name));
    // a frame sent before a veth or a bridge port has its carrier is lost without a word
    await abortable(
      Promise.all(this.#wired.flatMap(({ devices }) => devices.map((up) => device.whenUp(up.device, up.namespace)))),
      signal,
    );
    await abortable(Promise.all([...this.nodes.values()].map((node) => node.connected())), signal);
    await abortable(runCommands(this, signal), signal);
    signal.throwIfAborted();
  }

  #connect(link: TopologyLink, number: number, captured: boolean): void {
    const places = link.ends.map((end) => {
      const { attachment } = this.#kind(this.topology.nodes.find(({ name }) => name === end.node)!);
      return { end, namespace: this.#namespaceOf(end.node), attachment };
    });
    const record = new LinkRecord(link, (frame) => this.#saw(frame));
    this.links.set(link.name, record);
    if (link.wire) {
      const [seed, now] = [this.topology.seed, () => this.now];
      const tell = (event: LabEvent): void => this.#told(event);
      this.#wired.push(new WireLink(link, number, places, this.#host.labNamespace, { seed, record, now, tell }));
      return;
    }
    const wired = wire(link, number, places, this.#host.labNamespace);
    this.#wired.push(wired);
    if (captured) this.#capture(record, wired.observe);
  }

  async #startNodes(progress: UpOptions['progress'], signal: AbortSignal): Promise<void> {
    const waiting = [...this.topology.nodes];
    const worker = async (): Promise<void> => {
      for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
        signal.throwIfAborted();
        const hosted = await this.#host.start(node, this.#kind(node), this.topology, signal);
        this.nodes.set(node.name, hosted);
        if (!this.#isKernel(node)) this.#held.push(holdTaps(hosted.namespace));
        hosted.onEvent(({ time, ...event }) =>
          this.#told({ ...event, time: time - this.epoch, node: hosted.name, type: event.type }),
        );
        progress?.(`${node.name} (${node.kind})`);
      }
    };
    // every worker is waited for, so that nothing starts after the clean-up of a failed start
    const ended = await Promise.allSettled(Array.from({ length: STARTING }, worker));
    const failed = ended.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** Nodes tell over connections of their own, so one may come after a later one of another's. */
  #told(event: LabEvent): void {
    let at = this.events.length;
    while (at > 0 && this.events[at - 1]!.time > event.time) at--;
    this.events.splice(at, 0, event);
    this.#watchers.poke();
  }

  #kind(node: TopologyNode): NodeKind {
    return this.#kinds.get(node.kind)!;
  }

  #isKernel(node: TopologyNode): boolean {
    return this.#kind(node).attachment === 'kernel';
  }

  #namespaceOf(node: string): string {
    return this.nodes.get(node)!.namespace;
  }

  #capture(record: LinkRecord, observe: Observation): void {
    const socket = PacketSocket.open({
      device: observe.device,
      namespace: observe.namespace,
      promiscuous: observe.promiscuous,
    });
    this.#captures.push(socket);
    const batch = this.#batch;
    const epoch = BigInt(this.epoch) * 1_000_000n;
    const drain = (): boolean => {
      const count = socket.read(batch);
      for (let slot = 0; slot < count; slot++) {
        const time = Number(batch.timestamps[slot]! - epoch) / 1e6;
        const from = batch.kinds[slot] === Kind.outgoing ? observe.outgoing : observe.incoming;
        record.add(time, batch.frame(slot).slice(), from);
      }
      return count === batch.slots;
    };
    socket.onReadable((gone) => {
      if (gone === undefined) drain();
    });
    this.#drains.push(() => {
      while (drain());
      record.lost += socket.drops();
    });
  }

  #saw(frame: Frame): void {
    this.#onFrame?.(frame, this.epoch);
    this.#watchers.poke();
  }

  async sleep(duration: number): Promise<void> {
    await this.until(() => false, duration);
  }

  until(check: () => boolean, within: number): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const settle = (settled: () => void): void => {
      unwatch();
      this.#waits.delete(fail);
      clearInterval(interval);
      clearTimeout(timeout);
      settled();
    };
    const fail = (reason: unknown): void => settle(() => reject(reason));
    const look = (late = false): void => {
      try {
        if (check()) settle(() => resolve(true));
        else if (late) settle(() => resolve(false));
      } catch (error) {
        fail(error);
      }
    };
    const unwatch = this.#watchers.add(() => look());
    const interval = setInterval(look, LOOK);
    const timeout = setTimeout(look, within, true);
    this.#waits.add(fail);
    if (this.#down === undefined) look();
    else fail(DOWN());
    return promise;
  }

  versions(): Promise<Record<string, string>> {
    return this.#host.versions();
  }

  down(): Promise<void> {
    this.#down ??= this.#takeDown();
    return this.#down;
  }

  async #takeDown(): Promise<void> {
    for (const drain of this.#drains) {
      try {
        drain();
      } catch {
        // the device went before its capture
      }
    }
    for (const fail of this.#waits) fail(DOWN());
    this.#letGo();
    await this.#host.end();
  }

  /** Who uses it next comes from outside and expects addresses that are his to use. */
  async #leave(signal: AbortSignal): Promise<void> {
    const end = this.now + SETTLED;
    while ((await this.#tentative()) && this.now < end) await abortable(this.sleep(LOOK), signal);
    await this.#host.leave();
    this.#letGo();
  }

  async #tentative(): Promise<boolean> {
    for (const node of this.nodes.values()) {
      const state = await node.state();
      if (state?.interfaces.some(({ addresses }) => addresses.some((one) => one.state === 'tentative'))) return true;
    }
    return this.topology.nodes.some(
      (node) =>
        this.#isKernel(node) &&
        node.interfaces.some(({ interface: name }) =>
          device.listAddresses(name, this.#namespaceOf(node.name)).some(({ tentative }) => tentative),
        ),
    );
  }

  #letGo(): void {
    for (const socket of this.#captures.splice(0)) socket.close();
    for (const wired of this.#wired.splice(0)) wired.close();
    for (const held of this.#held.splice(0)) held[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down();
  }
}

const DOWN = (): Error => new Error('the lab is down');

/** The first of the two: what goes on behind an abort is ended by taking the lab down. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => {});
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** The drivers' own checks: kinds that they don't run, and links that could not stay. */
export function unsupported(
  driver: Driver['name'],
  topology: Topology,
  kinds: ReadonlyMap<string, NodeKind>,
  keep: boolean,
): string | undefined {
  for (const node of topology.nodes) {
    const kind = kinds.get(node.kind);
    if (kind === undefined) return `${node.name}: no implementation of kind '${node.kind}' is registered`;
    if (!kind.drivers.includes(driver)) return `${node.name}: '${node.kind}' does not run under the ${driver} driver`;
    const file = node.files.find(({ path }) => path.lastIndexOf('/') === 0);
    if (file !== undefined) return `${node.name}: ${file.path}: a file can't lie in a node's root folder itself`;
  }
  const kindOf = (name: string): string => topology.nodes.find((node) => node.name === name)!.kind;
  for (const { name, medium, wire, ends } of topology.links) {
    if (keep && wire) {
      return `${name}: a link with faults is carried by the kamelab command and stops with it; take away its faults and wire: true`;
    }
    if (!keep || medium !== 'tun') continue;
    if (ends.every(({ node }) => kinds.get(kindOf(node))!.attachment === 'kernel')) {
      return `${name}: packets between two TUN devices of kernels are carried by the kamelab command and stop with it; make the link ethernet, or one of its ends kame`;
    }
  }
  return undefined;
}
