/** `kamelab exec`: a command in a node, with this terminal as its own. */
import { allDrivers } from '../drivers/choose.ts';
import { loadKinds } from '../kinds.ts';
import { UsageError } from '../usage-error.ts';

export async function execute(id: string, node: string, command: readonly string[]): Promise<number> {
  for (const driver of allDrivers(loadKinds())) {
    const lab = (await driver.list()).find((found) => found.id === id);
    if (lab === undefined) continue;
    if (!lab.nodes.some(({ name }) => name === node)) {
      throw new UsageError(`lab '${id}' has no node '${node}': it has ${lab.nodes.map(({ name }) => name).join(', ')}`);
    }
    return driver.exec(id, node, command);
  }
  throw new UsageError(`no lab '${id}': \`kamelab ps\` lists them`);
}
