/** What becomes of a cell: its attempts, and what is known of it, make one outcome. */
import type { Attempt, CellResult, Outcome } from './outcome.ts';

/** A failure that is expected. */
export interface KnownFailure {
  /** Why, as people told; with a link where there is one. */
  readonly reason: string;
  /** `topologies/known-failures.yaml:4` */
  readonly where: string;
}

/** Whether a second attempt may tell more. What is known to fail is not asked twice, and virtual time never says otherwise. */
export function worthAnother({ driver, outcome }: CellResult, known: KnownFailure | undefined): boolean {
  if (driver === 'sim') return false;
  if (outcome === 'fail') return known === undefined;
  return outcome === 'harness-error' || outcome === 'inconclusive';
}

/**
 * The second attempt decides, unless it says nothing: a failure on a quiet machine stands. A pass after a failure is flaky;
 * after an attempt that the machine spoiled it is a pass.
 */
export function settled(first: CellResult, second: CellResult): CellResult {
  const attempts = [first, second].map(attempt);
  const result = { ...second, attempts };
  const failed = first.outcome !== 'inconclusive';
  if (second.outcome === 'pass' && failed)
    return { ...result, outcome: 'flaky', reason: `failed, then passed; first: ${first.reason}` };
  if (second.outcome === 'inconclusive' && failed)
    return { ...result, outcome: first.outcome, reason: `${first.reason} (run again: ${second.reason})` };
  return result;
}

/** A failure that is known is none, and a known failure that passes is news. */
export function judgedBy(known: KnownFailure | undefined, result: CellResult): CellResult {
  if (known === undefined) return result;
  const { reason, where } = known;
  const is = (outcome: Outcome, reason: string): CellResult => ({ ...result, outcome, reason });
  if (result.outcome === 'fail') return is('known-fail', `${reason} (known by ${where}); now: ${result.reason}`);
  if (result.outcome === 'pass') return is('now-passing', `known to fail: ${reason}; if it is mended, remove ${where}`);
  return result;
}

const attempt = ({ outcome, reason, started, duration, folder }: CellResult): Attempt => ({
  outcome,
  reason,
  started,
  duration,
  folder,
});
