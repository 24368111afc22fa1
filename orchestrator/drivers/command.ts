/** Child processes as the orchestrator runs them: in a group of their own, with their output kept. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { ExecResult, RunningCommand } from './driver.ts';

/** Output kept of one command, in characters; what comes first counts. */
const KEPT = 4 << 20;

export class ChildCommand implements RunningCommand {
  stdout = '';
  stderr = '';
  readonly done: Promise<ExecResult>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (this.stdout.length < KEPT) this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (this.stderr.length < KEPT) this.stderr += text;
    });
    this.done = new Promise((resolve) => {
      child.once('error', (error) => resolve({ code: 127, stdout: this.stdout, stderr: error.message }));
      child.once('close', (code, signal) =>
        resolve({
          code: code ?? 128 + constants.signals[signal ?? 'SIGKILL'],
          stdout: this.stdout,
          stderr: this.stderr,
        }),
      );
    });
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
}

/** Waits for the end; after `timeout` milliseconds kills it and says 124, as timeout(1) does. */
export async function finished(
  command: { readonly done: Promise<ExecResult>; signal(name: NodeJS.Signals): void },
  timeout: number,
): Promise<ExecResult> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    command.signal('SIGKILL');
  }, timeout);
  const result = await command.done;
  clearTimeout(timer);
  return late ? { ...result, code: 124, stderr: `${result.stderr}(ended after ${timeout} ms)\n` } : result;
}
