/** `kamelab exec`: a command in a node, with this terminal as its own. */
import { kernelDrivers } from '../drivers/choose.ts';
import type { LabSummary } from '../drivers/driver.ts';
import { loadKinds } from '../kinds.ts';
import { findNode, noLab } from './find-lab.ts';

export async function execute(id: string, node: string, command: readonly string[]): Promise<number> {
  const seen: LabSummary[] = [];
  for (const driver of await kernelDrivers(loadKinds())) {
    const labs = await driver.list();
    const lab = labs.find((found) => found.id === id);
    seen.push(...labs);
    if (lab === undefined) continue;
    findNode(lab, node);
    // Ctrl-C is the command's to answer; this process ends with it
    const leave = (): void => {};
    process.on('SIGINT', leave);
    try {
      return await driver.exec(id, node, command);
    } finally {
      process.off('SIGINT', leave);
    }
  }
  throw noLab(id, seen);
}
