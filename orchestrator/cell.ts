/** One cell, from a topology to a verdict and its case folder. */
import type { Peer } from '#node/peers/peer.ts';
import { adapter } from './adapters.ts';
import type { Driver, Frame, Lab } from './drivers/driver.ts';
import { Failed, Judge } from './judge.ts';
import { type Load, type LoadMeter, lostText, overload } from './load.ts';
import type { CellResult, Outcome } from './outcome.ts';
import type { CaseFolder } from './results.ts';
import type { Context, Scenario } from './scenario.ts';
import { type Topology, topology, withKinds } from './topology.ts';

export interface Cell {
  readonly id: string;
  readonly scenario: Scenario;
  readonly variant: string;
  /** Role -> kind. */
  readonly roles: Readonly<Record<string, string>>;
  readonly driver: Driver;
}

/** The implementation, the link or the machine can't do what the cell needs. */
class Unsupported extends Error {}

/** Milliseconds. Of a lab in real time that never came up, which has no tolerance of its own. */
const TOLERANCE = 250;
const TIMEOUT = 60_000;

export interface CellOptions {
  /** Unique on the host. */
  readonly labId: string;
  readonly kinds: readonly string[];
  readonly folder: CaseFolder;
  readonly signal?: AbortSignal;
  readonly seed?: number;
  /** Without one a failure in real time is never put down to the machine. */
  readonly meter?: LoadMeter;
  /** The lab stands: what is left is mostly waiting. */
  readonly up?: () => void;
}

/** The lab of a cell. Throws a UsageError where the scenario's topology is wrong. */
export function planOf({ scenario, variant, roles }: Cell, kinds: readonly string[], seed?: number): Topology {
  const given = scenario.variants[variant]!;
  const source = {
    ...given,
    name: scenario.name,
    // nodes need no kind of their own: the casting gives it
    defaults: { kind: Object.values(roles)[0]!, ...given.defaults },
    ...(seed === undefined ? {} : { seed }),
  };
  return withKinds(topology(source, { kinds }), roles);
}

/** Leaves the case folder open: who judges the result, among others of the same cell, ends it. */
export async function runCell(cell: Cell, options: CellOptions): Promise<CellResult> {
  const { scenario, driver } = cell;
  const { labId, kinds, folder, signal, seed, meter } = options;
  const started = Date.now();
  const realTime = driver.name !== 'sim';
  let measure = realTime ? meter?.begin() : undefined;
  let load: Omit<Load, 'lost'> | undefined;
  let lab: Lab | undefined;
  let outcome: Outcome = 'pass';
  let reason = '';
  let judge: Judge | undefined;
  let versions: Record<string, string> = {};
  let usedSeed = seed ?? 1;
  try {
    const plan = planOf(cell, kinds, seed);
    usedSeed = plan.seed;
    const unsupported = driver.unsupported(plan);
    if (unsupported !== undefined) throw new Unsupported(unsupported);
    await folder.begin(plan);
    const onFrame = (frame: Frame, epoch: number): void => folder.frame(frame, epoch);
    await using standing = await driver.up(plan, { id: labId, onFrame, ...(signal === undefined ? {} : { signal }) });
    lab = standing;
    options.up?.();
    // bringing it up is work, and not yet judged
    measure?.end();
    measure = realTime ? meter?.begin() : undefined;
    judge = new Judge(lab);
    versions = await lab.versions();
    folder.up(lab);
    try {
      await inTime(scenario.run(contextOf(cell, lab, judge, folder)), scenario.timeout ?? TIMEOUT, lab, signal);
      // also one that the scenario forgot to wait for
      const missed = judge.checks.find(({ ok }) => !ok);
      if (missed !== undefined) throw new Failed(`${missed.text}: ${missed.detail}`);
      judgeFaults(lab, judge);
    } finally {
      load = measure?.end();
      await folder.evidence(lab);
    }
  } catch (error) {
    load ??= measure?.end();
    [outcome, reason] = judged(error);
    if (realTime && load !== undefined && machineMayBeToBlame(outcome, error)) {
      const busy = overload({ ...load, lost: lostIn(lab) }, lab?.tolerance ?? TOLERANCE);
      if (busy !== undefined)
        [outcome, reason] = ['inconclusive', `the machine was too busy: ${busy}; then: ${reason}`];
    }
  }
  // captures are emptied as the lab goes down: only now it is known
  const lost = lostIn(lab);
  if (outcome === 'pass' && lost > 0) [outcome, reason] = ['inconclusive', lostText(lost)];
  const result: CellResult = {
    id: cell.id,
    scenario: scenario.name,
    title: scenario.title,
    description: scenario.description,
    variant: cell.variant,
    roles: cell.roles,
    driver: driver.name,
    outcome,
    reason,
    duration: Date.now() - started,
    started,
    seed: usedSeed,
    references: scenario.references,
    features: scenario.features,
    measurements: judge?.measurements ?? [],
    checks: judge?.checks ?? [],
    versions,
    folder: folder.relative,
    ...(load === undefined ? {} : { load: { ...load, lost } }),
  };
  // a cell that was broken off is not finished: nothing is kept that could be taken for its verdict
  signal?.throwIfAborted();
  return result;
}

const lostIn = (lab: Lab | undefined): number =>
  [...(lab?.links.values() ?? [])].reduce((sum, link) => sum + link.lost, 0);

/** A late answer breaks an expectation or ends a wait; it makes no slip in the testbed's own code. */
const machineMayBeToBlame = (outcome: Outcome, error: unknown): boolean =>
  outcome === 'fail' ||
  (outcome === 'harness-error' && ![TypeError, ReferenceError, SyntaxError].some((slip) => error instanceof slip));

/** What was to go wrong did: a pass without it would prove nothing. */
function judgeFaults(lab: Lab, judge: Judge): void {
  for (const link of lab.links.values()) {
    for (const { name, fired, optional } of link.faults) {
      if (fired > 0 || !optional) judge.that(fired > 0, `${link.name}: fault struck: ${name}`, 'it never did');
    }
  }
}

function judged(error: unknown): [Outcome, string] {
  if (error instanceof Unsupported) return ['unsupported', error.message];
  if (error instanceof Failed) return ['fail', error.message];
  return ['harness-error', error instanceof Error ? (error.stack ?? error.message) : String(error)];
}

function contextOf(cell: Cell, lab: Lab, judge: Judge, folder: CaseFolder): Context {
  const peers = new Map<string, Peer>();
  for (const [name, node] of lab.nodes) peers.set(name, adapter(node));
  return {
    lab,
    variant: cell.variant,
    expect: judge,
    node: (name) => peers.get(name) ?? missing('node', name),
    link: (name) => lab.links.get(name) ?? missing('link', name),
    step: (text) => folder.step(lab.now, text),
    measure: (name, value, unit, bounds) => judge.measure(name, value, unit, bounds),
    unsupported: (reason) => {
      throw new Unsupported(reason);
    },
  };
}

function missing(what: string, name: string): never {
  throw new Error(`the scenario names a ${what} '${name}' that its topology does not have`);
}

/** Real time for every driver: virtual time that never ends is a defect too. */
async function inTime(run: Promise<void>, limit: number, lab: Lab, signal: AbortSignal | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`not done after ${limit / 1000} s (lab time ${(lab.now / 1000).toFixed(1)} s)`)),
      limit,
    );
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    await Promise.race([run, late]);
  } finally {
    clearTimeout(timer);
    run.catch(() => {}); // after the limit its end is of no interest
  }
}
