/**
 * A run's folder: one case folder a cell, the whole run beside them.
 *
 *   results/latest -> 20261120T172850Z-3fa9
 *   results/20261120T172850Z-3fa9/  results.json junit.xml index.html
 *     cells/nud-p2p.tun.kame-linux.process/  topology.yaml LINK.pcapng timeline.json result.json nodes/NODE/*.txt
 *
 * Captures grow while a cell runs, a result is whole or not there: a run that is killed keeps what has finished.
 */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { arch, availableParallelism, hostname, release, totalmem, type } from 'node:os';
import { join, resolve } from 'node:path';
import { CaptureFile } from './capture-file.ts';
import type { Cell } from './cell.ts';
import type { Frame, Lab, LabEvent } from './drivers/driver.ts';
import { gather } from './evidence.ts';
import type { CellResult, RunResult } from './outcome.ts';
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
  /** `epoch` is the lab's: frames come before `up` has returned it. */
  frame(frame: Frame, epoch: number): void;
  step(time: number, text: string): void;
  /** Logs and states, while the lab still stands. */
  evidence(lab: Lab): Promise<void>;
  end(result: CellResult): Promise<void>;
}

export interface RunFolderOptions {
  /** A run's folder, or `latest`: its finished cells are kept and the run goes on in it. */
  readonly resume?: string;
  /** 1970-based milliseconds; now, unless told. */
  readonly started?: number;
}

export class RunFolder {
  readonly path: string;
  readonly #kamelab: string;
  readonly #started: number;
  readonly #resumed: number;
  readonly #begun: number;
  readonly #host = hostFacts();
  /** By identifier, in the order in which the cells began. */
  readonly #cells = new Map<string, CellResult | undefined>();

  private constructor(path: string, started: number, begun: number, finished: readonly CellResult[]) {
    this.path = path;
    this.#kamelab = version();
    this.#started = started;
    this.#begun = begun;
    this.#resumed = finished.reduce((latest, cell) => Math.max(latest, cell.started + cell.duration - started), 0);
    for (const cell of finished) this.#cells.set(cell.id, cell);
  }

  /** A folder for a run in `results`, with `latest` beside it. */
  static create(results: string, { resume, started = Date.now() }: RunFolderOptions = {}): RunFolder {
    if (resume !== undefined)
      return RunFolder.#resume(existsSync(join(results, resume)) ? join(results, resume) : resume);
    mkdirSync(results, { recursive: true });
    const time = new Date(started).toISOString().replace(/[-:]|\.\d+/g, '');
    const name = `${time}-${randomBytes(2).toString('hex')}`;
    const path = resolve(results, name);
    mkdirSync(join(path, 'cells'), { recursive: true });
    pointTo(join(results, 'latest'), name);
    const folder = new RunFolder(path, started, started, []);
    folder.#save();
    return folder;
  }

  static #resume(path: string): RunFolder {
    const before = readJson<RunResult>(join(path, 'results.json'));
    if (before === undefined) throw new UsageError(`${path}: no run to go on with: it has no readable results.json`);
    const cells = new Map(before.cells.map((cell) => [cell.id, cell]));
    // a run may have been killed between a cell's result and its own
    for (const name of readdirSync(join(path, 'cells')).sort()) {
      const result = readJson<CellResult>(join(path, 'cells', name, 'result.json'));
      if (result !== undefined && !cells.has(result.id)) cells.set(result.id, result);
    }
    return new RunFolder(resolve(path), before.started, Date.now(), [...cells.values()]);
  }

  /** What became of a cell before the run was resumed, or since. */
  finished(id: string): CellResult | undefined {
    return this.#cells.get(id);
  }

  caseFolder(cell: Pick<Cell, 'id'>): CaseFolder {
    const relative = `cells/${folderName(cell.id)}`;
    this.#cells.set(cell.id, undefined);
    return new CellFolder(join(this.path, relative), relative, (result) => {
      this.#cells.set(result.id, result);
      this.#save();
    });
  }

  get result(): RunResult {
    return {
      kamelab: this.#kamelab,
      started: this.#started,
      duration: this.#resumed + Date.now() - this.#begun,
      host: this.#host,
      cells: [...this.#cells.values()].filter((cell) => cell !== undefined),
    };
  }

  /** results.json and junit.xml as they are at last; `cells` gives them another order. */
  finish(cells?: readonly CellResult[]): RunResult {
    const order = new Map(cells?.map((cell, at) => [cell.id, at]));
    const place = (cell: CellResult): number => order.get(cell.id) ?? -1;
    const { result } = this;
    const run: RunResult = { ...result, cells: result.cells.toSorted((a, b) => place(a) - place(b)) };
    writeJson(join(this.path, 'results.json'), run);
    writeWhole(join(this.path, 'junit.xml'), junitXml(run));
    return run;
  }

  #save(): void {
    writeJson(join(this.path, 'results.json'), this.result);
  }
}

/** Frames that the time line lists: captures have them all. */
const LISTED = 10_000;

class CellFolder implements CaseFolder {
  readonly relative: string;
  readonly #path: string;
  readonly #ended: (result: CellResult) => void;
  readonly #captures = new Map<string, CaptureFile>();
  readonly #frames: Frame[] = [];
  readonly #steps: { time: number; text: string }[] = [];
  #events: readonly LabEvent[] = [];
  #omitted = 0;
  #epoch: number | undefined;
  #topology: Topology | undefined;

  constructor(path: string, relative: string, ended: (result: CellResult) => void) {
    this.#path = path;
    this.relative = relative;
    this.#ended = ended;
    // what an earlier try left would stand beside this one's
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
  }

  async begin(topology: Topology): Promise<void> {
    this.#topology = topology;
    writeFileSync(join(this.#path, 'topology.yaml'), topologyText(topology));
    for (const link of topology.links) {
      this.#captures.set(link.name, new CaptureFile(join(this.#path, `${link.name}.pcapng`), link));
    }
  }

  frame(frame: Frame, epoch: number): void {
    this.#epoch = epoch;
    this.#captures.get(frame.link)?.frame(frame.bytes, frame.time, epoch, frame.from);
    if (this.#frames.length < LISTED) this.#frames.push(frame);
    else this.#omitted++;
  }

  step(time: number, text: string): void {
    this.#steps.push({ time, text });
  }

  async evidence(lab: Lab): Promise<void> {
    this.#epoch = lab.epoch;
    this.#events = lab.events;
    for (const { node, command, output } of await gather(lab)) {
      const folder = join(this.#path, 'nodes', node);
      mkdirSync(folder, { recursive: true });
      const name = command === undefined ? 'log' : command.replace(/[^A-Za-z0-9]+/g, '-');
      writeFileSync(join(folder, `${name}.txt`), command === undefined ? output : `$ ${command}\n${output}`);
    }
  }

  async end(result: CellResult): Promise<void> {
    for (const capture of this.#captures.values()) capture.close();
    if (this.#topology !== undefined) {
      const happened = { frames: this.#frames, events: this.#events, steps: this.#steps, checks: result.checks };
      const timeline: Timeline = {
        epoch: this.#epoch,
        omitted: this.#omitted,
        entries: timelineEntries(happened, this.#topology),
      };
      writeWhole(join(this.#path, 'timeline.json'), linesOf(timeline));
    }
    writeJson(join(this.#path, 'result.json'), result);
    this.#ended(result);
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

function readJson<T>(path: string): T | undefined {
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

function version(): string {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

function hostFacts(): Record<string, string> {
  return {
    name: hostname(),
    system: `${type()} ${release()} ${arch()}`,
    processors: `${availableParallelism()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
  };
}
