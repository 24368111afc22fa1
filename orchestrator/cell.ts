/** One cell, from a topology to a verdict and its case folder. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Peer } from '#node/peers/peer.ts';
import { adapter } from './adapters.ts';
import type { Driver, Frame, Lab } from './drivers/driver.ts';
import { Failed, Judge } from './judge.ts';
import type { CellResult, Outcome } from './outcome.ts';
import type { CaseFolder } from './results.ts';
import type { Context, Scenario } from './scenario.ts';
import { topology, withKinds } from './topology.ts';

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

/** A failing cell on a machine that stood still for this long proves nothing. Milliseconds. */
const OVERLOADED = 400;
const TIMEOUT = 60_000;

export interface CellOptions {
  /** Unique on the host. */
  readonly labId: string;
  readonly kinds: readonly string[];
  readonly folder: CaseFolder;
  readonly signal?: AbortSignal;
  readonly seed?: number;
}

export async function runCell(cell: Cell, { labId, kinds, folder, signal, seed }: CellOptions): Promise<CellResult> {
  const { scenario, driver } = cell;
  const started = Date.now();
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  let outcome: Outcome = 'pass';
  let reason = '';
  let judge: Judge | undefined;
  let versions: Record<string, string> = {};
  let usedSeed = seed ?? 1;
  try {
    const variant = scenario.variants[cell.variant]!;
    const source = {
      ...variant,
      name: scenario.name,
      // nodes need no kind of their own: the casting gives it
      defaults: { kind: Object.values(cell.roles)[0]!, ...variant.defaults },
      ...(seed === undefined ? {} : { seed }),
    };
    const plan = withKinds(topology(source, { kinds }), cell.roles);
    usedSeed = plan.seed;
    const unsupported = driver.unsupported(plan);
    if (unsupported !== undefined) throw new Unsupported(unsupported);
    await folder.begin(plan);
    const onFrame = (frame: Frame, epoch: number): void => folder.frame(frame, epoch);
    await using lab = await driver.up(plan, { id: labId, onFrame, ...(signal === undefined ? {} : { signal }) });
    judge = new Judge(lab);
    versions = await lab.versions();
    try {
      await inTime(scenario.run(contextOf(cell, lab, judge, folder)), scenario.timeout ?? TIMEOUT, lab, signal);
      // also one that the scenario forgot to wait for
      const missed = judge.checks.find(({ ok }) => !ok);
      if (missed !== undefined) throw new Failed(`${missed.text}: ${missed.detail}`);
    } finally {
      await folder.evidence(lab);
    }
    const lost = [...lab.links.values()].find((link) => link.lost > 0);
    if (lost !== undefined)
      [outcome, reason] = ['inconclusive', `the capture of ${lost.name} lost ${lost.lost} frames`];
  } catch (error) {
    [outcome, reason] = judged(error);
  }
  lag.disable();
  const stood = lag.max / 1e6;
  if (outcome === 'fail' && driver.name !== 'sim' && stood > OVERLOADED) {
    [outcome, reason] = ['inconclusive', `the machine stood still for ${stood.toFixed(0)} ms; then: ${reason}`];
  }
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
  };
  // a cell that was broken off is not finished: nothing is kept that could be taken for its verdict
  signal?.throwIfAborted();
  await folder.end(result);
  return result;
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
