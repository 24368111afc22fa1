/**
 * One kame node: a stack, its programs and files. The same in a process of its own (`main.ts`) and, many at once, in the
 * orchestrator's simulation. Reads no clock, file or socket.
 */

import type { Random } from '#stack/env/random.ts';
import { type Env, Stack } from '#stack/stack.ts';
import type { Family } from './exposition.ts';
import { StackKernel } from './kernel.ts';
import { metrics } from './metrics.ts';
import { type NodeState, nodeState } from './node-state.ts';
import { type NodeEvent, NodeTrace } from './node-trace.ts';
import { ProgramClock } from './program-clock.ts';
import { programs } from './programs.ts';
import { type Program, type System, SystemError } from './system.ts';

export interface NodeOptions extends Omit<Env, 'trace'> {
  /** Milliseconds since 1970. */
  readonly date: () => number;
  /** Files of the node beyond `files`: those of the machine it runs on, as its programs name them. */
  readonly readFile?: (path: string) => string | undefined;
  readonly programs?: ReadonlyMap<string, Program>;
}

/** Where a program writes, and who hears of its end. */
export interface Console {
  readonly columns?: number;
  out(text: string): void;
  error(text: string): void;
  /** The program asks for standard input. */
  reading?(): void;
  /** Once, last. May come before `run` returns. */
  exited(code: number): void;
}

export interface RunningProgram {
  /** As Ctrl-C. */
  interrupt(): void;
  /** A piece of standard input; undefined at its end. */
  input(text: string | undefined): void;
  /** Ends it at once, with this code. */
  kill(code: number): void;
  readonly running: boolean;
}

/** The shell's code for a command that it does not find. */
const NOT_FOUND = 127;
const INTERRUPTED = 130;
/** EX_SOFTWARE of sysexits.h. */
const BUG = 70;
const DEFAULT_COLUMNS = 80;

export class Node {
  readonly stack: Stack;
  /** For whoever configures the node. Programs have one of their own each. */
  readonly kernel: StackKernel;
  /** Configuration files by absolute path. */
  readonly files = new Map<string, string>();
  readonly #options: NodeOptions;
  readonly #programs: ReadonlyMap<string, Program>;
  readonly #trace: NodeTrace;
  readonly #running = new Set<NodeProgram>();
  #started = 0;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.#programs = options.programs ?? programs;
    this.stack = new Stack(options);
    this.#trace = new NodeTrace(this.stack);
    this.kernel = new StackKernel(this.stack, this.#trace, new Set());
  }

  get programNames(): string[] {
    return [...this.#programs.keys()];
  }

  /** Starts the program `argv[0]`. It may have ended when this returns. */
  run(argv: readonly string[], console: Console): RunningProgram {
    const [name = '', ...rest] = argv;
    const body = this.#programs.get(name.slice(name.lastIndexOf('/') + 1));
    const random = this.stack.random.fork(`program ${++this.#started}`);
    const program = new NodeProgram(this.stack, this.#trace, random, this.#options, this.files, console, () =>
      this.#running.delete(program),
    );
    this.#running.add(program);
    if (body === undefined) {
      program.error(`${name}: command not found\n`);
      program.exit(NOT_FOUND);
    } else program.guarded(() => body(program, rest));
    return program;
  }

  /** What the node is and has, as JSON. */
  state(): NodeState {
    return nodeState(this.kernel, this.stack.hostname, this.stack.clock.now);
  }

  /** What it counts and holds, for Prometheus. */
  metrics(): Family[] {
    const { pool, queues } = this.stack;
    return metrics(this.kernel, { outstanding: pool.outstanding, held: queues });
  }

  /** Hear of what happens in the stack until the function returned is called. `drops`: lost packets too. */
  onEvent(listener: (event: NodeEvent) => void, options: { drops?: boolean } = {}): () => void {
    return this.#trace.listen(listener, options.drops ?? false);
  }

  /** Ends all programs. */
  end(): void {
    for (const program of [...this.#running]) program.kill(INTERRUPTED);
  }
}

class NodeProgram implements System, RunningProgram {
  readonly clock: ProgramClock;
  readonly random: Random;
  readonly kernel: StackKernel;
  readonly columns: number;
  readonly #stack: Stack;
  readonly #options: NodeOptions;
  readonly #files: ReadonlyMap<string, string>;
  readonly #console: Console;
  readonly #ended: () => void;
  readonly #open = new Set<{ close(): void }>();
  #running = true;
  #interrupted: (() => void) | undefined;
  #onInput: ((text: string | undefined) => void) | undefined;
  /** Input that came before the program asked for it. */
  readonly #pending: (string | undefined)[] = [];

  constructor(
    stack: Stack,
    trace: NodeTrace,
    random: Random,
    options: NodeOptions,
    files: ReadonlyMap<string, string>,
    console: Console,
    ended: () => void,
  ) {
    this.#stack = stack;
    this.random = random;
    this.#options = options;
    this.#files = files;
    this.#console = console;
    this.#ended = ended;
    this.clock = new ProgramClock(stack.clock);
    this.kernel = new StackKernel(stack, trace, this.#open);
    this.columns = console.columns ?? DEFAULT_COLUMNS;
  }

  get hostname(): string {
    return this.#stack.hostname;
  }

  get date(): number {
    return this.#options.date();
  }

  get running(): boolean {
    return this.#running;
  }

  out(text: string): void {
    if (this.#running) this.#console.out(text);
  }

  error(text: string): void {
    if (this.#running) this.#console.error(text);
  }

  exit(code: number): void {
    if (!this.#running) return;
    this.#running = false;
    this.clock.end();
    for (const handle of this.#open) handle.close();
    this.#open.clear();
    this.#ended();
    this.#console.exited(code);
  }

  onInterrupt(handler: () => void): void {
    this.#interrupted = handler;
  }

  onInput(handler: (text: string | undefined) => void): void {
    this.#onInput = handler;
    this.#console.reading?.();
    for (const text of this.#pending.splice(0)) handler(text);
  }

  readFile(path: string): string | undefined {
    return this.#files.get(path) ?? this.#options.readFile?.(path);
  }

  interrupt(): void {
    if (!this.#running) return;
    const handler = this.#interrupted;
    if (handler === undefined) this.exit(INTERRUPTED);
    else this.guarded(handler);
  }

  input(text: string | undefined): void {
    if (!this.#running) return;
    const handler = this.#onInput;
    if (handler === undefined) this.#pending.push(text);
    else this.guarded(() => handler(text));
  }

  kill(code: number): void {
    this.exit(code);
  }

  /** A refusal by the kernel that the program did not expect ends the program, and so does a bug of it; not the node. */
  guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      const refused = error instanceof SystemError;
      if (!refused && this.#options.strict) throw error;
      this.error(`${refused ? error.message : (error as Error).stack}\n`);
      this.exit(refused ? 1 : BUG);
    }
  }
}
