/**
 * A lab of the kernel world: what the docker and process drivers have in common. A `Host` starts and ends nodes and
 * gives each one's network namespace; links, addresses, captures, time and events are the same for both.
 *
 * Order of bring-up: namespaces and nodes, links (all ends down), settings of kernel nodes, captures, then every end up
 * at once, addresses, routes, commands, daemons. So no frame is lost to a capture that is not there yet.
 */
import { link as device, FrameBatch, Kind, PacketSocket, writeSysctl } from 'tun-tap';
import { LinkRecord, Watchers } from '../capture.ts';
import type { Kind as NodeKind } from '../kinds.ts';
import type { Topology, TopologyNode } from '../topology.ts';
import type {
  Driver,
  DriverName,
  Frame,
  Lab,
  LabEvent,
  LabLink,
  LabNode,
  RunningCommand,
  UpOptions,
} from './driver.ts';
import { type Observation, type Wired, wire } from './wiring.ts';

/** Starts and ends nodes: containers, or processes in namespaces. */
export interface Host {
  readonly driver: DriverName;
  /** The namespace that holds the testbed's side of every link. */
  readonly labNamespace: string;
  start(node: TopologyNode, kind: NodeKind, topology: Topology): Promise<HostedNode>;
  versions(): Promise<Record<string, string>>;
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

export class KernelLab implements Lab {
  readonly id: string;
  readonly driver: DriverName;
  readonly topology: Topology;
  readonly nodes = new Map<string, HostedNode>();
  readonly links = new Map<string, LabLink>();
  readonly events: LabEvent[] = [];
  readonly epoch = Date.now();
  readonly tolerance = TOLERANCE;
  readonly #start = performance.now();
  readonly #host: Host;
  readonly #kinds: ReadonlyMap<string, NodeKind>;
  readonly #watchers = new Watchers();
  readonly #wired: Wired[] = [];
  readonly #captures: PacketSocket[] = [];
  readonly #drains: (() => void)[] = [];
  readonly #onFrame: UpOptions['onFrame'];
  readonly #daemons: RunningCommand[] = [];
  #down: Promise<void> | undefined;

  private constructor(topology: Topology, host: Host, kinds: ReadonlyMap<string, NodeKind>, options: UpOptions) {
    this.id = options.id;
    this.driver = host.driver;
    this.topology = topology;
    this.#host = host;
    this.#kinds = kinds;
    this.#onFrame = options.onFrame;
  }

  /** All or nothing. */
  static async up(
    topology: Topology,
    host: Host,
    kinds: ReadonlyMap<string, NodeKind>,
    options: UpOptions,
  ): Promise<KernelLab> {
    const lab = new KernelLab(topology, host, kinds, options);
    try {
      await lab.#bringUp(options);
      return lab;
    } catch (error) {
      await lab.down();
      throw error;
    }
  }

  get now(): number {
    return performance.now() - this.#start;
  }

  async #bringUp({ progress, signal, keep }: UpOptions): Promise<void> {
    await this.#startNodes(progress, signal);
    for (const node of this.topology.nodes) if (this.#isKernel(node)) this.#settings(node);
    for (const [number, link] of this.topology.links.entries()) {
      const places = link.ends.map((end) => {
        const kind = this.#kind(this.topology.nodes.find((node) => node.name === end.node)!);
        return { end, namespace: this.nodes.get(end.node)!.namespace, attachment: kind.attachment };
      });
      const wired = wire(link, number, places, this.#host.labNamespace);
      this.#wired.push(wired);
      const record = new LinkRecord(link, (frame) => this.#saw(frame));
      this.links.set(link.name, record);
      if (keep !== true) this.#capture(record, wired.observe);
    }
    signal?.throwIfAborted();
    progress?.(`${this.topology.links.length} links`);
    for (const node of this.topology.nodes) if (this.#isKernel(node)) this.#raise(node);
    // a frame sent before a veth or a bridge port has its carrier is lost without a word
    await Promise.all(
      this.#wired.flatMap(({ devices }) => devices.map((up) => device.whenUp(up.device, up.namespace))),
    );
    await Promise.all([...this.nodes.values()].map((node) => node.connected()));
    for (const node of this.topology.nodes) await this.#finish(node, signal);
  }

  async #startNodes(progress: UpOptions['progress'], signal: AbortSignal | undefined): Promise<void> {
    const waiting = [...this.topology.nodes];
    const worker = async (): Promise<void> => {
      for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
        signal?.throwIfAborted();
        const hosted = await this.#host.start(node, this.#kind(node), this.topology);
        this.nodes.set(node.name, hosted);
        hosted.onEvent(({ time, ...event }) => {
          this.events.push({ ...event, time: time - this.epoch, node: node.name });
          this.#watchers.poke();
        });
        progress?.(`${node.name} (${node.kind})`);
      }
    };
    // every worker is waited for, so that nothing starts after the clean-up of a failed start
    const ended = await Promise.allSettled(Array.from({ length: STARTING }, worker));
    const failed = ended.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #kind(node: TopologyNode): NodeKind {
    return this.#kinds.get(node.kind)!;
  }

  #isKernel(node: TopologyNode): boolean {
    return this.#kind(node).attachment === 'kernel';
  }

  /** Before its interfaces exist: what they take over when they come. */
  #settings(node: TopologyNode): void {
    const namespace = this.nodes.get(node.name)!.namespace;
    const set = (key: string, value: string | number): void => writeSysctl(namespace, key, value);
    set('net.ipv6.conf.all.disable_ipv6', 0);
    set('net.ipv6.conf.default.disable_ipv6', 0);
    set('net.ipv6.conf.default.accept_ra', 0);
    set('net.ipv6.conf.all.forwarding', node.forwarding ? 1 : 0);
    if (node.forwarding) set('net.ipv4.ip_forward', 1);
    for (const [key, value] of Object.entries(node.sysctls)) if (!ofInterface(node, key)) set(key, value);
    device.setUp('lo', namespace);
    for (const { address, prefixLength, family } of node.loopback) {
      device.addAddress({ device: 'lo', namespace, address, prefixLength, noDad: family === 6 });
    }
  }

  /** Interfaces up, addresses and routes. */
  #raise(node: TopologyNode): void {
    const namespace = this.nodes.get(node.name)!.namespace;
    for (const [key, value] of Object.entries(node.sysctls)) {
      if (ofInterface(node, key)) writeSysctl(namespace, key, value);
    }
    for (const end of node.interfaces) {
      for (const { address, prefixLength } of end.addresses) {
        device.addAddress({ device: end.interface, namespace, address, prefixLength });
      }
      device.setUp(end.interface, namespace);
    }
    for (const route of node.routes) {
      device.addRoute({
        namespace,
        destination: route.to,
        via: route.via,
        device: route.dev,
        unreachable: route.reject,
      });
    }
  }

  async #finish(node: TopologyNode, signal: AbortSignal | undefined): Promise<void> {
    const hosted = this.nodes.get(node.name)!;
    for (const command of node.commands) {
      signal?.throwIfAborted();
      const result = await hosted.exec(command);
      if (result.code !== 0) {
        throw new Error(
          `${node.name}: '${command}' ended with ${result.code}: ${(result.stderr || result.stdout).trim()}`,
        );
      }
    }
    for (const daemon of node.daemons) {
      const running = await hosted.start(daemon.run);
      this.#daemons.push(running);
      if (daemon.ready === undefined) continue;
      const ready = new RegExp(daemon.ready, 'm');
      if (!(await this.until(() => ready.test(running.stdout + running.stderr), 10_000))) {
        throw new Error(`${node.name}: '${daemon.run}' was not ready in 10 s (no line matched ${ready})`);
      }
    }
  }

  #capture(record: LinkRecord, observe: Observation): void {
    const socket = PacketSocket.open({
      device: observe.device,
      namespace: observe.namespace,
      promiscuous: observe.promiscuous,
    });
    this.#captures.push(socket);
    const batch = new FrameBatch(64, 65_536 + 64);
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

  sleep(duration: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, duration));
  }

  until(check: () => boolean, within: number): Promise<boolean> {
    if (check()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        remove();
        clearInterval(interval);
        clearTimeout(timeout);
        resolve(result);
      };
      const look = (): void => {
        if (check()) end(true);
      };
      const remove = this.#watchers.add(look);
      const interval = setInterval(look, 50);
      const timeout = setTimeout(() => end(check()), within);
    });
  }

  versions(): Promise<Record<string, string>> {
    return this.#host.versions();
  }

  down(): Promise<void> {
    this.#down ??= this.#takeDown();
    return this.#down;
  }

  async #takeDown(): Promise<void> {
    for (const daemon of this.#daemons) daemon.interrupt();
    for (const drain of this.#drains) {
      try {
        drain();
      } catch {
        // the device went before its capture: a node died with it
      }
    }
    for (const socket of this.#captures) socket.close();
    for (const wired of this.#wired) wired.close();
    await this.#host.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down();
  }
}

/** `net.ipv6.conf.ab.hop_limit` waits until `ab` is there. */
function ofInterface(node: TopologyNode, key: string): boolean {
  return node.interfaces.some((end) => key.split('.').includes(end.interface));
}

/** The drivers' own checks: kinds that they don't run. */
export function unsupportedKinds(
  driver: Driver['name'],
  topology: Topology,
  kinds: ReadonlyMap<string, NodeKind>,
): string | undefined {
  for (const node of topology.nodes) {
    const kind = kinds.get(node.kind);
    if (kind === undefined) return `${node.name}: no implementation of kind '${node.kind}' is registered`;
    if (!kind.drivers.includes(driver)) return `${node.name}: '${node.kind}' does not run under the ${driver} driver`;
  }
  return undefined;
}
