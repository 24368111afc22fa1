/** `kamelab gc`: what labs without an owner have left. */
import { kernelDrivers } from '../drivers/choose.ts';
import { ExitCode } from '../exit-code.ts';
import { loadKinds } from '../kinds.ts';

export async function collect(options: { dryRun?: boolean; all?: boolean }): Promise<number> {
  const { dryRun = false, all = false } = options;
  let count = 0;
  let seen = false;
  for (const driver of await kernelDrivers(loadKinds())) {
    const reason = await driver.unreachable();
    if (reason !== undefined) {
      console.error(`kamelab: labs of the ${driver.name} driver can't be looked at: ${reason}`);
      continue;
    }
    seen = true;
    for (const line of await driver.collect({ all, dryRun })) {
      console.log(`${dryRun ? 'would remove' : 'removed'} ${line}`);
      count++;
    }
  }
  if (!seen) return ExitCode.cannot;
  if (count === 0) console.log('nothing is left over');
  return ExitCode.done;
}
