/**
 * The process driver: a node is a network namespace, a kame node a process in it. Needs root and Linux, no Docker.
 *
 * Names: /run/netns/kamelab-LAB and kamelab-LAB.NODE, /run/kamelab/LAB/NODE/. Every process of a lab has its token in
 * its environment, and only a process that has it is ever ended.
 */
import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, release as kernelRelease } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createNamespace, deleteNamespace, listNamespaces, withNamespace, writeSysctl } from 'tun-tap';
import type { NodeState } from '#node/node-state.ts';
import type { Kind } from '../kinds.ts';
import type { Topology, TopologyNode } from '../topology.ts';
import { type Abandonable, ChildCommand, EXEC_TIMEOUT, finished } from './command.ts';
import type { Driver, ExecResult, Lab, LabSummary, RunningCommand, UpOptions } from './driver.ts';
import { KameControl, kameConfig } from './kame-node.ts';
import { type Host, type HostedNode, KernelLab, unsupported } from './kernel-lab.ts';
import { silence } from './kernel-node.ts';
import { type Claim, claim, claimed, deadDrafts, disown, type Owner, RUN_FOLDER, release, startOf } from './owner.ts';

const PREFIX = 'kamelab-';
const NODE_IMAGE = join(import.meta.dirname, '../../node-image');
const TOOLS = join(NODE_IMAGE, 'bin');
/** A killed process may take a moment. Milliseconds. */
const DYING = 10_000;
const LOOK = 5;

export class ProcessDriver implements Driver {
  readonly name = 'process';
  readonly #kinds: ReadonlyMap<string, Kind>;

  constructor(kinds: ReadonlyMap<string, Kind>) {
    this.#kinds = kinds;
  }

  async unreachable(): Promise<string | undefined> {
    if (process.platform !== 'linux') return 'needs Linux';
    if (process.getuid?.() !== 0) return 'needs root for network namespaces: run it with sudo';
    return undefined;
  }

  async unavailable(): Promise<string | undefined> {
    const unreachable = await this.unreachable();
    if (unreachable !== undefined) return unreachable;
    if (!existsSync('/dev/net/tun')) return '/dev/net/tun is missing: modprobe tun, or mknod /dev/net/tun c 10 200';
    return undefined;
  }

  unsupported(topology: Topology, { keep = false } = {}): string | undefined {
    const limited = topology.nodes.find(({ limits }) => limits.memory !== undefined || limits.cpus !== undefined);
    if (limited !== undefined) return `${limited.name}: limits need containers; use the docker driver`;
    return unsupported(this.name, topology, this.#kinds, keep);
  }

  async up(topology: Topology, options: UpOptions): Promise<Lab> {
    options.signal?.throwIfAborted();
    return KernelLab.up(topology, await ProcessHost.open(options.id, options.keep ?? false), this.#kinds, options);
  }

  async collect({ all, dryRun }: { all: boolean; dryRun: boolean }): Promise<string[]> {
    const removed: string[] = [];
    for (const { id, owner, living } of claimed()) {
      if (living && !all) continue;
      for (const pid of processesOf(owner)) removed.push(`process ${pid} of lab ${id}`);
      for (const name of namespacesOf(id)) removed.push(`namespace ${name}`);
      removed.push(`folder of lab ${id}`);
      if (!dryRun) await end(id, owner);
    }
    for (const name of deadDrafts()) {
      removed.push(`folder ${name}`);
      if (!dryRun) release(name);
    }
    return removed;
  }

  async list(): Promise<LabSummary[]> {
    return claimed().map(({ id, owner }) => {
      const nodes = nodesOf(id).map((name) => {
        const place = new NodePlace(id, name);
        const { kind, running, socket } = place;
        const namespace = `/run/netns/${place.namespace}`;
        return { name, kind, running, control: kind === 'kame' ? socket : '', namespace };
      });
      return { id, driver: this.name, keep: owner?.keep ?? false, nodes };
    });
  }

  async remove(id: string): Promise<void> {
    const found = claimed().find((lab) => lab.id === id);
    if (found !== undefined) await end(id, found.owner);
  }

  async exec(id: string, node: string, command: readonly string[]): Promise<number> {
    const owner = claimed().find((lab) => lab.id === id)?.owner;
    const child = new NodePlace(id, node).spawnInside(command, owner?.token ?? '', { stdio: 'inherit' });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on('SIGTERM', forward);
    try {
      return await new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
      });
    } finally {
      process.off('SIGTERM', forward);
    }
  }
}

/** Processes, namespaces, folder: in this order, since a process keeps its namespace, and the folder says whose they are. */
async function end(id: string, owner: Owner | undefined): Promise<void> {
  disown(id);
  await endProcesses(owner);
  for (const name of namespacesOf(id)) deleteNamespace(name);
  release(id);
}

const namespacesOf = (id: string): string[] =>
  listNamespaces().filter((name) => name === `${PREFIX}${id}` || name.startsWith(`${PREFIX}${id}.`));

function nodesOf(id: string): string[] {
  try {
    const entries = readdirSync(join(RUN_FOLDER, id), { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  } catch {
    return []; // it went meanwhile
  }
}

/** Where a node lives on this host: its folder and namespace; so that commands run there, whoever made it. */
class NodePlace {
  readonly folder: string;
  readonly namespace: string;
  readonly #lab: string;
  readonly #name: string;

  constructor(lab: string, name: string) {
    this.#lab = lab;
    this.#name = name;
    this.folder = join(RUN_FOLDER, lab, name);
    this.namespace = `${PREFIX}${lab}.${name}`;
  }

  get socket(): string {
    return join(this.folder, 'control.sock');
  }

  get kind(): string {
    try {
      return readFileSync(join(this.folder, 'kind'), 'utf8');
    } catch {
      return ''; // it is just being made, or going
    }
  }

  /** Of a kame node, its process; of another its namespace, which is there as long as the lab. */
  get running(): boolean {
    if (this.kind !== 'kame') return true;
    try {
      const [pid, started] = readFileSync(join(this.folder, 'process'), 'utf8').split(' ');
      return startOf(Number(pid)) === started;
    } catch {
      return false;
    }
  }

  started(pid: number): void {
    writeFileSync(join(this.folder, 'process'), `${pid} ${startOf(pid) ?? ''}`);
  }

  make({ kind, files }: TopologyNode): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, 'kind'), kind);
    for (const file of files) {
      const path = join(this.folder, 'files', file.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file.content);
    }
  }

  environment(token: string): NodeJS.ProcessEnv {
    const kame = this.kind === 'kame';
    return {
      ...process.env,
      KAMELAB_LAB: this.#lab,
      KAMELAB_NODE: this.#name,
      KAMELAB_TOKEN: token,
      ...(kame ? { KAME_NODE: this.socket, PATH: `${TOOLS}:${process.env['PATH'] ?? ''}` } : {}),
    };
  }

  spawn(command: readonly string[], token: string, options: SpawnOptions = {}): ChildProcess {
    const [file, ...argv] = command;
    return withNamespace(this.namespace, () => spawn(file!, argv, { env: this.environment(token), ...options }));
  }

  /** A command of the node's, with the file system that the node has. */
  spawnInside(command: readonly string[], token: string, options: SpawnOptions = {}): ChildProcess {
    const line = `${this.#mounts().join(' && ')} && exec "$@"`;
    return this.spawn(['unshare', '--mount', '/bin/sh', '-c', line, 'sh', ...command], token, options);
  }

  /** /sys of the node's own devices, and its files over the host's; in a mount namespace of each command's own. */
  #mounts(): string[] {
    const files = join(this.folder, 'files');
    const tops = existsSync(files) ? readdirSync(files) : [];
    const overlays = tops.map((top) => {
      const layers = `${join(files, top)}:/${top}`;
      return `mount -t overlay -o ${quote(`lowerdir=${layers}`)} kamelab ${quote(`/${top}`)}`;
    });
    return ['mount -t sysfs -o ro kamelab /sys', ...overlays];
  }
}

class ProcessHost implements Host {
  readonly driver = 'process';
  readonly labNamespace: string;
  readonly #id: string;
  readonly #claim: Claim;
  readonly #nodes: ProcessNode[] = [];

  private constructor(id: string, mine: Claim) {
    this.#id = id;
    this.#claim = mine;
    this.labNamespace = createNamespace(`${PREFIX}${id}`);
    // the testbed's side of links says nothing of its own
    writeSysctl(this.labNamespace, 'net.ipv6.conf.all.disable_ipv6', 1);
    writeSysctl(this.labNamespace, 'net.ipv6.conf.default.disable_ipv6', 1);
  }

  static async open(id: string, keep: boolean): Promise<ProcessHost> {
    const mine = claim(id, keep);
    try {
      return new ProcessHost(id, mine);
    } catch (error) {
      await end(id, mine.owner);
      throw error;
    }
  }

  async start(node: TopologyNode, kind: Kind, topology: Topology, signal: AbortSignal): Promise<HostedNode> {
    const place = new NodePlace(this.#id, node.name);
    writeSysctl(createNamespace(place.namespace), 'net.ipv6.conf.default.disable_ipv6', 1);
    place.make(node);
    const { owner } = this.#claim;
    const started = new ProcessNode(node, place, owner);
    this.#nodes.push(started);
    if (kind.attachment === 'tap') await started.startKame(topology, signal);
    return started;
  }

  async versions(): Promise<Record<string, string>> {
    return { kernel: kernelRelease(), node: process.version };
  }

  async leave(): Promise<void> {
    this.#claim.keep();
    for (const node of this.#nodes) node.leave();
  }

  async end(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.end()));
    await end(this.#id, this.#claim.owner);
  }
}

class ProcessNode implements HostedNode {
  readonly name: string;
  readonly kind: string;
  readonly namespace: string;
  readonly #node: TopologyNode;
  readonly #place: NodePlace;
  readonly #owner: Owner;
  readonly #running = new Set<ChildCommand>();
  #started = 0;
  #killed = false;
  #process: ChildProcess | undefined;
  #kame: KameControl | undefined;

  constructor(node: TopologyNode, place: NodePlace, owner: Owner) {
    this.name = node.name;
    this.kind = node.kind;
    this.namespace = `/run/netns/${place.namespace}`;
    this.#node = node;
    this.#place = place;
    this.#owner = owner;
  }

  async startKame(topology: Topology, signal: AbortSignal): Promise<void> {
    const { folder, socket } = this.#place;
    const { keep, token } = this.#owner;
    const config = join(folder, 'node.json');
    writeFileSync(config, JSON.stringify(kameConfig(this.#node, topology.links)));
    const argv = [process.execPath, join(NODE_IMAGE, 'main.ts'), '--control', socket, '--checked', config, '--hold'];
    // the pipe at stdin ends with this process, and then the node ends too
    if (!keep) argv.push('--die-with-stdin');
    const log = openSync(join(folder, 'log'), 'a');
    const child = this.#place.spawn(argv, token, {
      stdio: [keep ? 'ignore' : 'pipe', log, log],
      detached: true,
      cwd: '/',
    });
    closeSync(log);
    this.#process = child;
    if (child.pid !== undefined) this.#place.started(child.pid);
    let failed = '';
    child.once('error', (error) => {
      failed = error.message;
    });
    const dead = (): boolean => signal.aborted || failed !== '' || child.exitCode !== null || child.signalCode !== null;
    this.#kame = await KameControl.connect(socket, dead).catch(async (error) => {
      const said = failed || (await this.log()).trim();
      throw new Error(`${this.name}: ${(error as Error).message}; it said: ${said}`);
    });
  }

  async connected(): Promise<void> {
    await this.#kame?.connected();
  }

  onEvent(handler: Parameters<HostedNode['onEvent']>[0]): void {
    this.#kame?.onEvent(handler);
  }

  async exec(
    command: string | readonly string[],
    { timeout = EXEC_TIMEOUT, input }: { timeout?: number; input?: string } = {},
  ): Promise<ExecResult> {
    return finished(this.#run(command, input), timeout);
  }

  async start(command: string | readonly string[]): Promise<RunningCommand> {
    return this.#owner.keep ? this.#startToStay(command) : this.#run(command, undefined);
  }

  #run(command: string | readonly string[], input: string | undefined): Abandonable {
    if (this.#killed) throw new Error(`${this.name} was killed`);
    const program = this.#kame?.program(command);
    if (program !== undefined) return this.#kame!.run(program, input);
    const child = this.#spawn(command, 'pipe');
    child.stdin?.on('error', () => {}); // it may end without reading
    child.stdin?.end(input);
    return this.#track(new ChildCommand(child));
  }

  /** With a file for what it says, and a tool as a process of its own: neither ends with this process. */
  #startToStay(command: string | readonly string[]): RunningCommand {
    const path = join(this.#place.folder, `command-${++this.#started}.log`);
    const log = openSync(path, 'a');
    const child = this.#spawn(command, ['ignore', log, log]);
    closeSync(log);
    return this.#track(new ChildCommand(child, path));
  }

  #spawn(command: string | readonly string[], stdio: StdioOptions): ChildProcess {
    const argv = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
    return this.#place.spawnInside(argv, this.#owner.token, { stdio, detached: true, cwd: '/' });
  }

  #track(running: ChildCommand): ChildCommand {
    this.#running.add(running);
    void running.done.then(() => this.#running.delete(running));
    return running;
  }

  async sysctl(name: string, value: string | number): Promise<void> {
    if (this.#kame === undefined) return writeSysctl(this.namespace, name, value);
    const result = await this.exec(['sysctl', '-w', `${name}=${value}`]);
    if (result.code !== 0) throw new Error(`${this.name}: ${result.stderr.trim()}`);
  }

  async state(): Promise<NodeState | undefined> {
    return this.#kame?.state();
  }

  async log(): Promise<string> {
    const path = join(this.#place.folder, 'log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  async kill(): Promise<void> {
    this.#killed = true;
    if (this.#kame === undefined) silence(this.#node, this.namespace);
    await this.#end();
  }

  async pause(): Promise<void> {
    this.#signal('SIGSTOP');
  }

  async resume(): Promise<void> {
    this.#signal('SIGCONT');
  }

  #signal(name: NodeJS.Signals): void {
    for (const running of this.#running) running.signal(name);
    const child = this.#process;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(child.pid, name);
  }

  /** The lab stays: what was started goes on without this process. */
  leave(): void {
    this.#kame?.close();
    this.#process?.unref();
    for (const running of this.#running) running.unref();
  }

  async end(): Promise<void> {
    this.#kame?.close();
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#signal('SIGKILL');
    const child = this.#process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((resolve) => child.once('exit', resolve));
  }
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Processes that have the lab's token in their environment, at this moment. */
function processesOf(owner: Owner | undefined): number[] {
  if (owner === undefined) return [];
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return numbers.map(Number).filter((pid) => belongsTo(pid, owner));
}

const belongsTo = (pid: number, { token }: Owner): boolean =>
  pid !== process.pid && environmentOf(pid).get('KAMELAB_TOKEN') === token;

/** Empty of a process that is gone or dead. */
function environmentOf(pid: number): Map<string, string> {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
  } catch {
    return new Map();
  }
}

/** Until none is left: one may start another while it is looked at. */
async function endProcesses(owner: Owner | undefined): Promise<void> {
  const late = performance.now() + DYING;
  for (let found = processesOf(owner); found.length > 0; found = processesOf(owner)) {
    if (performance.now() > late) throw new Error(`lab ${owner!.id}: process ${found.join(', ')} does not end`);
    for (const pid of found) endProcess(pid, owner!);
    await pause(LOOK);
  }
}

/** Asked again at once before: the number may be another process's by now. */
function endProcess(pid: number, owner: Owner): void {
  try {
    if (belongsTo(pid, owner)) process.kill(pid, 'SIGKILL');
  } catch {
    // it ended meanwhile
  }
}
