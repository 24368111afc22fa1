/** The last step of bringing a lab up, the same in every world: the commands and daemons of its nodes. */
import type { TopologyDaemon } from '../topology.ts';
import type { Lab, LabNode } from './driver.ts';

/** How long a daemon may take to be ready. Milliseconds. */
const READY = 10_000;

export async function runCommands(lab: Lab, signal: AbortSignal): Promise<void> {
  for (const { name, commands, daemons } of lab.topology.nodes) {
    const node = lab.nodes.get(name)!;
    for (const command of commands) {
      signal.throwIfAborted();
      const { code, stdout, stderr } = await node.exec(command);
      if (code !== 0) throw new Error(`${name}: '${command}' ended with ${code}: ${(stderr || stdout).trim()}`);
    }
    for (const daemon of daemons) {
      signal.throwIfAborted();
      await start(lab, node, daemon);
    }
  }
}

async function start(lab: Lab, node: LabNode, { run, ready }: TopologyDaemon): Promise<void> {
  const daemon = await node.start(run);
  if (ready === undefined) return;
  const line = new RegExp(ready, 'm');
  const said = (): string => daemon.stdout + daemon.stderr;
  await lab.until(() => line.test(said()) || daemon.result !== undefined, READY);
  if (line.test(said())) return;
  const why = daemon.result === undefined ? `was not ready in ${READY / 1000} s` : `ended with ${daemon.result.code}`;
  throw new Error(`${node.name}: '${run}' ${why}, and no line matched ${line}; it said: ${said().trim()}`);
}
