/** Writes topology.schema.json anew, for editors. Format it afterwards: `npx biome check --write topologies`. */
import { writeFileSync } from 'node:fs';
import { topologyJsonSchema } from '#orchestrator/topology-schema.ts';

writeFileSync(new URL('topology.schema.json', import.meta.url), JSON.stringify(topologyJsonSchema(), undefined, 2));
