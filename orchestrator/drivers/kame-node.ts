/** A kame node's process as the drivers see it: its configuration, and its control socket. */
import type { ChildProcess } from 'node:child_process';
import { stringify } from 'yaml';
import type { TopologyNode } from '../topology.ts';
import { plainWords } from '../words.ts';
import type { ExecResult, RunningCommand } from './driver.ts';

/** The node's file for `kame-node --config`. Its interfaces wait without carrier until they are wired. */
export function kameConfig(node: TopologyNode): string {
  return stringify({
    hostname: node.hostname,
    interfaces: node.interfaces.map((end) => ({ name: end.interface, mac: end.mac, addresses: end.addresses })),
  });
}

export class KameControl {
  static async connect(_socket: string, _child?: ChildProcess): Promise<KameControl> {
    throw new Error('not built yet');
  }

  async connected(): Promise<void> {}

  onEvent(_handler: (event: Record<string, unknown> & { type: string; time: number }) => void): void {}

  /** The words of a command that the node itself can run; undefined for one that needs a shell. */
  program(command: string | readonly string[]): readonly string[] | undefined {
    return typeof command === 'string' ? plainWords(command) : command;
  }

  run(
    _argv: readonly string[],
    _input: string | undefined,
  ): RunningCommand & { signal(name: NodeJS.Signals): void; done: Promise<ExecResult> } {
    throw new Error('not built yet');
  }

  close(): void {}
}
