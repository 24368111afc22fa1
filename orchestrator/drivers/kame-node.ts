/** A kame node's process as the drivers see it: its configuration, and its control socket. */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClientLine, Request, ServerLine } from '#node/control-protocol.ts';
import { ConfigError, type NodeConfig, parseConfig } from '#node/node-config.ts';
import type { NodeState } from '#node/node-state.ts';
import type { TopologyAddress, TopologyLink, TopologyNode } from '../topology.ts';
import { UsageError } from '../usage-error.ts';
import { plainWords } from '../words.ts';
import { type Abandonable, KILLED } from './command.ts';
import type { ExecResult } from './driver.ts';

/** A node that says nothing for this long after its start has failed. Milliseconds. */
const START_TIMEOUT = 15_000;
const RETRY = 10;

/** A kame node of a topology as `kame-node` and the simulation read it. */
export function kameConfig(node: TopologyNode, links: readonly TopologyLink[]): NodeConfig {
  const problem = Object.entries(node.sysctls).find(([, value]) => !/^-?\d+$/.test(value));
  if (problem !== undefined) throw new UsageError(`${node.name}: sysctl ${problem[0]}: a whole number is wanted`);
  const source = {
    hostname: node.hostname,
    sysctls: {
      'net.inet6.ip6.forwarding': node.forwarding ? 1 : 0,
      ...Object.fromEntries(Object.entries(node.sysctls).map(([name, value]) => [name, Number(value)])),
    },
    loopback: prefixes(node.loopback),
    interfaces: node.interfaces.map((end) => {
      const { medium, mtu } = links.find(({ name }) => name === end.link)!;
      const mode = medium === 'tun' ? { mode: 'tun' } : { mode: 'tap', mac: end.mac };
      return { name: end.interface, mtu, ...mode, addresses: prefixes(end.addresses) };
    }),
    routes: node.routes
      .filter(({ family }) => family === 6)
      .map(({ to, via, dev, reject }) => ({
        to,
        ...(via === undefined ? {} : { via: via.startsWith('fe80:') ? `${via}%${dev}` : via }),
        ...(dev === undefined ? {} : { interface: dev }),
        reject,
      })),
    files: Object.fromEntries(node.files.map(({ path, content }) => [path, content])),
  };
  try {
    return parseConfig(JSON.stringify(source), node.name);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message);
    throw error;
  }
}

const prefixes = (addresses: readonly TopologyAddress[]): string[] =>
  addresses.filter(({ family }) => family === 6).map(({ address, prefixLength }) => `${address}/${prefixLength}`);

export class KameControl {
  readonly #path: string;
  readonly #programs: ReadonlySet<string>;
  readonly #open = new Set<Socket>();

  private constructor(path: string, programs: readonly string[]) {
    this.#path = path;
    this.#programs = new Set(programs);
  }

  /** Waits until the node listens; `dead` tells that it never will. */
  static async connect(path: string, dead: () => boolean = () => false): Promise<KameControl> {
    const asking = new KameControl(path, []);
    const end = performance.now() + START_TIMEOUT;
    for (;;) {
      try {
        const { programs } = (await asking.#ask({ programs: true })) as { programs: readonly string[] };
        return new KameControl(path, programs);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (dead()) throw new Error('the node ended at its start');
        if (performance.now() > end) throw new Error(`the node does not listen on ${path} (${code ?? error})`);
        await pause(RETRY);
      }
    }
  }

  /** Its links are in place. */
  async connected(): Promise<void> {
    await this.#ask({ connected: true });
  }

  async state(): Promise<NodeState> {
    return ((await this.#ask({ state: true })) as { state: NodeState }).state;
  }

  onEvent(handler: (event: Record<string, unknown> & { type: string; time: number }) => void): void {
    this.#request({ events: true }, (line) => {
      if ('event' in line) handler(line.event as never);
    });
  }

  /** The words of a command that the node itself can run; undefined for one that needs a shell, or is not the node's. */
  program(command: string | readonly string[]): readonly string[] | undefined {
    const words = typeof command === 'string' ? plainWords(command) : command;
    return words !== undefined && this.#programs.has(words[0] ?? '') ? words : undefined;
  }

  run(argv: readonly string[], input: string | undefined): KameCommand {
    return new KameCommand((onLine) => this.#request({ run: argv }, onLine), input);
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** A request with one answer. */
  #ask(request: Request): Promise<ServerLine> {
    return new Promise((resolve, reject) => {
      const socket = this.#request(request, (line) => {
        if ('failed' in line) reject(new Error(line.failed));
        else resolve(line);
      });
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the node hung up')));
    });
  }

  #request(request: Request, onLine: (line: ServerLine) => void): Socket {
    const socket = connect(this.#path);
    this.#open.add(socket);
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) onLine(JSON.parse(line) as ServerLine);
    });
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => {}); // who waits for an answer hears of it by the close
    socket.write(`${JSON.stringify(request)}\n`);
    return socket;
  }
}

/** A program of the node, run over a connection of its own. */
class KameCommand implements Abandonable {
  stdout = '';
  stderr = '';
  readonly done: Promise<ExecResult>;
  result: ExecResult | undefined;
  readonly #socket: Socket;

  constructor(open: (onLine: (line: ServerLine) => void) => Socket, input: string | undefined) {
    let code = KILLED; // unless the node says otherwise before it hangs up
    this.#socket = open((line) => {
      if ('out' in line) this.stdout += line.out;
      else if ('error' in line) this.stderr += line.error;
      else if ('exit' in line) code = line.exit;
      else if ('failed' in line) this.stderr += `${line.failed}\n`;
    });
    if (input !== undefined) this.#send({ input });
    this.#send({ input: null });
    this.done = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.result = { code, stdout: this.stdout, stderr: this.stderr };
        resolve(this.result);
      });
    });
  }

  interrupt(): void {
    this.#send({ signal: 'SIGINT' });
  }

  /** Hanging up ends the program. */
  abandon(): void {
    this.#socket.destroy();
  }

  #send(line: ClientLine): void {
    this.#socket.write(`${JSON.stringify(line)}\n`);
  }
}
