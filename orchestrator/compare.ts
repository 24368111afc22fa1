/** What is different between two runs. */
import type { CellResult, Measurement, Outcome, RunResult } from './outcome.ts';

export interface Change {
  readonly id: string;
  readonly before: CellResult;
  readonly after: CellResult;
}

export interface MeasurementChange {
  readonly id: string;
  readonly name: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  /** 0.5: half as much again. */
  readonly change: number;
}

export interface Comparison {
  /** Cells of both runs. */
  readonly shared: number;
  readonly newlyFailing: readonly Change[];
  readonly newlyPassing: readonly Change[];
  /** Another outcome, and neither of those. */
  readonly changed: readonly Change[];
  /** Identifiers. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly measurements: readonly MeasurementChange[];
}

/** A measured value counts as changed when it differs by more than this part of the earlier one. */
export const BEYOND = 0.25;
/** Real time is not more exact; a difference below this is none whatever its part. Milliseconds. */
const NOISE = 20;

const PASSING: readonly Outcome[] = ['pass', 'now-passing'];
/** Not what a reader of the later run is to act on: a machine too busy, or a flake, says nothing new of the implementation. */
const BAD: readonly Outcome[] = ['fail', 'harness-error'];

export function compare(before: RunResult, after: RunResult, beyond = BEYOND): Comparison {
  const old = new Map(before.cells.map((cell) => [cell.id, cell]));
  const ids = new Set(after.cells.map(({ id }) => id));
  const changes = after.cells.flatMap((cell): Change[] => {
    const earlier = old.get(cell.id);
    return earlier === undefined ? [] : [{ id: cell.id, before: earlier, after: cell }];
  });
  const different = changes.filter((change) => change.before.outcome !== change.after.outcome);
  const newlyFailing = different.filter((change) => isBad(change.after) && !isBad(change.before));
  const newlyPassing = different.filter((change) => isGood(change.after) && !isGood(change.before));
  return {
    shared: changes.length,
    newlyFailing,
    newlyPassing,
    changed: different.filter((change) => !newlyFailing.includes(change) && !newlyPassing.includes(change)),
    added: after.cells.filter(({ id }) => !old.has(id)).map(({ id }) => id),
    removed: before.cells.filter(({ id }) => !ids.has(id)).map(({ id }) => id),
    measurements: changes
      .flatMap((change) => measured(change, beyond))
      .sort((a, b) => Math.abs(b.change) - Math.abs(a.change)),
  };
}

const isBad = ({ outcome }: CellResult): boolean => BAD.includes(outcome);
const isGood = ({ outcome }: CellResult): boolean => PASSING.includes(outcome);

export const isUnchanged = (one: Comparison): boolean =>
  [one.newlyFailing, one.newlyPassing, one.changed, one.added, one.removed, one.measurements].every(
    (list) => list.length === 0,
  );

/** Those of the same name, in their order: a cell may measure one thing several times. */
function measured({ id, before, after }: Change, beyond: number): MeasurementChange[] {
  const old = Map.groupBy(before.measurements, ({ name }) => name);
  const next = new Map<string, number>();
  return after.measurements.flatMap((now): MeasurementChange[] => {
    const at = next.get(now.name) ?? 0;
    next.set(now.name, at + 1);
    const then = old.get(now.name)?.[at];
    if (then === undefined || then.unit !== now.unit || !differs(then, now, beyond, after.driver !== 'sim')) return [];
    const { name, unit } = now;
    return [{ id, name, unit, before: then.value, after: now.value, change: changeOf(then.value, now.value) }];
  });
}

function differs(then: Measurement, now: Measurement, beyond: number, realTime: boolean): boolean {
  if (isDrawn(then) && isDrawn(now)) return false;
  const noise = realTime && now.unit === 'ms' ? NOISE : 0;
  return Math.abs(now.value - then.value) > noise && Math.abs(changeOf(then.value, now.value)) > beyond;
}

/** Anywhere between two bounds of an RFC is as good: such times are drawn at random. */
const isDrawn = ({ value, min, max }: Measurement): boolean =>
  min !== undefined && max !== undefined && min < max && value >= min && value <= max;

const changeOf = (before: number, after: number): number =>
  before === after ? 0 : before === 0 ? Number.POSITIVE_INFINITY : (after - before) / Math.abs(before);
