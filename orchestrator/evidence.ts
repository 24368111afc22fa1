/** What nodes say of themselves at the end of a cell: their logs and the output of their own tools. */
import type { Lab, LabNode } from './drivers/driver.ts';

export interface Evidence {
  readonly node: string;
  /** A command line; undefined: the node's log. */
  readonly command: string | undefined;
  readonly output: string;
}

/** A node that does not answer is not waited for longer than this at any question. Milliseconds. */
const PATIENCE = 2000;
/** Characters kept of one answer: of a log the end, of a tool the beginning. */
const LONGEST = 1_000_000;

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  kame: ['ifconfig -a', 'ndp -an', 'netstat -rn', 'netstat -sn'],
  linux: ['ip -6 addr', 'ip -6 neigh', 'ip -6 route', 'nstat -az'],
};

/** Never fails: what can't be had says why. */
export async function gather(lab: Lab): Promise<Evidence[]> {
  const nodes = await Promise.all([...lab.nodes.values()].map(gatherNode));
  return nodes.flat();
}

async function gatherNode(node: LabNode): Promise<Evidence[]> {
  const told: Evidence[] = [];
  for (const command of COMMANDS[node.kind] ?? []) {
    const answer = await ask(async () => {
      const { code, stdout, stderr } = await node.exec(command, { timeout: PATIENCE });
      return { silent: code === 124, output: outputOf(code, stdout, stderr) };
    });
    told.push({ node: node.name, command, output: answer.output.slice(0, LONGEST) });
    // dead or paused: the other questions would only take as long again
    if (answer.silent) break;
  }
  const log = await ask(async () => ({ silent: false, output: await node.log() }));
  told.push({ node: node.name, command: undefined, output: log.output.slice(-LONGEST) });
  return told;
}

function outputOf(code: number, stdout: string, stderr: string): string {
  const lines = [stdout, stderr]
    .filter((text) => text !== '')
    .map((text) => (text.endsWith('\n') ? text : `${text}\n`));
  return lines.join('') + (code === 0 ? '' : `(exit code ${code})\n`);
}

interface Answer {
  readonly silent: boolean;
  readonly output: string;
}

async function ask(question: () => Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Answer>((resolve) => {
    timer = setTimeout(
      () => resolve({ silent: true, output: `(no answer in ${PATIENCE / 1000} s)\n` }),
      PATIENCE + 250,
    );
  });
  try {
    return await Promise.race([question(), late]);
  } catch (error) {
    return { silent: false, output: `(${error instanceof Error ? error.message : String(error)})\n` };
  } finally {
    clearTimeout(timer);
  }
}
