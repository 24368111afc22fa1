/** `kamelab validate`: every error of every file, with its place. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode } from '../exit-code.ts';
import { loadKinds } from '../kinds.ts';
import { loadTopology, type Topology } from '../topology.ts';
import { UsageError } from '../usage-error.ts';

export function validate(files: readonly string[], options: { json?: boolean }): number {
  const kinds = [...loadKinds().keys()];
  const good: Topology[] = [];
  for (const file of files) {
    try {
      const topology = loadTopology(topologyFile(file), { kinds });
      good.push(topology);
      for (const warning of topology.warnings) console.error(warning);
      if (options.json !== true) {
        console.log(`${file}: ${topology.name}, ${topology.nodes.length} nodes, ${topology.links.length} links`);
      }
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      console.error(error.message);
    }
  }
  if (options.json === true) {
    console.log(
      JSON.stringify(
        good.map(({ name, nodes, links, seed }) => ({ name, seed, nodes, links })),
        undefined,
        2,
      ),
    );
  }
  return good.length === files.length ? ExitCode.done : ExitCode.usage;
}

/** A lab may be named by its folder. */
export function topologyFile(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new UsageError(`${path}: no such file or folder`);
  return stat.isDirectory() ? join(path, 'topology.yaml') : path;
}
