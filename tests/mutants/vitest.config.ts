/** For one unit test with a mutant planted: as `preload.ts` does, where Vite loads the modules. */
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';
import { planted, STACK } from './mutant.ts';
import { mutants } from './mutants.ts';

const mutant = mutants.find(({ id }) => id === process.env['KAMELAB_MUTANT']);

const plant: Plugin = {
  name: 'plant',
  enforce: 'pre',
  transform: (code, id) =>
    mutant !== undefined && id === join(STACK, mutant.file) ? planted(mutant, code) : undefined,
};

export default defineConfig({
  root: join(import.meta.dirname, '../..'),
  plugins: [plant],
  // what is kept of a module would be kept with its fault
  test: { fsModuleCache: false },
});
