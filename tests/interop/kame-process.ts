/** A kame-node process by itself, without an orchestrator, in a namespace of the test's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withNamespace } from 'tun-tap';
import type { NodeState } from '#node/node-state.ts';
import type { ExecResult } from '#orchestrator/drivers/driver.ts';
import { KameControl } from '#orchestrator/drivers/kame-node.ts';

const MAIN = join(import.meta.dirname, '../../node-image/main.ts');

export interface KameOptions {
  readonly namespace: string;
  /** As `kame-node --config` reads it; JSON is YAML. */
  readonly config: object;
  /** Links get carrier by `connected()` alone. */
  readonly hold?: boolean;
}

export class KameProcess {
  /** Lines that the node would write to syslog. */
  readonly log: string[] = [];
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #control: KameControl;
  #logged: () => void = () => {};

  private constructor(child: ChildProcess, folder: string, control: KameControl) {
    this.#child = child;
    this.#folder = folder;
    this.#control = control;
    control.onEvent((event) => {
      if (event.type !== 'log') return;
      this.log.push(String(event['message']));
      this.#logged();
    });
  }

  static async start({ namespace, config, hold = false }: KameOptions): Promise<KameProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'kamelab-interop-'));
    const control = join(folder, 'control');
    const file = join(folder, 'node.yaml');
    writeFileSync(file, JSON.stringify(config));
    const argv = [MAIN, '--control', control, '--config', file, '--die-with-stdin', ...(hold ? ['--hold'] : [])];
    const child = withNamespace(namespace, () => spawn(process.execPath, argv));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    const ready = await new Promise<boolean>((resolve) => {
      child.stdout.once('data', () => resolve(true));
      child.once('exit', () => resolve(false));
    });
    if (!ready) {
      rmSync(folder, { recursive: true });
      throw new Error(`the node ended at its start: ${said.trim()}`);
    }
    return new KameProcess(child, folder, await KameControl.connect(control));
  }

  connected(): Promise<void> {
    return this.#control.connected();
  }

  state(): Promise<NodeState> {
    return this.#control.state();
  }

  /** A command of the node's tools, such as `ndp -a`. */
  run(command: string): Promise<ExecResult> {
    return this.#control.run(command.split(' '), undefined).done;
  }

  /** Its standard output; it must succeed. */
  async output(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(command);
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  async sysctl(name: string, value: number): Promise<void> {
    await this.output(`sysctl -w net.inet6.${name}=${value}`);
  }

  /** The environment in which the tools of `node-image/bin` find it. */
  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, KAME_NODE: join(this.#folder, 'control') };
  }

  /** Resolves when `log` has a line that fits. */
  logLine(pattern: RegExp): Promise<string> {
    return new Promise((resolve) => {
      const look = (): void => {
        const line = this.log.find((text) => pattern.test(text));
        if (line === undefined) return;
        this.#logged = () => {};
        resolve(line);
      };
      this.#logged = look;
      look();
    });
  }

  async end(): Promise<void> {
    this.#control.close();
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
