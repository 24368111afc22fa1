/**
 * The process driver: a node is a network namespace, a kame node a process in it. Needs root and Linux, no Docker.
 *
 * Names: /run/netns/kamelab-LAB and kamelab-LAB.NODE, /run/kamelab/LAB/NODE/. Every process of a node has KAMELAB_LAB
 * in its environment, which is how `gc` knows it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, release as kernelRelease } from 'node:os';
import { dirname, join } from 'node:path';
import { createNamespace, deleteNamespace, listNamespaces, withNamespace, writeSysctl } from 'tun-tap';
import type { NodeState } from '#node/node-state.ts';
import type { Kind } from '../kinds.ts';
import type { Topology, TopologyNode } from '../topology.ts';
import { ChildCommand, finished } from './command.ts';
import type { Driver, ExecResult, Lab, LabSummary, RunningCommand, UpOptions } from './driver.ts';
import { KameControl, kameConfig } from './kame-node.ts';
import { type Host, type HostedNode, KernelLab, unsupportedKinds } from './kernel-lab.ts';
import { claim, owners, RUN_FOLDER, release } from './owner.ts';

const PREFIX = 'kamelab-';
const NODE_IMAGE = join(import.meta.dirname, '../../node-image');
const TOOLS = join(NODE_IMAGE, 'bin');
const EXEC_TIMEOUT = 60_000;

export class ProcessDriver implements Driver {
  readonly name = 'process';
  readonly #kinds: ReadonlyMap<string, Kind>;

  constructor(kinds: ReadonlyMap<string, Kind>) {
    this.#kinds = kinds;
  }

  async unavailable(): Promise<string | undefined> {
    if (process.platform !== 'linux') return 'needs Linux';
    if (process.getuid?.() !== 0) return 'needs root for network namespaces: run it with sudo';
    if (!existsSync('/dev/net/tun')) return '/dev/net/tun is missing: modprobe tun, or mknod /dev/net/tun c 10 200';
    return undefined;
  }

  unsupported(topology: Topology): string | undefined {
    return unsupportedKinds(this.name, topology, this.#kinds);
  }

  async up(topology: Topology, options: UpOptions): Promise<Lab> {
    return KernelLab.up(topology, new ProcessHost(options.id, options.keep ?? false), this.#kinds, options);
  }

  async collect({ all, dryRun }: { all: boolean; dryRun: boolean }): Promise<string[]> {
    const known = owners(this.name);
    const living = new Set(known.filter((owner) => owner.living && !all).map((owner) => owner.id));
    const removed: string[] = [];
    const left = listNamespaces().filter((name) => name.startsWith(PREFIX) && !living.has(labOf(name)));
    const dead = new Set([...left.map(labOf), ...known.map(({ id }) => id).filter((id) => !living.has(id))]);
    for (const id of dead) {
      for (const pid of processesOf(id)) {
        removed.push(`process ${pid} of lab ${id}`);
        if (!dryRun) killProcess(pid);
      }
    }
    for (const name of left) {
      removed.push(`namespace ${name}`);
      if (!dryRun) deleteNamespace(name);
    }
    for (const id of dead) {
      if (known.some((owner) => owner.id === id)) removed.push(`folder of lab ${id}`);
      if (!dryRun) release(id);
    }
    return removed;
  }

  async list(): Promise<LabSummary[]> {
    return owners(this.name).map(({ id, keep }) => {
      const alive = new Set(processesOf(id).map(nodeOf));
      const nodes = readdirSync(join(RUN_FOLDER, id), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => {
          const socket = join(RUN_FOLDER, id, name, 'control.sock');
          const kind = readFileSync(join(RUN_FOLDER, id, name, 'kind'), 'utf8');
          const control = kind === 'kame' ? socket : '';
          return { name, kind, running: kind !== 'kame' || alive.has(name), control };
        });
      return { id, driver: this.name, keep, nodes };
    });
  }

  async remove(id: string): Promise<void> {
    await end(id);
  }

  async exec(id: string, node: string, command: readonly string[]): Promise<number> {
    const [file, ...argv] = command;
    const folder = join(RUN_FOLDER, id, node);
    const kame = readFileSync(join(folder, 'kind'), 'utf8') === 'kame';
    const child = withNamespace(`${PREFIX}${id}.${node}`, () =>
      spawn(file!, argv, {
        stdio: 'inherit',
        env: {
          ...process.env,
          ...(kame ? { KAME_NODE: join(folder, 'control.sock'), PATH: `${TOOLS}:${process.env['PATH'] ?? ''}` } : {}),
        },
      }),
    );
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 0)));
    });
  }
}

/** Processes, namespaces, folder: in this order, since a process keeps its namespace. */
async function end(id: string): Promise<void> {
  for (const pid of processesOf(id)) killProcess(pid);
  for (const name of listNamespaces()) {
    if (name === `${PREFIX}${id}` || name.startsWith(`${PREFIX}${id}.`)) deleteNamespace(name);
  }
  release(id);
}

const labOf = (namespace: string): string => namespace.slice(PREFIX.length).split('.')[0]!;

class ProcessHost implements Host {
  readonly driver = 'process';
  readonly labNamespace: string;
  readonly #id: string;
  readonly #folder: string;
  readonly #keep: boolean;
  readonly #nodes: ProcessNode[] = [];

  constructor(id: string, keep: boolean) {
    this.#id = id;
    this.#keep = keep;
    this.#folder = claim(id, this.driver, keep);
    this.labNamespace = createNamespace(`${PREFIX}${id}`);
    // the testbed's side of links says nothing of its own
    writeSysctl(this.labNamespace, 'net.ipv6.conf.all.disable_ipv6', 1);
    writeSysctl(this.labNamespace, 'net.ipv6.conf.default.disable_ipv6', 1);
  }

  async start(node: TopologyNode, kind: Kind, topology: Topology): Promise<HostedNode> {
    const namespace = createNamespace(`${PREFIX}${this.#id}.${node.name}`);
    writeSysctl(namespace, 'net.ipv6.conf.default.disable_ipv6', 1);
    const folder = join(this.#folder, node.name);
    mkdirSync(folder, { recursive: true });
    const started = new ProcessNode(node, namespace, folder, this.#id);
    this.#nodes.push(started);
    if (kind.attachment === 'tap') await started.startKame(topology, this.#keep);
    return started;
  }

  async versions(): Promise<Record<string, string>> {
    return { kernel: kernelRelease(), node: process.version };
  }

  async end(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.end()));
    await end(this.#id);
  }
}

class ProcessNode implements HostedNode {
  readonly name: string;
  readonly kind: string;
  readonly namespace: string;
  readonly #node: TopologyNode;
  readonly #folder: string;
  readonly #lab: string;
  readonly #running = new Set<ChildCommand>();
  #process: ChildProcess | undefined;
  #kame: KameControl | undefined;

  constructor(node: TopologyNode, namespace: string, folder: string, lab: string) {
    this.name = node.name;
    this.kind = node.kind;
    this.namespace = namespace;
    this.#node = node;
    this.#folder = folder;
    this.#lab = lab;
    writeFileSync(join(folder, 'kind'), node.kind);
    for (const file of node.files) {
      const path = join(folder, 'files', file.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file.content);
    }
  }

  async startKame(topology: Topology, keep: boolean): Promise<void> {
    const socket = join(this.#folder, 'control.sock');
    const config = join(this.#folder, 'node.yaml');
    writeFileSync(config, JSON.stringify(kameConfig(this.#node, topology.links)));
    const log = openSync(join(this.#folder, 'log'), 'a');
    const argv = [join(NODE_IMAGE, 'main.ts'), '--control', socket, '--config', config, '--hold'];
    // the pipe at stdin ends with this process, and then the node ends too
    if (!keep) argv.push('--die-with-stdin');
    const child = withNamespace(this.namespace, () =>
      spawn(process.execPath, argv, {
        stdio: [keep ? 'ignore' : 'pipe', log, log],
        env: this.#environment(),
        detached: true,
        cwd: '/',
      }),
    );
    closeSync(log);
    this.#process = child;
    this.#kame = await KameControl.connect(socket, () => child.exitCode !== null || child.signalCode !== null).catch(
      async (error) => {
        throw new Error(`${this.name}: ${(error as Error).message}; it said: ${(await this.log()).trim()}`);
      },
    );
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      KAMELAB_LAB: this.#lab,
      KAMELAB_NODE: this.name,
      KAME_NODE: join(this.#folder, 'control.sock'),
      ...(this.kind === 'kame' ? { PATH: `${TOOLS}:${process.env['PATH'] ?? ''}` } : {}),
    };
  }

  async connected(): Promise<void> {
    await this.#kame?.connected();
  }

  onEvent(handler: Parameters<HostedNode['onEvent']>[0]): void {
    this.#kame?.onEvent(handler);
  }

  async exec(
    command: string | readonly string[],
    options: { timeout?: number; input?: string } = {},
  ): Promise<ExecResult> {
    const timeout = options.timeout ?? EXEC_TIMEOUT;
    const program = this.#kame?.program(command);
    if (program !== undefined) return finished(this.#kame!.run(program, options.input), timeout);
    const running = this.#spawn(command, options.input);
    const result = await finished(running, timeout);
    this.#running.delete(running);
    return result;
  }

  async start(command: string | readonly string[]): Promise<RunningCommand> {
    const program = this.#kame?.program(command);
    return program === undefined ? this.#spawn(command, undefined) : this.#kame!.run(program, undefined);
  }

  #spawn(command: string | readonly string[], input: string | undefined): ChildCommand {
    const [file, ...argv] = this.#inPlace(typeof command === 'string' ? ['/bin/sh', '-c', command] : command);
    const child = withNamespace(this.namespace, () =>
      spawn(file!, argv, { stdio: ['pipe', 'pipe', 'pipe'], env: this.#environment(), detached: true, cwd: '/' }),
    );
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(input);
    const running = new ChildCommand(child);
    this.#running.add(running);
    return running;
  }

  /** The node's files lie over the host's for its commands, read-only, in a mount namespace of each command's own. */
  #inPlace(argv: readonly string[]): readonly string[] {
    if (this.#node.files.length === 0) return argv;
    const tops = new Set(this.#node.files.map(({ path }) => path.split('/')[1]!));
    const mounts = [...tops].map((top) => {
      const layers = `${join(this.#folder, 'files', top)}:/${top}`;
      return `mount -t overlay -o ${quote(`lowerdir=${layers}`)} kamelab ${quote(`/${top}`)}`;
    });
    return ['unshare', '--mount', '/bin/sh', '-c', `${mounts.join(' && ')} && exec "$@"`, 'sh', ...argv];
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
    const path = join(this.#folder, 'log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL');
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

  async end(): Promise<void> {
    this.#kame?.close();
    const child = this.#process;
    this.#signal('SIGKILL');
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once('exit', resolve));
    }
  }
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Processes that carry the lab's name in their environment. */
function processesOf(lab: string): number[] {
  const wanted = `KAMELAB_LAB=${lab}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(wanted);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function nodeOf(pid: number): string {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return environment.find((entry) => entry.startsWith('KAMELAB_NODE='))?.slice('KAMELAB_NODE='.length) ?? '';
  } catch {
    return '';
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended meanwhile
  }
}
