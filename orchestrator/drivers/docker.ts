/**
 * The docker driver: a node is a container without a Docker network. A container of its own, without a process to
 * speak of, holds the lab's namespace, so that removing containers by label removes the lab whole.
 *
 * The orchestrator must share the engine's process numbers (it runs on the host, or with `pid: host`), since it enters the
 * containers' namespaces by /proc/PID/ns/net and reaches a kame node's control socket by /proc/PID/root.
 */
import { closeSync, openSync } from 'node:fs';
import { release as kernelRelease } from 'node:os';
import { PassThrough } from 'node:stream';
import Docker from 'dockerode';
import { writeSysctl } from 'tun-tap';
import type { NodeState } from '#node/node-state.ts';
import type { Kind } from '../kinds.ts';
import type { Topology, TopologyNode } from '../topology.ts';
import { finished } from './command.ts';
import type { Driver, ExecResult, Lab, LabSummary, NodeSummary, RunningCommand, UpOptions } from './driver.ts';
import { KameControl, kameConfig } from './kame-node.ts';
import { type Host, type HostedNode, KernelLab, unsupportedKinds } from './kernel-lab.ts';
import { isKept, isLiving, type Owner, ownerOf } from './owner.ts';

const LABEL_LAB = 'kamelab.lab';
const LABEL_OWNER = 'kamelab.owner';
const LABEL_NODE = 'kamelab.node';
const LABEL_KIND = 'kamelab.kind';
const IMAGE = 'kamelab/node';
const EXEC_TIMEOUT = 60_000;
const SOCKET = '/run/kame.sock';
const CONFIG = '/run/node.yaml';
/** KAME's own ifconfig, route and sysctl come before Debian's. */
const KAME_PATH = '/kamelab/node-image/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export class DockerDriver implements Driver {
  readonly name = 'docker';
  readonly #kinds: ReadonlyMap<string, Kind>;
  readonly #docker = new Docker();

  constructor(kinds: ReadonlyMap<string, Kind>) {
    this.#kinds = kinds;
  }

  async unavailable(): Promise<string | undefined> {
    try {
      await this.#docker.ping();
    } catch (error) {
      return `no Docker Engine answers (${(error as Error).message})`;
    }
    if (process.getuid?.() !== 0)
      return "needs root, to enter its containers' namespaces: run it with sudo, or by docker compose up";
    try {
      await this.#docker.getImage(IMAGE).inspect();
    } catch {
      return `the image ${IMAGE} is not there: docker compose build`;
    }
    return undefined;
  }

  unsupported(topology: Topology): string | undefined {
    return unsupportedKinds(this.name, topology, this.#kinds);
  }

  async up(topology: Topology, options: UpOptions): Promise<Lab> {
    const host = await DockerHost.open(this.#docker, ownerOf(options.id, this.name, options.keep ?? false));
    return KernelLab.up(topology, host, this.#kinds, options);
  }

  async collect({ all, dryRun }: { all: boolean; dryRun: boolean }): Promise<string[]> {
    const found = await this.#docker.listContainers({ all: true, filters: { label: [LABEL_LAB] } });
    const left = found.filter((container) => all || !isLiving(container.Labels[LABEL_OWNER]));
    if (!dryRun) await Promise.all(left.map(({ Id }) => remove(this.#docker.getContainer(Id))));
    return left.map((container) => `container ${container.Names[0]?.slice(1) ?? container.Id}`);
  }

  async list(): Promise<LabSummary[]> {
    if ((await this.unavailable()) !== undefined) return [];
    const found = await this.#docker.listContainers({ all: true, filters: { label: [LABEL_LAB] } });
    const ids = [...new Set(found.map(({ Labels }) => Labels[LABEL_LAB]!))].sort();
    return ids.map((id) => {
      const mine = found.filter(({ Labels }) => Labels[LABEL_LAB] === id);
      const nodes = mine.flatMap((container) => {
        const { [LABEL_NODE]: name, [LABEL_KIND]: kind = '' } = container.Labels;
        if (name === undefined) return [];
        const control = kind === 'kame' ? `docker exec ${container.Names[0]?.slice(1)} ndp -a` : '';
        return [{ name, kind, running: container.State === 'running', control }];
      });
      return { id, driver: this.name, keep: isKept(mine[0]?.Labels[LABEL_OWNER]), nodes: nodes.sort(byName) };
    });
  }

  async remove(id: string): Promise<void> {
    const found = await this.#docker.listContainers({ all: true, filters: { label: [`${LABEL_LAB}=${id}`] } });
    await Promise.all(found.map(({ Id }) => remove(this.#docker.getContainer(Id))));
  }

  async exec(id: string, node: string, command: readonly string[]): Promise<number> {
    const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
    const exec = await this.#docker.getContainer(`kamelab-${id}-${node}`).exec({
      Cmd: [...command],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: terminal,
    });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: terminal });
    if (terminal) process.stdin.setRawMode(true);
    process.stdin.pipe(stream);
    if (terminal) stream.pipe(process.stdout);
    else exec.modem.demuxStream(stream, process.stdout, process.stderr);
    await new Promise((resolve) => stream.once('end', resolve).once('close', resolve));
    process.stdin.unpipe(stream);
    if (terminal) process.stdin.setRawMode(false);
    process.stdin.unref();
    return (await exec.inspect()).ExitCode ?? 137;
  }
}

const byName = (a: NodeSummary, b: NodeSummary): number => a.name.localeCompare(b.name);

/** Gone is gone, whoever removed it. */
async function remove(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    const status = (error as { statusCode?: number }).statusCode;
    if (status !== 404 && status !== 409) throw error;
  }
}

class DockerHost implements Host {
  readonly driver = 'docker';
  readonly labNamespace: string;
  readonly #docker: Docker;
  readonly #owner: Owner;
  readonly #holder: Docker.Container;
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
    const holder = await docker.createContainer({
      name: `kamelab-${owner.id}`,
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

  async start(node: TopologyNode, kind: Kind, topology: Topology): Promise<HostedNode> {
    const kame = kind.attachment === 'tap';
    const start = `printf %s "$KAME_CONFIG" > ${CONFIG} && exec kame-node --control ${SOCKET} --config ${CONFIG} --hold`;
    const container = await this.#docker.createContainer({
      name: `kamelab-${this.#owner.id}-${node.name}`,
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
        ReadonlyRootfs: node.files.length === 0,
        Tmpfs: { '/run': '', '/tmp': '' },
        Devices: [{ PathOnHost: '/dev/net/tun', PathInContainer: '/dev/net/tun', CgroupPermissions: 'rwm' }],
        Sysctls: { 'net.ipv6.conf.all.disable_ipv6': '0', 'net.ipv6.conf.default.disable_ipv6': '1' },
        ...(node.limits.memory === undefined ? {} : { Memory: node.limits.memory }),
        ...(node.limits.cpus === undefined ? {} : { NanoCpus: Math.round(node.limits.cpus * 1e9) }),
      },
    });
    const hosted = new DockerNode(node, container);
    this.#nodes.push(hosted);
    for (const file of node.files) await hosted.putFile(file.path, file.content);
    await container.start();
    const descriptor = await namespaceOf(container);
    this.#descriptors.push(descriptor);
    hosted.namespace = pathOf(descriptor);
    if (kame) await hosted.connectKame();
    return hosted;
  }

  async versions(): Promise<Record<string, string>> {
    const [engine, image] = await Promise.all([this.#docker.version(), this.#docker.getImage(IMAGE).inspect()]);
    return { kernel: kernelRelease(), docker: engine.Version, [IMAGE]: image.Id, node: process.version };
  }

  async end(): Promise<void> {
    for (const node of this.#nodes) node.close();
    await Promise.all([...this.#nodes.map((node) => remove(node.container)), remove(this.#holder)]);
    for (const descriptor of this.#descriptors.splice(0)) closeSync(descriptor);
  }
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
  return demultiplexed(logs);
}

/** Docker's stream format: 8 bytes of header (stream, three zeros, length) before each piece. */
function demultiplexed(logs: Buffer): string {
  let text = '';
  for (let at = 0; at + 8 <= logs.length; ) {
    const length = logs.readUInt32BE(at + 4);
    text += logs.toString('utf8', at + 8, at + 8 + length);
    at += 8 + length;
  }
  return text;
}

class DockerNode implements HostedNode {
  readonly name: string;
  readonly kind: string;
  readonly container: Docker.Container;
  namespace = '';
  #kame: KameControl | undefined;

  constructor(node: TopologyNode, container: Docker.Container) {
    this.name = node.name;
    this.kind = node.kind;
    this.container = container;
  }

  async connectKame(): Promise<void> {
    const { State } = await this.container.inspect();
    try {
      this.#kame = await KameControl.connect(`/proc/${State.Pid}/root${SOCKET}`);
    } catch (error) {
      throw new Error(`${this.name}: ${(error as Error).message}; it said: ${await this.log()}`);
    }
  }

  async connected(): Promise<void> {
    await this.#kame?.connected();
  }

  onEvent(handler: Parameters<HostedNode['onEvent']>[0]): void {
    this.#kame?.onEvent(handler);
  }

  async putFile(path: string, content: string): Promise<void> {
    await this.container.putArchive(archive(path.slice(1), content), { path: '/' });
  }

  async exec(
    command: string | readonly string[],
    { timeout = EXEC_TIMEOUT, input }: { timeout?: number; input?: string } = {},
  ): Promise<ExecResult> {
    const program = this.#kame?.program(command);
    if (program !== undefined) return finished(this.#kame!.run(program, input), timeout);
    return finished(await this.#exec(command, input), timeout);
  }

  async start(command: string | readonly string[]): Promise<RunningCommand> {
    const program = this.#kame?.program(command);
    return program === undefined ? this.#exec(command, undefined) : this.#kame!.run(program, undefined);
  }

  async #exec(command: string | readonly string[], input: string | undefined): Promise<ExecInContainer> {
    const exec = await this.container.exec({
      Cmd: typeof command === 'string' ? ['/bin/sh', '-c', command] : [...command],
      AttachStdin: input !== undefined,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: input !== undefined });
    if (input !== undefined) stream.end(input);
    return new ExecInContainer(exec, stream);
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
    await this.container.kill({ signal: 'SIGKILL' });
  }

  async pause(): Promise<void> {
    await this.container.pause();
  }

  async resume(): Promise<void> {
    await this.container.unpause();
  }

  close(): void {
    this.#kame?.close();
  }
}

class ExecInContainer implements RunningCommand {
  stdout = '';
  stderr = '';
  readonly done: Promise<ExecResult>;
  readonly #exec: Docker.Exec;

  constructor(exec: Docker.Exec, stream: NodeJS.ReadWriteStream) {
    this.#exec = exec;
    const [out, error] = [new PassThrough(), new PassThrough()];
    out.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    error.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    exec.modem.demuxStream(stream, out, error);
    this.done = new Promise((resolve) => {
      const end = async (): Promise<void> => {
        const { ExitCode } = await exec.inspect();
        resolve({ code: ExitCode ?? 137, stdout: this.stdout, stderr: this.stderr });
      };
      stream.once('end', end).once('error', end);
    });
  }

  interrupt(): void {
    this.signal('SIGINT');
  }

  signal(name: NodeJS.Signals): void {
    void this.#exec.inspect().then(
      ({ Running, Pid }) => {
        if (Running && Pid > 0) process.kill(Pid, name);
      },
      () => {}, // the container went meanwhile
    );
  }
}

/** A tar archive of one file, in memory: ustar, RFC-free and small enough not to need a library. */
function archive(path: string, content: string): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(path, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc(((512 - (body.length % 512)) % 512) + 1024)]);
}
