/** Commands as the drivers run them, with their output kept. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { StringDecoder } from 'node:string_decoder';
import type { ExecResult, RunningCommand } from './driver.ts';

export const EXEC_TIMEOUT = 60_000;
/** Exit codes as the shell and timeout(1) have them. */
export const NOT_RUN = 127;
export const KILLED = 137;
export const LATE = 124;

/** Output kept of one command, in characters; what comes first counts. */
const KEPT = 4 << 20;

/** What one stream of a command said. */
export class Output {
  text = '';
  readonly #decoder = new StringDecoder('utf8');

  add(bytes: Buffer): void {
    if (this.text.length < KEPT) this.text += this.#decoder.write(bytes);
  }
}

/** A command that can be given up: it is ended, and nobody waits for what it may have left. */
export interface Abandonable extends RunningCommand {
  abandon(): void;
}

export class ChildCommand implements Abandonable {
  readonly done: Promise<ExecResult>;
  result: ExecResult | undefined;
  readonly #out = new Output();
  readonly #error = new Output();
  readonly #child: ChildProcess;
  readonly #log: string | undefined;

  /** `log`: the file its output goes to, where it is to outlive this process. */
  constructor(child: ChildProcess, log?: string) {
    this.#child = child;
    this.#log = log;
    child.stdout?.on('data', (bytes: Buffer) => this.#out.add(bytes));
    child.stderr?.on('data', (bytes: Buffer) => this.#error.add(bytes));
    this.done = new Promise((resolve) => {
      const end = (code: number, stderr: string): void => {
        this.result ??= { code, stdout: this.stdout, stderr };
        resolve(this.result);
      };
      child.once('error', (error) => end(NOT_RUN, error.message));
      child.once('close', (code, signal) => end(code ?? 128 + constants.signals[signal ?? 'SIGKILL'], this.stderr));
    });
  }

  get stdout(): string {
    return this.#log === undefined ? this.#out.text : readFileSync(this.#log, 'utf8');
  }

  get stderr(): string {
    return this.#error.text;
  }

  interrupt(): void {
    this.signal('SIGINT');
  }

  /** To the whole group: a shell's children too. */
  signal(name: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, name);
    } catch {
      // it ended meanwhile
    }
  }

  unref(): void {
    this.#child.unref();
  }

  abandon(): void {
    this.signal('SIGKILL');
    // something in the background may hold them open
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.destroy();
  }
}

/** Waits for the end; after `timeout` milliseconds gives up and says 124, as timeout(1) does. */
export async function finished(command: Abandonable, timeout: number): Promise<ExecResult> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    command.abandon();
  }, timeout);
  const result = await command.done;
  clearTimeout(timer);
  return late ? { ...result, code: LATE, stderr: `${result.stderr}(ended after ${timeout} ms)\n` } : result;
}
