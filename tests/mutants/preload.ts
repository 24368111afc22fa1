/**
 * `node --import tests/mutants/preload.ts`: plants the mutant that KAMELAB_MUTANT names as its file is loaded. A process that never
 * loaded the file has not shown anything, and says so by its exit code.
 */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { NOT_PLANTED, planted, STACK } from './mutant.ts';
import { mutants } from './mutants.ts';

const id = process.env['KAMELAB_MUTANT'];
if (id !== undefined) {
  const mutant = mutants.find((each) => each.id === id);
  if (mutant === undefined) throw new Error(`there is no mutant '${id}'`);
  const wanted = pathToFileURL(join(STACK, mutant.file)).href;
  let done = false;
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (url !== wanted) return loaded;
      done = true;
      const { source } = loaded;
      const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString();
      return { ...loaded, source: planted(mutant, text) };
    },
  });
  process.on('exit', () => {
    if (!done) process.exitCode = NOT_PLANTED;
  });
}
