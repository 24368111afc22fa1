/**
 * A scenario: roles played by implementations, a topology, steps and expectations. One module a scenario, its default
 * suite in `topologies/`. The matrix joins its roles with the kinds of node registered in `node-image/peers`.
 */

import type { Peer } from '#node/peers/peer.ts';
import type { Lab, LabLink } from './drivers/driver.ts';
import type { Expect } from './expect.ts';
import type { TopologySource } from './topology-schema.ts';

export interface Scenario {
  /** Stable: part of every cell's identifier. [a-z0-9-] */
  readonly name: string;
  readonly title: string;
  /** What is judged, and by which sections: shown in the report. Markdown-free text. */
  readonly description: string;
  /** `RFC 4861 7.2`. */
  readonly references: readonly string[];
  /** Rows of the feature list that a pass proves: `ND-01`. */
  readonly features: readonly string[];
  /** Role -> what an implementation must be able to do. A role is the name of a node of the topology. */
  readonly roles: Readonly<Record<string, { readonly needs?: readonly string[]; readonly only?: readonly string[] }>>;
  /** Variants of one scenario (`p2p`, `lan`, `tun`): each is a cell of its own. */
  readonly variants: Readonly<Record<string, TopologySource>>;
  /** Real milliseconds a cell may take. Default 60 000. */
  readonly timeout?: number;
  /** What goes on at the same time is awaited by one `Promise.all`, so that nothing is left over when one part fails. */
  run(context: Context): Promise<void>;
}

/** What the steps of a scenario work with. */
export interface Context {
  readonly lab: Lab;
  readonly variant: string;
  /** A node with what its implementation can be asked to do. */
  node(name: string): Peer;
  link(name: string): LabLink;
  readonly expect: Expect;
  /** A line in the case's time line. */
  step(text: string): void;
  /** A figure in the report, beside the bounds the RFC gives. */
  measure(
    name: string,
    value: number,
    unit: string,
    bounds?: { readonly min?: number; readonly max?: number; readonly source: string },
  ): void;
  /** End as unsupported. */
  unsupported(reason: string): never;
}

export function defineScenario(definition: Scenario): Scenario {
  return definition;
}
