/** The raw tester: `scapy/tester.py` in a silent namespace, driven by lines of JSON. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { withNamespace } from 'tun-tap';

const PROGRAM = join(import.meta.dirname, 'scapy/tester.py');
/** The system's Python has Debian's scapy; another one in the path may not. */
const PYTHON = '/usr/bin/python3';

export interface Judgement {
  /** A line for each packet that came. */
  readonly answers: string[];
  /** How what came differs from what was wanted, or is no sound packet at all. */
  readonly problems: string[];
}

export interface TesterLink {
  readonly device: string;
  /** The tester's own; null on a link without link-layer addresses. */
  readonly mac: string | null;
  /** Of the node under test. */
  readonly peer: string | null;
  readonly address: string;
}

export class Tester {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: { resolve: (answer: never) => void; reject: (error: Error) => void }[] = [];
  #said = '';

  constructor(namespace: string, vocabulary: Record<string, string>) {
    this.#child = withNamespace(namespace, () => spawn(PYTHON, [PROGRAM, JSON.stringify(vocabulary)]));
    let rest = '';
    this.#child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.#answered(JSON.parse(line));
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#said += text;
    });
    this.#child.on('exit', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`the tester ended: ${this.#said}`));
    });
  }

  #answered(answer: { error?: string }): void {
    const { resolve, reject } = this.#waiting.shift()!;
    if (answer.error === undefined) resolve(answer as never);
    else reject(new Error(answer.error));
  }

  #ask<Answer>(op: string, rest: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null) return reject(new Error(`the tester ended: ${this.#said}`));
      this.#waiting.push({ resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ op, ...rest })}\n`);
    });
  }

  open(link: TesterLink): Promise<void> {
    return this.#ask('open', link);
  }

  /** Send, and judge all that comes back until each link of `settle` has answered an echo sent behind it. */
  exchange(request: {
    device: string;
    sent: readonly string[];
    wanted: readonly string[];
    settle: readonly string[];
    /** Packets that errors may quote beside those sent. */
    quoted?: readonly string[];
    mtu?: number;
  }): Promise<Judgement> {
    return this.#ask('exchange', request);
  }

  send(device: string, ...sent: string[]): Promise<void> {
    return this.#ask('send', { device, sent });
  }

  flood(device: string, sent: string, times: number, each: number): Promise<{ answers: number; milliseconds: number }> {
    return this.#ask('flood', { device, sent, times, each });
  }

  /** Random packets, `each` at once; what is wrong with any frame that comes back. */
  fuzz(device: string, seed: number, count: number, each: number): Promise<{ answers: number; problems: string[] }> {
    return this.#ask('fuzz', { device, seed, count, each });
  }

  /** Judge what came by itself. */
  heard(device: string, ...wanted: string[]): Promise<Judgement> {
    return this.#ask('heard', { device, wanted });
  }

  /** What came until now is of no interest. */
  forget(): Promise<void> {
    return this.#ask('forget', {});
  }

  /** Wait for a frame. `at`: when it came, milliseconds since 1970, null if it did not; `passed`: what came before it. */
  await(
    device: string,
    wanted: string,
    within: number,
  ): Promise<{ at: number | null; passed: string[]; problems: string[]; summary: string }> {
    return this.#ask('await', { device, wanted, within });
  }

  /** What it does by itself from now on with what comes, by the names in tester.py. */
  play(device: string, ...parts: string[]): Promise<void> {
    return this.#ask('play', { device, parts });
  }

  /** All that ever came but ICMPv6 errors, which quote what was wrong on purpose. */
  save(path: string): Promise<{ frames: number }> {
    return this.#ask('save', { path });
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await ended;
  }
}
