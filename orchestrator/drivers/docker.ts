/**
 * The docker driver: a node is a container without a Docker network. A container of its own, without a process to
 * speak of, holds the lab's namespace, so that removing containers by label removes the lab whole.
 *
 * Names: kamelab-LAB and kamelab-LAB.NODE. While a lab that is to stay comes up, its holder has another name: from its
 * labels, which can't change, nobody could tell whether it was finished.
 *
 * The orchestrator must share the engine's process numbers (it runs on the host, or with `pid: host`), since it enters the
 * containers' namespaces by /proc/PID/ns/net and reaches a kame node's control socket by /proc/PID/root.
 */
import { closeSync, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import { release as kernelRelease } from 'node:os';
import { posix } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import Docker from 'dockerode';
import { writeSysctl } from 'tun-tap';
import type { NodeState } from '#node/node-state.ts';
import type { Kind } from '../kinds.ts';
import type { Topology, TopologyFile, TopologyNode } from '../topology.ts';
import { UsageError } from '../usage-error.ts';
import { archive } from './archive.ts';
import { type Abandonable, EXEC_TIMEOUT, finished, KILLED, Output } from './command.ts';
import { Demultiplexer } from './docker-stream.ts';
import type { Driver, ExecResult, Lab, LabSummary, NodeSummary, RunningCommand, UpOptions } from './driver.ts';
import { KameControl, kameConfig } from './kame-node.ts';
import { type Host, type HostedNode, KernelLab, unsupported } from './kernel-lab.ts';
import { silence } from './kernel-node.ts';
import { isLiving, type Owner, ownerOf, parseOwner } from './owner.ts';

const LABEL_LAB = 'kamelab.lab';
const LABEL_OWNER = 'kamelab.owner';
const LABEL_NODE = 'kamelab.node';
const LABEL_KIND = 'kamelab.kind';
const IMAGE = 'kamelab/node';
/** The engine's own delays: how often to look, and how long something of a dead client's may take. Milliseconds. */
const LOOK = 5;
const SETTLING = 250;
const SOCKET = '/run/kame.sock';
const CONFIG = '/run/node.json';
/** KAME's own ifconfig, route and sysctl come before Debian's. */
const KAME_PATH =
  '/kamelab/node-image/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/kamelab/node_modules/.bin';

export class DockerDriver implements Driver {
  readonly name = 'docker';
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly #docker = new Docker();

  constructor(kinds: ReadonlyMap<string, Kind>) {
    this.#kinds = kinds;
  }

  async unreachable(): Promise<string | undefined> {
    try {
      await this.#docker.ping();
    } catch (error) {
      return `no Docker Engine answers (${(error as Error).message})`;
    }
    return undefined;
  }

  async unavailable(): Promise<string | undefined> {
    // the scripts' word: an image that could not be built must not be replaced by an older one
    const without = process.env['KAMELAB_WITHOUT_DOCKER'];
    if (without !== undefined && without !== '') return without;
    const unreachable = await this.unreachable();
    if (unreachable !== undefined) return unreachable;
    if (process.getuid?.() !== 0)
      return "needs root, to enter its containers' namespaces: run it with sudo, or by docker compose up";
    try {
      await this.#docker.getImage(IMAGE).inspect();
    } catch {
      return `the image ${IMAGE} is not there: docker compose build`;
    }
    return undefined;
  }

  unsupported(topology: Topology, { keep = false } = {}): string | undefined {
    return unsupported(this.name, topology, this.#kinds, keep);
  }

  async up(topology: Topology, options: UpOptions): Promise<Lab> {
    options.signal?.throwIfAborted();
    const host = await DockerHost.open(this.#docker, ownerOf(options.id, options.keep ?? false));
    return KernelLab.up(topology, host, this.#kinds, options);
  }

  async collect({ all, dryRun }: { all: boolean; dryRun: boolean }): Promise<string[]> {
    const removed = new Set<string>();
    for (;;) {
      const left = (await this.#labs()).filter((lab) => all || !lab.living).flatMap(({ containers }) => containers);
      for (const container of left) removed.add(`container ${nameOf(container)}`);
      if (dryRun || left.length === 0) break;
      await Promise.all(left.map(({ Id }) => remove(this.#docker.getContainer(Id))));
      // a killed process may have asked for one more that the engine is still making
      await pause(SETTLING);
    }
    return [...removed];
  }

  async list(): Promise<LabSummary[]> {
    if ((await this.unreachable()) !== undefined) return [];
    const labs = await this.#labs();
    return Promise.all(
      labs.map(async ({ id, owner, containers }) => {
        const nodes = await Promise.all(containers.map((container) => this.#summary(container)));
        const named = nodes.filter(({ name }) => name !== '').sort(byName);
        return { id, driver: this.name, keep: owner?.keep ?? false, nodes: named };
      }),
    );
  }

  /** Of the holder, a name of nothing. */
  async #summary({ Id, Labels, State }: Docker.ContainerInfo): Promise<NodeSummary> {
    const { [LABEL_NODE]: name = '', [LABEL_KIND]: kind = '' } = Labels;
    const running = State === 'running';
    const found = running ? await this.#docker.getContainer(Id).inspect().catch(ifGone) : undefined;
    const pid = found?.State.Pid;
    const control = kind === 'kame' && pid !== undefined ? `/proc/${pid}/root${SOCKET}` : '';
    return { name, kind, running, control, namespace: pid === undefined ? '' : `/proc/${pid}/ns/net` };
  }

  async #labs(): Promise<Labelled[]> {
    const found = await this.#docker.listContainers({ all: true, filters: { label: [LABEL_LAB] } });
    const ids = [...new Set(found.map(({ Labels }) => Labels[LABEL_LAB]!))].sort();
    return ids.map((id) => {
      const containers = found.filter(({ Labels }) => Labels[LABEL_LAB] === id);
      const owner = parseOwner(containers[0]!.Labels[LABEL_OWNER]);
      const whole = containers.some(
        (container) => nameOf(container) === holderName(id) && container.State === 'running',
      );
      return { id, owner, containers, living: isLiving(owner, whole) };
    });
  }

  async remove(id: string): Promise<void> {
    const found = await this.#docker.listContainers({ all: true, filters: { label: [`${LABEL_LAB}=${id}`] } });
    // without its holder the lab is left over, should this not come to its end
    const holder = found.filter(({ Labels }) => Labels[LABEL_NODE] === undefined);
    for (const some of [holder, found.filter((each) => !holder.includes(each))])
      await Promise.all(some.map(({ Id }) => remove(this.#docker.getContainer(Id))));
  }

  async exec(id: string, node: string, command: readonly string[]): Promise<number> {
    const { stdin, stdout, stderr } = process;
    const terminal = stdin.isTTY === true && stdout.isTTY === true;
    const size = (): [number, number] => [stdout.rows ?? 24, stdout.columns ?? 80];
    const exec = await this.#docker.getContainer(nodeName(id, node)).exec({
      Cmd: bySh(command),
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: terminal,
      ...(terminal ? { ConsoleSize: size(), Env: [`TERM=${process.env['TERM'] ?? 'xterm'}`] } : {}),
    });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: terminal });
    const resize = (): void => void exec.resize({ h: size()[0], w: size()[1] }).catch(() => {});
    const interrupt = (name: NodeJS.Signals): void => void signalExec(exec, name, undefined);
    const output = new Demultiplexer(
      (bytes) => stdout.write(bytes),
      (bytes) => stderr.write(bytes),
    );
    stream.on('data', (bytes: Buffer) => (terminal ? stdout.write(bytes) : output.add(bytes)));
    if (terminal) stdin.setRawMode(true);
    stdin.pipe(stream);
    stdout.on('resize', resize);
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
    try {
      await ended(stream);
      return await exitCode(exec);
    } finally {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      stdout.off('resize', resize);
      stdin.unpipe(stream);
      if (terminal) stdin.setRawMode(false);
      // whoever writes there may go on for long
      stdin.pause();
      stdin.unref?.();
    }
  }
}

interface Labelled {
  readonly id: string;
  readonly owner: Owner | undefined;
  readonly containers: Docker.ContainerInfo[];
  readonly living: boolean;
}

const byName = (a: NodeSummary, b: NodeSummary): number => a.name.localeCompare(b.name);

/** For its codes: the engine has others for what can't be run. */
const bySh = (command: readonly string[]): string[] => ['/bin/sh', '-c', 'exec "$@"', 'sh', ...command];

const nameOf = ({ Names, Id }: Docker.ContainerInfo): string => Names[0]?.slice(1) ?? Id;
const holderName = (id: string): string => `kamelab-${id}`;
/** Neither labs nor nodes have a dot or an underscore in their names. */
const unfinishedName = (id: string): string => `kamelab-${id}_unfinished`;
const nodeName = (id: string, node: string): string => `kamelab-${id}.${node}`;

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode;

function ifGone(error: unknown): undefined {
  if (statusOf(error) !== 404) throw error;
}

/** Gone is gone, whoever removed it; and it is gone when this returns. */
async function remove(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    if (statusOf(error) === 404) return;
    if (statusOf(error) !== 409) throw error;
    // somebody else is at it
    await container.wait({ condition: 'removed' }).catch(ifGone);
  }
}

class DockerHost implements Host {
  readonly driver = 'docker';
  readonly labNamespace: string;
  readonly #docker: Docker;
  readonly #owner: Owner;
  readonly #holder: Docker.Container;
  readonly #containers: Docker.Container[] = [];
  readonly #nodes: DockerNode[] = [];
  readonly #descriptors: number[] = [];

  private constructor(docker: Docker, owner: Owner, holder: Docker.Container, descriptor: number) {
    this.#docker = docker;
    this.#owner = owner;
    this.#holder = holder;
    this.#descriptors.push(descriptor);
    this.labNamespace = pathOf(descriptor);
  }

  static async open(docker: Docker, owner: Owner): Promise<DockerHost> {
    const holder = await create(docker, owner.id, {
      name: owner.keep ? unfinishedName(owner.id) : holderName(owner.id),
      Image: IMAGE,
      Cmd: ['sleep', 'infinity'],
      StopSignal: 'SIGKILL',
      Labels: labels(owner),
      HostConfig: {
        NetworkMode: 'none',
        CapDrop: ['ALL'],
        ReadonlyRootfs: true,
        Sysctls: { 'net.ipv6.conf.all.disable_ipv6': '1', 'net.ipv6.conf.default.disable_ipv6': '1' },
      },
    });
    try {
      await holder.start();
      return new DockerHost(docker, owner, holder, await namespaceOf(holder));
    } catch (error) {
      await remove(holder);
      throw error;
    }
  }

  async start(node: TopologyNode, kind: Kind, topology: Topology, signal: AbortSignal): Promise<HostedNode> {
    const kame = kind.attachment === 'tap';
    const start = `printf %s "$KAME_CONFIG" > ${CONFIG} && exec kame-node --control ${SOCKET} --checked ${CONFIG} --hold`;
    const container = await create(this.#docker, this.#owner.id, {
      name: nodeName(this.#owner.id, node.name),
      Image: kind.image,
      Hostname: node.hostname,
      Cmd: kame ? ['sh', '-c', start] : ['sleep', 'infinity'],
      StopSignal: 'SIGKILL',
      Labels: { ...labels(this.#owner), [LABEL_NODE]: node.name, [LABEL_KIND]: node.kind },
      Env: [
        `KAMELAB_LAB=${this.#owner.id}`,
        `KAMELAB_NODE=${node.name}`,
        ...(kame
          ? [
              `KAME_NODE=${SOCKET}`,
              `KAME_CONFIG=${JSON.stringify(kameConfig(node, topology.links))}`,
              `PATH=${KAME_PATH}`,
            ]
          : []),
      ],
      HostConfig: {
        NetworkMode: 'none',
        CapDrop: ['ALL'],
        CapAdd: ['NET_ADMIN', 'NET_RAW'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: true,
        Tmpfs: { '/run': '', '/tmp': '' },
        // a folder that gets files is a volume, filled from the image; it goes with the container
        Mounts: volumesFor(node).map((Target) => ({ Target, Source: '', Type: 'volume' })),
        Devices: [{ PathOnHost: '/dev/net/tun', PathInContainer: '/dev/net/tun', CgroupPermissions: 'rwm' }],
        Sysctls: { 'net.ipv6.conf.all.disable_ipv6': '0', 'net.ipv6.conf.default.disable_ipv6': '1' },
        ...(node.limits.memory === undefined ? {} : { Memory: node.limits.memory }),
        ...(node.limits.cpus === undefined ? {} : { NanoCpus: Math.round(node.limits.cpus * 1e9) }),
      },
    });
    this.#containers.push(container);
    for (const volume of volumesFor(node)) {
      for (const { path, content } of node.files.filter((file) => !inMemory(file))) {
        if (!path.startsWith(`${volume}/`)) continue;
        await container.putArchive(archive(posix.relative(volume, path), content), { path: volume });
      }
    }
    await container.start();
    const descriptor = await namespaceOf(container);
    this.#descriptors.push(descriptor);
    const hosted = new DockerNode(node, container, this.#owner.keep, pathOf(descriptor));
    this.#nodes.push(hosted);
    const { State } = await container.inspect();
    for (const { path, content } of node.files.filter(inMemory)) {
      const place = `/proc/${State.Pid}/root${path}`;
      mkdirSync(posix.dirname(place), { recursive: true });
      writeFileSync(place, content);
    }
    if (kame) await hosted.connectKame(signal);
    return hosted;
  }

  async versions(): Promise<Record<string, string>> {
    const images = [...new Set((await Promise.all(this.#containers.map(async (one) => one.inspect()))).map(imageOf))];
    const engine = await this.#docker.version();
    const ids = await Promise.all(
      images.map(async (name) => {
        const { Id, RepoDigests } = await this.#docker.getImage(name).inspect();
        return [name, RepoDigests?.[0] ?? Id] as const;
      }),
    );
    return { kernel: kernelRelease(), docker: engine.Version, node: process.version, ...Object.fromEntries(ids) };
  }

  async leave(): Promise<void> {
    await this.#holder.rename({ name: holderName(this.#owner.id) });
    for (const node of this.#nodes) node.leave();
    this.#close();
  }

  async end(): Promise<void> {
    const removed = await Promise.allSettled([...this.#containers, this.#holder].map(remove));
    this.#close();
    const failed = removed.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #close(): void {
    for (const node of this.#nodes) node.close();
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }
}

const imageOf = ({ Config }: Docker.ContainerInspectInfo): string => Config.Image;

/** The engine lets a name be used once. */
async function create(docker: Docker, lab: string, options: Docker.ContainerCreateOptions): Promise<Docker.Container> {
  try {
    return await docker.createContainer(options);
  } catch (error) {
    if (statusOf(error) === 409 && /already in use/.test((error as Error).message)) {
      throw new UsageError(`a lab '${lab}' is there already: kamelab down ${lab}, or kamelab gc if it is left over`);
    }
    if (statusOf(error) === 404) throw new Error(`the image ${options.Image} is not there: docker compose build`);
    throw error;
  }
}

/** Below these a container has its memory file systems, which are there once it runs. */
const inMemory = ({ path }: TopologyFile): boolean => /^\/(run|tmp)\//.test(path);

function volumesFor(node: TopologyNode): string[] {
  const folders = node.files.filter((file) => !inMemory(file)).map(({ path }) => posix.dirname(path));
  // the outermost hold the others
  return [...new Set(folders)].filter((one) => !folders.some((other) => one.startsWith(`${other}/`)));
}

const labels = (owner: Owner): Record<string, string> => ({
  [LABEL_LAB]: owner.id,
  [LABEL_OWNER]: JSON.stringify(owner),
});

/** Kept open, so that it is the same namespace even after the container's end and another process with its number. */
async function namespaceOf(container: Docker.Container): Promise<number> {
  const { State } = await container.inspect();
  if (!State.Running) throw new Error(`a container ended at once: ${await logsOf(container)}`);
  return openSync(`/proc/${State.Pid}/ns/net`, 'r');
}

const pathOf = (descriptor: number): string => `/proc/${process.pid}/fd/${descriptor}`;

async function logsOf(container: Docker.Container): Promise<string> {
  const logs = (await container.logs({ stdout: true, stderr: true, follow: false })) as unknown as Buffer;
  const said = new Output();
  new Demultiplexer(
    (bytes) => said.add(bytes),
    (bytes) => said.add(bytes),
  ).add(logs);
  return said.text;
}

class DockerNode implements HostedNode {
  readonly name: string;
  readonly kind: string;
  readonly namespace: string;
  readonly container: Docker.Container;
  readonly #node: TopologyNode;
  readonly #keep: boolean;
  readonly #started: ExecInContainer[] = [];
  #killed = false;
  #kame: KameControl | undefined;

  constructor(node: TopologyNode, container: Docker.Container, keep: boolean, namespace: string) {
    this.name = node.name;
    this.kind = node.kind;
    this.namespace = namespace;
    this.container = container;
    this.#node = node;
    this.#keep = keep;
  }

  async connectKame(signal: AbortSignal): Promise<void> {
    const { State } = await this.container.inspect();
    const root = `/proc/${State.Pid}/root`;
    const dead = (): boolean => signal.aborted || statSync(root, { throwIfNoEntry: false }) === undefined;
    try {
      this.#kame = await KameControl.connect(`${root}${SOCKET}`, dead);
    } catch (error) {
      throw new Error(`${this.name}: ${(error as Error).message}; it said: ${(await this.log()).trim()}`);
    }
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
    return finished(await this.#run(command, input), timeout);
  }

  async start(command: string | readonly string[]): Promise<RunningCommand> {
    // a tool of a lab that stays is a process of its own, and doesn't end with this one
    if (!this.#keep) return this.#run(command, undefined);
    const started = await this.#exec(command, undefined);
    this.#started.push(started);
    return started;
  }

  async #run(command: string | readonly string[], input: string | undefined): Promise<Abandonable> {
    if (this.#killed) throw new Error(`${this.name} was killed`);
    const program = this.#kame?.program(command);
    return program === undefined ? this.#exec(command, input) : this.#kame!.run(program, input);
  }

  async #exec(command: string | readonly string[], input: string | undefined): Promise<ExecInContainer> {
    const exec = await this.container.exec({
      Cmd: typeof command === 'string' ? ['/bin/sh', '-c', command] : bySh(command),
      AttachStdin: input !== undefined,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: input !== undefined });
    if (input !== undefined) stream.end(input);
    return new ExecInContainer(exec, stream, this.namespace);
  }

  async sysctl(name: string, value: string | number): Promise<void> {
    if (this.#kame === undefined) return writeSysctl(this.namespace, name, value);
    const result = await this.exec(['sysctl', '-w', `${name}=${value}`]);
    if (result.code !== 0) throw new Error(`${this.name}: ${result.stderr.trim()}`);
  }

  async state(): Promise<NodeState | undefined> {
    return this.#kame?.state();
  }

  log(): Promise<string> {
    return logsOf(this.container);
  }

  async kill(): Promise<void> {
    this.#killed = true;
    if (this.#kame === undefined) silence(this.#node, this.namespace);
    await this.container.kill({ signal: 'SIGKILL' });
    await this.container.wait();
  }

  async pause(): Promise<void> {
    await this.container.pause();
  }

  async resume(): Promise<void> {
    await this.container.unpause();
  }

  /** The lab stays: what was started goes on without this process. */
  leave(): void {
    for (const started of this.#started) started.leave();
  }

  close(): void {
    this.#kame?.close();
  }
}

class ExecInContainer implements Abandonable {
  readonly done: Promise<ExecResult>;
  result: ExecResult | undefined;
  readonly #exec: Docker.Exec;
  readonly #stream: Duplex;
  readonly #namespace: string;
  readonly #out = new Output();
  readonly #error = new Output();

  constructor(exec: Docker.Exec, stream: Duplex, namespace: string) {
    this.#exec = exec;
    this.#stream = stream;
    this.#namespace = namespace;
    const pieces = new Demultiplexer(
      (bytes) => this.#out.add(bytes),
      (bytes) => this.#error.add(bytes),
    );
    stream.on('data', (bytes: Buffer) => pieces.add(bytes));
    this.done = ended(stream).then(async () => {
      const code = stream.destroyed && !stream.readableEnded ? KILLED : await exitCode(exec);
      this.result = { code, stdout: this.stdout, stderr: this.stderr };
      return this.result;
    });
  }

  get stdout(): string {
    return this.#out.text;
  }

  get stderr(): string {
    return this.#error.text;
  }

  interrupt(): void {
    void signalExec(this.#exec, 'SIGINT', this.#namespace);
  }

  abandon(): void {
    void signalExec(this.#exec, 'SIGKILL', this.#namespace);
    // something in the background may hold it open
    this.leave();
  }

  leave(): void {
    this.#stream.destroy();
  }
}

function ended(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => resolve();
    stream.once('end', end).once('error', end).once('close', end);
  });
}

/** The engine may take note of the end a moment after the stream's. With its container gone, it was killed. */
async function exitCode(exec: Docker.Exec): Promise<number> {
  for (let wait = LOOK; ; wait = Math.min(2 * wait, SETTLING)) {
    const found = await exec.inspect().catch(() => undefined);
    if (found === undefined) return KILLED;
    if (!found.Running) return found.ExitCode ?? KILLED;
    await pause(wait);
  }
}

/** To the command's whole group (the engine starts each command as the first of a session). */
async function signalExec(exec: Docker.Exec, name: NodeJS.Signals, namespace: string | undefined): Promise<void> {
  const found = await exec.inspect().catch(() => undefined);
  if (found === undefined || !found.Running || found.Pid <= 0) return;
  try {
    // the number may be another process's by now
    const inThere = statSync(`/proc/${found.Pid}/ns/net`).ino;
    if (namespace === undefined || inThere === statSync(namespace).ino) process.kill(-found.Pid, name);
  } catch {
    // it ended meanwhile
  }
}
