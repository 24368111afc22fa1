/** Which driver runs here, and why not a better one. */
import type { Kind } from '../kinds.ts';
import { DockerDriver } from './docker.ts';
import type { Driver, DriverName } from './driver.ts';
import { ProcessDriver } from './process.ts';
import { SimulationDriver } from './simulation.ts';

/** Best first. */
export function allDrivers(kinds: ReadonlyMap<string, Kind>): Driver[] {
  return [new DockerDriver(kinds), new ProcessDriver(kinds), new SimulationDriver(kinds)];
}

/** The one that was asked for, or the first that can run; each that can't is told with its reason. */
export async function chooseDriver(
  drivers: readonly Driver[],
  wanted: DriverName | undefined,
  tell: (line: string) => void,
): Promise<Driver> {
  for (const driver of drivers) {
    if (wanted !== undefined && driver.name !== wanted) continue;
    const reason = await driver.unavailable();
    if (reason === undefined) return driver;
    if (wanted !== undefined) throw new Error(`the ${wanted} driver can't run here: ${reason}`);
    tell(`the ${driver.name} driver can't run here: ${reason}`);
  }
  throw new Error('no driver can run here');
}
