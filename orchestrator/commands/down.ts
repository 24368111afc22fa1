/** `kamelab down`: labs that `up` left running. */
import { allDrivers } from '../drivers/choose.ts';
import { ExitCode } from '../exit-code.ts';
import { loadKinds } from '../kinds.ts';
import { UsageError } from '../usage-error.ts';

export async function down(names: readonly string[], options: { all?: boolean }): Promise<number> {
  if (names.length === 0 && options.all !== true)
    throw new UsageError('which lab? `kamelab ps` lists them; --all takes all down');
  const drivers = allDrivers(loadKinds());
  const missing = new Set(names);
  for (const driver of drivers) {
    for (const lab of await driver.list()) {
      if (options.all === true ? !lab.keep : !missing.delete(lab.id)) continue;
      await driver.remove(lab.id);
      console.log(`${lab.id} is down`);
    }
  }
  if (missing.size > 0) throw new UsageError(`no lab '${[...missing].join("', '")}': \`kamelab ps\` lists them`);
  return ExitCode.done;
}
