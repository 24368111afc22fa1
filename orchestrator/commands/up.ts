/** `kamelab up`: a lab that stays. */
import { allDrivers, chooseDriver } from '../drivers/choose.ts';
import type { DriverName } from '../drivers/driver.ts';
import { ExitCode } from '../exit-code.ts';
import { loadKinds } from '../kinds.ts';
import { loadTopology } from '../topology.ts';
import { UsageError } from '../usage-error.ts';
import { topologyFile } from './validate.ts';

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
    throw new UsageError(`'${id}' is no name for a lab: [a-z][a-z0-9-]*, 31 at most`);
  const drivers = allDrivers(kinds).filter(({ name }) => name !== 'sim');
  if (options.driver === 'sim')
    throw new UsageError('a simulated lab ends with its command: use `kamelab run --driver sim`');
  const driver = await chooseDriver(drivers, options.driver, (line) => console.error(`kamelab: ${line}`));
  for (const other of drivers) {
    if ((await other.list()).some((lab) => lab.id === id)) {
      throw new UsageError(`a lab '${id}' is up already: kamelab down ${id}, or give this one another --name`);
    }
  }
  const unsupported = driver.unsupported(topology);
  if (unsupported !== undefined) throw new Error(unsupported);
  await driver.up(topology, { id, keep: true, signal, progress: (line) => console.error(`  ${line}`) });
  const lab = (await driver.list()).find((found) => found.id === id)!;
  if (options.json === true) console.log(JSON.stringify(lab, undefined, 2));
  else {
    console.log(
      `${id} is up under ${driver.name}: ${lab.nodes.map(({ name, kind }) => `${name} (${kind})`).join(', ')}`,
    );
    console.log(
      `try: kamelab exec ${id} ${lab.nodes[0]?.name} ${lab.nodes[0]?.kind === 'kame' ? 'ndp -a' : 'ip -6 neigh'}`,
    );
  }
  return ExitCode.done;
}
