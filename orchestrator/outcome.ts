/** What became of one cell: a scenario's variant with one implementation in each role, under one driver. */
import type { DriverName } from './drivers/driver.ts';
import type { Load } from './load.ts';

export type Outcome =
  | 'pass'
  | 'fail'
  | 'unsupported'
  | 'known-fail'
  | 'now-passing'
  | 'flaky'
  | 'inconclusive'
  | 'harness-error';

export interface CellResult {
  /** `nud-p2p/tun/kame-linux/process`: scenario, variant, implementations in role order, driver. Stable. */
  readonly id: string;
  readonly scenario: string;
  readonly title: string;
  readonly description: string;
  readonly variant: string;
  readonly roles: Readonly<Record<string, string>>;
  readonly driver: DriverName;
  readonly outcome: Outcome;
  /** One sentence, for everything but a pass. */
  readonly reason: string;
  /** Milliseconds of real time. */
  readonly duration: number;
  /** 1970-based, milliseconds. */
  readonly started: number;
  readonly seed: number;
  readonly references: readonly string[];
  readonly features: readonly string[];
  readonly measurements: readonly Measurement[];
  readonly checks: readonly Check[];
  readonly versions: Readonly<Record<string, string>>;
  /** Relative to the run's folder. */
  readonly folder: string;
  /** How busy the machine was; undefined in virtual time, which does not mind. */
  readonly load?: Load;
  /** Where it took more than one: all of them, the last is the one this result tells of. */
  readonly attempts?: readonly Attempt[];
}

/** One run of a cell that was run again. */
export interface Attempt {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly started: number;
  readonly duration: number;
  /** Relative to the run's folder: `cells/nud.tun.kame-linux.process.1`. */
  readonly folder: string;
}

/** One expectation that was judged. */
export interface Check {
  readonly time: number;
  readonly text: string;
  readonly ok: boolean;
  /** What was seen instead. */
  readonly detail: string;
}

export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly min?: number;
  readonly max?: number;
  /** What the measuring world may be off beyond the bounds; in the value's unit. */
  readonly tolerance?: number;
  /** Where the bounds come from: `RFC 4861 10`. */
  readonly source?: string;
}

/** The whole run, as `results.json` holds it. */
export interface RunResult {
  readonly kamelab: string;
  readonly started: number;
  readonly duration: number;
  readonly host: Readonly<Record<string, string>>;
  /** Identifiers of all cells that were chosen, in order: those without a result were not reached. */
  readonly planned?: readonly string[];
  /** What `--seed` said. */
  readonly seed?: number;
  /** Outcomes of `FAILING` that the user lets pass. */
  readonly allowed?: readonly Outcome[];
  /** Things to know that are no cell's: entries of the baseline that match nothing. */
  readonly notes?: readonly string[];
  readonly cells: readonly CellResult[];
}

/**
 * Outcomes that make a run exit with 1. A flaky cell failed once, which users of what it judges would see; one that passes
 * now needs a line of the baseline removed, or its next failure goes unseen. `unsupported` and `inconclusive` say nothing.
 */
export const FAILING: readonly Outcome[] = ['fail', 'harness-error', 'flaky', 'now-passing'];

/** Those that make this run exit with 1. */
export const failingIn = ({ allowed = [] }: Pick<RunResult, 'allowed'>): readonly Outcome[] =>
  FAILING.filter((outcome) => !allowed.includes(outcome));
