/** `kamelab up`: a lab that stays. */
import { relative } from 'node:path';
import { chooseDriver, KERNEL_DRIVERS, kernelDrivers } from '../drivers/choose.ts';
import type { DriverName, LabSummary } from '../drivers/driver.ts';
import { ExitCode } from '../exit-code.ts';
import { loadKinds } from '../kinds.ts';
import { loadTopology } from '../topology.ts';
import { UsageError } from '../usage-error.ts';
import { topologyFile } from './validate.ts';

const TOOLS = `${import.meta.dirname}/../../node-image/bin`;

export async function up(
  file: string,
  options: { driver?: DriverName; name?: string; json?: boolean },
  signal: AbortSignal,
): Promise<number> {
  const kinds = loadKinds();
  const topology = loadTopology(topologyFile(file), { kinds: [...kinds.keys()] });
  for (const warning of topology.warnings) console.error(warning);
  const id = options.name ?? topology.name;
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(id))
    throw new UsageError(`'${id}' is no name for a lab: a small letter, then small letters, digits and -, at most 31`);
  if (options.driver === 'sim')
    throw new UsageError('a simulated lab ends with its command: use `kamelab run --driver sim`');
  const driver = await chooseDriver(kinds, KERNEL_DRIVERS, options.driver, (line) => console.error(`kamelab: ${line}`));
  // each driver knows only its own
  for (const other of await kernelDrivers(kinds)) {
    if ((await other.list()).some((lab) => lab.id === id)) {
      throw new UsageError(`a lab '${id}' is up already: kamelab down ${id}, or give this one another --name`);
    }
  }
  const unsupported = driver.unsupported(topology, { keep: true });
  if (unsupported !== undefined) throw new Error(unsupported);
  await driver.up(topology, { id, keep: true, signal, progress: (line) => console.error(`  ${line}`) });
  const lab = (await driver.list()).find((found) => found.id === id)!;
  console.log(options.json === true ? JSON.stringify(lab, undefined, 2) : greeting(lab));
  return ExitCode.done;
}

function greeting({ id, driver, nodes }: LabSummary): string {
  const lines = [`${id} is up under ${driver}: ${nodes.map(({ name, kind }) => `${name} (${kind})`).join(', ')}`];
  const kame = nodes.find(({ control }) => control !== '');
  const [first] = nodes;
  lines.push(`  kamelab exec ${id} ${(kame ?? first)?.name} ${kame === undefined ? 'ip -6 neigh' : 'ndp -a'}`);
  if (kame !== undefined) lines.push(`  KAME_NODE=${kame.control} ${relative(process.cwd(), TOOLS) || '.'}/ndp -a`);
  lines.push(`  kamelab down ${id}`);
  return lines.join('\n');
}
