/** Labs and nodes by the names a user wrote. */
import type { LabSummary, NodeSummary } from '../drivers/driver.ts';
import { didYouMean } from '../topology-problems.ts';
import { UsageError } from '../usage-error.ts';

export function noLab(id: string, labs: readonly LabSummary[]): UsageError {
  const names = labs.map((lab) => lab.id);
  const kept = labs.filter(({ keep }) => keep).map((lab) => lab.id);
  const there = kept.length === 0 ? '; none is up' : `; there are ${kept.join(', ')}`;
  return new UsageError(`no lab '${id}'${didYouMean(id, names) || there}`);
}

export function findNode(lab: LabSummary, name: string): NodeSummary {
  const found = lab.nodes.find((node) => node.name === name);
  if (found !== undefined) return found;
  const names = lab.nodes.map((node) => node.name);
  const hint = didYouMean(name, names) || `; it has ${names.join(', ')}`;
  throw new UsageError(`lab '${lab.id}' has no node '${name}'${hint}`);
}
