/**
 * What a world is to the rest of the orchestrator: a driver brings a topology up, a lab is what stands then. `docker` and
 * `process` run in real time on kernel links, `sim` in virtual time in this process; one suite of tests holds for all three.
 *
 * Times are milliseconds since the lab came up, of the lab's own clock.
 */
import type { NodeState } from '#node/node-state.ts';
import type { Decoded } from '#stack/wire/decode.ts';
import type { FaultSource } from '../faults/fault-schema.ts';
import type { Topology } from '../topology.ts';

export type DriverName = 'docker' | 'process' | 'sim';

export interface Driver {
  readonly name: DriverName;
  /** Why it can't run here, in a sentence that says what to do; undefined when it can. */
  unavailable(): Promise<string | undefined>;
  /** Why not even the labs that are there can be looked at and removed; what only a new lab needs may be missing. */
  unreachable(): Promise<string | undefined>;
  /** Why this topology can't run under it here (a kind, a link medium; with `keep` a link that could not stay), or undefined. */
  unsupported(topology: Topology, options?: { keep?: boolean }): string | undefined;
  /** All or nothing: on any error, and when `signal` aborts, everything made is taken away again. */
  up(topology: Topology, options: UpOptions): Promise<Lab>;
  /** Remove what labs left that no living orchestrator owns (`all`: every lab's); what was removed, one line each. */
  collect(options: { all: boolean; dryRun: boolean }): Promise<string[]>;
  /** The labs on this host, whoever made them. */
  list(): Promise<LabSummary[]>;
  /** Take a lab down that another process made. */
  remove(id: string): Promise<void>;
  /** Run a command in a node of such a lab, on this process's own streams and terminal; its exit code. */
  exec(id: string, node: string, command: readonly string[]): Promise<number>;
}

export interface LabSummary {
  readonly id: string;
  readonly driver: DriverName;
  /** Made to outlive its maker. */
  readonly keep: boolean;
  readonly nodes: readonly NodeSummary[];
}

export interface NodeSummary {
  readonly name: string;
  readonly kind: string;
  readonly running: boolean;
  /** Of a kame node: its control socket as this host sees it, for KAME_NODE; else empty. */
  readonly control: string;
  /** Path of its network namespace on this host; empty of a container that is not running. */
  readonly namespace: string;
}

export interface UpOptions {
  /** Unique on this host; names and labels of everything the lab makes carry it. */
  readonly id: string;
  readonly progress?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** The lab outlives this process (`kamelab up`). */
  readonly keep?: boolean;
  /** Every frame of every link, as it is seen; `epoch` is the lab's, which is not returned yet. */
  readonly onFrame?: (frame: Frame, epoch: number) => void;
}

export interface Lab extends AsyncDisposable {
  readonly id: string;
  readonly driver: DriverName;
  readonly topology: Topology;
  readonly nodes: ReadonlyMap<string, LabNode>;
  readonly links: ReadonlyMap<string, LabLink>;
  /** Real time 1970-based of the lab's 0, in milliseconds; in `sim` a fixed date. */
  readonly epoch: number;
  readonly now: number;
  /** What a measured time may be off beyond the RFC's bounds: 0 in `sim`. */
  readonly tolerance: number;
  /** What nodes told, in order of time. */
  readonly events: readonly LabEvent[];
  sleep(duration: number): Promise<void>;
  /**
   * Wait until `check` is true, looked at every frame, event and 50 ms; false when `within` passed before. Rejects with what
   * `check` throws, and when the lab is taken down.
   */
  until(check: () => boolean, within: number): Promise<boolean>;
  /** Versions of what took part: kernel, node, images with digests. */
  versions(): Promise<Record<string, string>>;
  down(): Promise<void>;
}

export interface LabNode {
  readonly name: string;
  readonly kind: string;
  /** Path of its network namespace on this host; undefined in `sim`. */
  readonly namespace?: string;
  /**
   * Runs to its end; a shell command line, or words. Tools of the node's kind: `ndp -a` on kame, `ip neigh` on Linux.
   * Rejects when the node can't run anything: it was killed.
   */
  exec(command: string | readonly string[], options?: { timeout?: number; input?: string }): Promise<ExecResult>;
  /** Starts and does not wait. */
  start(command: string | readonly string[]): Promise<RunningCommand>;
  /** One tunable, by the name the kind knows it under. */
  sysctl(name: string, value: string | number): Promise<void>;
  /** What a kame node holds: interfaces, neighbors, routes, counters. Undefined of another kind. */
  state(): Promise<NodeState | undefined>;
  /** What the node has logged so far. */
  log(): Promise<string>;
  /**
   * The end of the node, without a word to anybody. Its links stay, with their carrier. A kernel can't be killed alone:
   * its interfaces lose their addresses and say nothing more.
   */
  kill(): Promise<void>;
  /** Its processes stand still. A kernel goes on answering. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export interface ExecResult {
  /** Exit code; 128 + n when ended by signal n, 124 after the timeout. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly stdout: string;
  readonly stderr: string;
  readonly done: Promise<ExecResult>;
  /** Once it has ended. */
  readonly result: ExecResult | undefined;
  /** As Ctrl-C. */
  interrupt(): void;
}

export interface LabLink {
  readonly name: string;
  readonly type: 'p2p' | 'lan';
  readonly medium: 'ethernet' | 'tun';
  readonly mtu: number;
  /**
   * All frames so far, as the capture saw them. Two that were sent on different processors within microseconds may come
   * with their times the other way round: the kernel stamps a frame before it queues it.
   */
  readonly frames: readonly Frame[];
  /** Frames the capture lost, for want of room: a verdict can't be trusted unless 0. */
  readonly lost: number;
  /** Faults that were ever on it, those of the topology first. One that never fired makes the run fail. */
  readonly faults: readonly FaultHandle[];
  /**
   * Puts a fault on the link, behind those that it has; its times count from now. Throws a UsageError when it is none, and
   * on a link that is not a wire: one takes `wire: true` or faults in the topology to become one.
   */
  fault(spec: FaultSource): FaultHandle;
}

export interface FaultHandle {
  /** As written, or what it does. */
  readonly name: string;
  /** Nobody minds when it never fires. */
  readonly optional: boolean;
  /** How often it struck a frame so far. */
  readonly fired: number;
  /** Off the link again: what it holds back goes on at once, what it delays keeps its time. */
  remove(): void;
}

export interface Frame {
  readonly time: number;
  readonly link: string;
  /** Link-layer header first on Ethernet, the IP header on TUN. */
  readonly bytes: Uint8Array;
  /** The node it came from, where the capture can tell. */
  readonly from: string | undefined;
  /** What faults did to it: `lost`, `delayed by 30 ms`. The bytes are as it was sent. */
  readonly fault?: string | undefined;
  /** Decoded when first asked for. */
  readonly decoded: Decoded;
}

export interface LabEvent {
  readonly time: number;
  readonly node: string;
  readonly type: string;
  readonly [field: string]: unknown;
}
