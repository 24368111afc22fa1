/** Which driver runs here, and why not a better one. Each is loaded when it is wanted: an engine's client takes its time. */
import type { Kind } from '../kinds.ts';
import type { Driver, DriverName } from './driver.ts';

type Kinds = ReadonlyMap<string, Kind>;

/** Best first. */
const LOAD: Readonly<Record<DriverName, (kinds: Kinds) => Promise<Driver>>> = {
  docker: async (kinds) => new (await import('./docker.ts')).DockerDriver(kinds),
  process: async (kinds) => new (await import('./process.ts')).ProcessDriver(kinds),
  sim: async (kinds) => new (await import('./simulation.ts')).SimulationDriver(kinds),
};

export const DRIVER_NAMES = Object.keys(LOAD) as DriverName[];
/** Those whose labs can be there without the process that made them. */
export const KERNEL_DRIVERS = DRIVER_NAMES.filter((name) => name !== 'sim');

export function loadDriver(name: DriverName, kinds: Kinds): Promise<Driver> {
  return LOAD[name](kinds);
}

export function kernelDrivers(kinds: Kinds): Promise<Driver[]> {
  return Promise.all(KERNEL_DRIVERS.map((name) => loadDriver(name, kinds)));
}

/** The one that was asked for, or the first of `names` that can run; each that can't is told with its reason. */
export async function chooseDriver(
  kinds: Kinds,
  names: readonly DriverName[],
  wanted: DriverName | undefined,
  tell: (line: string) => void,
): Promise<Driver> {
  for (const name of wanted === undefined ? names : [wanted]) {
    const driver = await loadDriver(name, kinds);
    const reason = await driver.unavailable();
    if (reason === undefined) return driver;
    if (wanted !== undefined) throw new Error(`the ${name} driver can't run here: ${reason}`);
    tell(`the ${name} driver can't run here: ${reason}`);
  }
  const rest = names.includes('sim') ? '' : '; `kamelab run --driver sim` needs neither root nor Docker';
  throw new Error(`none of the drivers ${names.join(', ')} can run here${rest}`);
}
