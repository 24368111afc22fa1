/**
 * A run's folder: one case folder a cell, the whole run beside them.
 *
 *   results/latest -> 20261120T172850Z-3fa9
 *   results/20261120T172850Z-3fa9/  results.json junit.xml index.html
 *     cells/nud-p2p.tun.kame-linux.process/  topology.yaml LINK.pcapng timeline.json metrics.jsonl result.json nodes/NODE/*.txt
 *     cells/nud-p2p.tun.kame-linux.process.1/ and .2/  the same of a cell that was run again; the first has an attempt.json
 *
 * Captures grow while a cell runs, a result is whole or not there: a run that is killed keeps what has finished.
 */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { CaptureFile } from './capture-file.ts';
import type { Cell } from './cell.ts';
import type { Frame, Lab, LabEvent } from './drivers/driver.ts';
import { gather } from './evidence.ts';
import { appendPings, Sampler } from './metrics.ts';
import type { CellResult, Outcome, RunResult } from './outcome.ts';
import { pings } from './pings.ts';
import { junitXml } from './report/junit.ts';
import { type Timeline, timelineEntries } from './report/timeline.ts';
import { topologyText } from './report/topology-text.ts';
import { writeWhole } from './report/write-file.ts';
import type { Topology } from './topology.ts';
import { UsageError } from './usage-error.ts';

/** What one cell leaves: written as it happens, so that a killed run keeps what it saw. */
export interface CaseFolder {
  /** Relative to the run's folder. */
  readonly relative: string;
  begin(topology: Topology): Promise<void>;
  /** It came up: metrics are sampled from now on. */
  up(lab: Lab): void;
  /** `epoch` is the lab's: frames come before `up` has returned it. */
  frame(frame: Frame, epoch: number): void;
  step(time: number, text: string): void;
  /** Logs and states, while the lab still stands. */
  evidence(lab: Lab): Promise<void>;
  /** The cell is finished with this result. */
  end(result: CellResult): Promise<void>;
  /** The cell is to be run again: what was seen is kept beside. Resolves to the result as it was kept. */
  setAside(result: CellResult): Promise<CellResult>;
}

export interface RunFolderOptions {
  /** Version of kamelab. */
  readonly kamelab: string;
  /** 1970-based, milliseconds. */
  readonly started: number;
  /** What the report tells of the machine. */
  readonly host: Readonly<Record<string, string>>;
  /** Identifiers in the order of the results; cells that are not named follow as they began. */
  readonly cells?: readonly string[];
  readonly seed?: number;
  readonly allowed?: readonly Outcome[];
  readonly notes?: readonly string[];
  /** A run's folder, or its name in `results`, such as `latest`: the run goes on there, what has finished is kept. */
  readonly resume?: string;
}

export class RunFolder {
  readonly path: string;
  readonly #run: Omit<RunResult, 'cells' | 'duration'>;
  readonly #order: readonly string[];
  readonly #cells = new Map<string, CellResult>();

  /** Use `create`. */
  constructor(path: string, options: RunFolderOptions, finished: readonly CellResult[] = []) {
    const { kamelab, started, host, cells = [], seed, allowed = [], notes = [] } = options;
    this.path = path;
    this.#run = { kamelab, started, host, planned: cells, ...(seed === undefined ? {} : { seed }), allowed, notes };
    this.#order = cells;
    for (const cell of finished) this.#cells.set(cell.id, cell);
  }

  /** A folder for a run in `results`, with `latest` beside it. */
  static async create(results: string, options: RunFolderOptions): Promise<RunFolder> {
    if (options.resume !== undefined) return resumed(results, options.resume, options);
    mkdirSync(results, { recursive: true });
    const time = new Date(options.started).toISOString().replace(/[-:]|\.\d+/g, '');
    const name = `${time}-${randomBytes(2).toString('hex')}`;
    const path = resolve(results, name);
    mkdirSync(join(path, 'cells'), { recursive: true });
    pointTo(join(results, 'latest'), name);
    const folder = new RunFolder(path, options);
    folder.#save(folder.result);
    return folder;
  }

  /** What became of a cell, in this run before it was resumed or since. */
  finished(id: string): CellResult | undefined {
    return this.#cells.get(id);
  }

  /** What an earlier attempt left goes, unless this is the second of two. */
  caseFolder(cell: Pick<Cell, 'id'>, attempt: 1 | 2 = 1): CaseFolder {
    const name = `cells/${folderName(cell.id)}`;
    const relative = attempt === 1 ? name : `${name}.2`;
    for (const old of attempt === 1 ? [name, `${name}.1`, `${name}.2`] : [relative])
      rmSync(join(this.path, old), { recursive: true, force: true });
    return new CellFolder(this.path, relative, (result) => {
      this.#cells.set(result.id, result);
      this.#save(this.result);
    });
  }

  /** As it stands. */
  get result(): RunResult {
    const order = new Map(this.#order.map((id, at) => [id, at]));
    const place = ({ id }: CellResult): number => order.get(id) ?? order.size;
    const cells = [...this.#cells.values()].sort((a, b) => place(a) - place(b));
    const end = cells.reduce((latest, cell) => Math.max(latest, cell.started + cell.duration), this.#run.started);
    return { ...this.#run, duration: end - this.#run.started, cells };
  }

  /** results.json and junit.xml at last, with what was kept from before a resumption. */
  async finish({ duration }: Pick<RunResult, 'duration'>): Promise<RunResult> {
    const run: RunResult = { ...this.result, duration };
    this.#save(run);
    writeWhole(join(this.path, 'junit.xml'), junitXml(run));
    return run;
  }

  #save(run: RunResult): void {
    writeJson(join(this.path, 'results.json'), run);
  }
}

/** The run that `resume` names, as far as it came: what it was to do, and how. */
export function runToResume(results: string, resume: string): { path: string; run: RunResult } {
  const path = resolve(existsSync(join(results, resume)) ? realpathSync(join(results, resume)) : resume);
  const run = readJson<RunResult>(join(path, 'results.json'));
  if (run === undefined) throw new UsageError(`${path}: no run to go on with: it has no readable results.json`);
  return { path, run };
}

function resumed(results: string, resume: string, options: RunFolderOptions): RunFolder {
  const { path, run: before } = runToResume(results, resume);
  const cells = new Map(before.cells.map((cell) => [cell.id, cell]));
  // it may have been killed between writing a cell's result and its own
  for (const name of readdirSync(join(path, 'cells')).sort()) {
    const result = readJson<CellResult>(join(path, 'cells', name, 'result.json'));
    if (result !== undefined) cells.set(result.id, result);
  }
  return new RunFolder(path, { ...options, started: before.started }, [...cells.values()]);
}

export const METRICS = 'metrics.jsonl';

/** The result of an attempt that did not decide. */
export const ATTEMPT = 'attempt.json';

/** Frames that the time line lists: captures have them all. */
const LISTED = 10_000;

class CellFolder implements CaseFolder {
  readonly relative: string;
  readonly #run: string;
  readonly #path: string;
  readonly #ended: (result: CellResult) => void;
  readonly #captures = new Map<string, CaptureFile>();
  readonly #frames: Frame[] = [];
  readonly #steps: { time: number; text: string }[] = [];
  #events: readonly LabEvent[] = [];
  #omitted = 0;
  #epoch: number | undefined;
  #topology: Topology | undefined;
  #sampler: Sampler | undefined;

  constructor(run: string, relative: string, ended: (result: CellResult) => void) {
    this.#run = run;
    this.#path = join(run, relative);
    this.relative = relative;
    this.#ended = ended;
    mkdirSync(this.#path, { recursive: true });
  }

  async begin(topology: Topology): Promise<void> {
    this.#topology = topology;
    writeFileSync(join(this.#path, 'topology.yaml'), topologyText(topology));
    for (const link of topology.links) {
      this.#captures.set(link.name, new CaptureFile(join(this.#path, `${link.name}.pcapng`), link));
    }
  }

  up(lab: Lab): void {
    this.#sampler = new Sampler(lab, join(this.#path, METRICS));
  }

  frame(frame: Frame, epoch: number): void {
    this.#epoch = epoch;
    this.#sampler?.passed(frame.time);
    this.#captures.get(frame.link)?.frame(frame.bytes, frame.time, epoch, frame.from, frame.fault);
    if (this.#frames.length < LISTED) this.#frames.push(frame);
    else this.#omitted++;
  }

  step(time: number, text: string): void {
    this.#steps.push({ time, text });
  }

  async evidence(lab: Lab): Promise<void> {
    this.#epoch = lab.epoch;
    this.#events = lab.events;
    const [gathered] = await Promise.all([gather(lab), this.#sampler?.end()]);
    for (const { node, command, output } of gathered) {
      const folder = join(this.#path, 'nodes', node);
      mkdirSync(folder, { recursive: true });
      const name = command === undefined ? 'log' : command.replace(/[^A-Za-z0-9]+/g, '-');
      writeFileSync(join(folder, `${name}.txt`), command === undefined ? output : `$ ${command}\n${output}`);
    }
  }

  async end(result: CellResult): Promise<void> {
    this.#close(result);
    writeJson(join(this.#path, 'result.json'), result);
    this.#ended(result);
  }

  async setAside(result: CellResult): Promise<CellResult> {
    const kept = { ...result, folder: `${this.relative}.1` };
    this.#close(result);
    // no result.json: a run that is resumed would take it for the cell's
    writeJson(join(this.#path, ATTEMPT), kept);
    renameSync(this.#path, join(this.#run, kept.folder));
    return kept;
  }

  #close(result: CellResult): void {
    for (const capture of this.#captures.values()) capture.close();
    if (this.#topology !== undefined) {
      const happened = { frames: this.#frames, events: this.#events, steps: this.#steps, checks: result.checks };
      const timeline: Timeline = {
        epoch: this.#epoch,
        omitted: this.#omitted,
        entries: timelineEntries(happened, this.#topology),
      };
      writeWhole(join(this.#path, 'timeline.json'), linesOf(timeline));
      appendPings(join(this.#path, METRICS), pings(this.#frames));
    }
  }
}

/** One entry a line, for people with grep. */
function linesOf({ entries, ...timeline }: Timeline): string {
  const head = JSON.stringify(timeline).slice(0, -1);
  return `${head},"entries":[\n${entries.map((entry) => JSON.stringify(entry)).join(',\n')}\n]}\n`;
}

/** Identifiers are made of names of [a-z0-9-] and slashes; anything else would be a scenario's slip. */
export const folderName = (id: string): string => id.replaceAll('/', '.').replace(/[^A-Za-z0-9._-]/g, '_');

const writeJson = (path: string, value: unknown): void => writeWhole(path, `${JSON.stringify(value, undefined, 2)}\n`);

export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined; // not there, or a run's before files were whole
  }
}

/** At no time is there no link. */
function pointTo(link: string, target: string): void {
  const next = `${link}.${process.pid}`;
  rmSync(next, { force: true });
  symlinkSync(target, next);
  renameSync(next, link);
}
