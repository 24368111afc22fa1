/** The control socket of a node: runs its programs for whoever connects, and tells its state and events. */
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ClientLine, Request, ServerLine } from './control-protocol.ts';
import { exposition } from './exposition.ts';
import type { Node, RunningProgram } from './node.ts';
import { processMetrics } from './process-metrics.ts';

/** A request is words of a command line and configuration read from standard input; no line is longer. */
const LONGEST_LINE = 16 * 1024 * 1024;
/** Unread output of one client; a client that falls further behind is cut off. */
const LARGEST_BACKLOG = 64 * 1024 * 1024;
const HUNG_UP = 129;

/** struct sockaddr_un of Linux, with its closing zero. */
const LONGEST_PATH = 107;

export class ControlError extends Error {}

export interface ControlOptions {
  readonly path: string;
  /** Milliseconds since 1970 of the node's clock's 0. */
  readonly epoch: number;
  readonly connected: () => void;
}

export class ControlServer {
  readonly #node: Node;
  readonly #options: ControlOptions;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  constructor(node: Node, options: ControlOptions) {
    this.#node = node;
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** A socket that a dead node left behind is replaced, one that a living node listens on is not. */
  async listen(): Promise<void> {
    const { path } = this.#options;
    if (Buffer.byteLength(path) > LONGEST_PATH)
      throw new ControlError(`--control ${path}: at most ${LONGEST_PATH} bytes`);
    if (await isAlive(path)) throw new ControlError(`--control ${path}: another node listens there`);
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, resolve);
    });
    // who may talk to it may do all that the node may
    chmodSync(path, 0o600);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#clients) socket.end();
    rmSync(this.#options.path, { force: true });
  }

  #accept(socket: Socket): void {
    this.#clients.add(socket);
    const client = new Client(socket, this.#node, this.#options);
    socket.on('close', () => {
      this.#clients.delete(socket);
      client.hungUp();
    });
    socket.on('error', () => socket.destroy());
  }
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

class Client {
  readonly #socket: Socket;
  readonly #node: Node;
  readonly #options: ControlOptions;
  #rest = '';
  #asked = false;
  #program: RunningProgram | undefined;
  #unlisten: (() => void) | undefined;

  constructor(socket: Socket, node: Node, options: ControlOptions) {
    this.#socket = socket;
    this.#node = node;
    this.#options = options;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#received(text));
  }

  hungUp(): void {
    this.#unlisten?.();
    this.#program?.kill(HUNG_UP);
  }

  #received(text: string): void {
    this.#rest += text;
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop()!;
    if (this.#rest.length > LONGEST_LINE) return this.#fail('the line is too long');
    for (const line of lines) {
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        return this.#fail('not a line of JSON');
      }
      if (typeof value !== 'object' || value === null) return this.#fail('not an object');
      if (this.#asked) this.#line(value as ClientLine);
      else this.#request(value as Request);
    }
  }

  #request(request: Request): void {
    this.#asked = true;
    if ('run' in request) {
      const { run, columns } = request;
      if (!Array.isArray(run) || !run.every((word) => typeof word === 'string'))
        return this.#fail('run wants a list of words');
      this.#run(run, typeof columns === 'number' ? columns : 80);
    } else if ('programs' in request) this.#answer({ programs: this.#node.programNames });
    else if ('state' in request) this.#answer({ state: this.#node.state() });
    else if ('metrics' in request)
      this.#answer({ metrics: exposition([...this.#node.metrics(), ...processMetrics()]) });
    else if ('connected' in request) {
      this.#options.connected();
      this.#answer({ connected: true });
    } else if ('events' in request) {
      const { epoch } = this.#options;
      const tell = (line: ServerLine): void => this.#send(line);
      this.#unlisten = this.#node.onEvent((event) => tell({ event: { ...event, time: event.time + epoch } }), {
        drops: request.drops === true,
      });
    } else this.#fail(`no request of these: run, programs, state, metrics, events, connected`);
  }

  #run(argv: readonly string[], columns: number): void {
    this.#program = this.#node.run(argv, {
      columns,
      out: (text) => this.#send({ out: text }),
      error: (text) => this.#send({ error: text }),
      reading: () => this.#send({ reading: true }),
      exited: (code) => this.#answer({ exit: code }),
    });
  }

  #line(line: ClientLine): void {
    if (this.#program === undefined) return;
    if ('input' in line && typeof line.input === 'string') this.#program.input(line.input);
    else if ('input' in line) this.#program.input(undefined);
    else if (line.signal === 'SIGINT') this.#program.interrupt();
    else if (line.signal === 'SIGTERM') this.#program.kill(143);
  }

  #send(line: ServerLine): void {
    if (this.#socket.writableLength > LARGEST_BACKLOG) this.#socket.destroy();
    else if (this.#socket.writable) this.#socket.write(`${JSON.stringify(line)}\n`);
  }

  #answer(line: ServerLine): void {
    this.#send(line);
    this.#socket.end();
  }

  #fail(message: string): void {
    this.#answer({ failed: message });
  }
}
