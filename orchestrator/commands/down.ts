/** `kamelab down`: labs that `up` left running. */
import { kernelDrivers } from '../drivers/choose.ts';
import { ExitCode } from '../exit-code.ts';
import { loadKinds } from '../kinds.ts';
import { UsageError } from '../usage-error.ts';
import { noLab } from './find-lab.ts';

export async function down(names: readonly string[], options: { all?: boolean }): Promise<number> {
  if (names.length === 0 && options.all !== true)
    throw new UsageError('which lab? `kamelab ps` lists them; --all takes all down');
  const drivers = await kernelDrivers(loadKinds());
  const labs = (await Promise.all(drivers.map((driver) => driver.list()))).flat();
  const missing = names.filter((name) => !labs.some(({ id }) => id === name));
  if (missing.length > 0) throw noLab(missing[0]!, labs);
  for (const lab of labs) {
    if (!names.includes(lab.id) && !(options.all === true && lab.keep)) continue;
    await drivers.find(({ name }) => name === lab.driver)!.remove(lab.id);
    console.log(`${lab.id} is down`);
  }
  return ExitCode.done;
}
