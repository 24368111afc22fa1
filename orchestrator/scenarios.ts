/** The scenarios of the suite: every `*.scenario.ts` below `topologies/`, in order of names. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from './scenario.ts';

const FOLDER = join(import.meta.dirname, '../topologies');

export async function loadScenarios(): Promise<Scenario[]> {
  const files = globSync('**/*.scenario.ts', { cwd: FOLDER }).sort();
  const modules = await Promise.all(
    files.map((file) => import(join(FOLDER, file)) as Promise<{ default?: unknown; scenario?: Scenario }>),
  );
  return modules.map((module, at) => {
    if (module.scenario === undefined) throw new Error(`${files[at]} exports no 'scenario'`);
    return module.scenario;
  });
}
