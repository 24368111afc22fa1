import type { FaultSource } from '#orchestrator/faults/fault-schema.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import { IF } from './pair.ts';

/** The same lab, its link a wire that can have faults. */
export function wired(source: TopologySource, faults: FaultSource[] = []): TopologySource {
  return { ...source, links: { [IF]: { ...source.links![IF]!, wire: true, faults } } };
}
