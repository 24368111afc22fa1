/**
 * Runs the cells of a matrix, as many at once as processors and memory take, and keeps each result as soon as it is there.
 *
 * Cells in virtual time go first, one at a time: each takes a whole processor and would stand in the way of real time. The
 * others mostly wait, so many run at once, the longest first; but few come up at once, since that is work. What failed in real
 * time is run again once at the end, when little else runs.
 */
import { availableParallelism } from 'node:os';
import { type Cell, planOf, runCell } from './cell.ts';
import type { Kind } from './kinds.ts';
import { type LoadMeter, MachineLoad } from './load.ts';
import type { CellResult } from './outcome.ts';
import type { CaseFolder } from './results.ts';
import { judgedBy, type KnownFailure, settled, worthAnother } from './verdict.ts';

export interface RunOptions {
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly caseFolder: (cell: Cell, attempt: 1 | 2) => CaseFolder;
  readonly labId: (cell: Cell) => string;
  readonly signal?: AbortSignal;
  readonly seed?: number;
  readonly started?: (cell: Cell) => void;
  /** It is to be run again. */
  readonly again?: (result: CellResult) => void;
  readonly ended?: (result: CellResult) => void;
  /** Real-time cells at once. */
  readonly parallel?: number;
  /** Bytes that nodes may take; without it most of what the machine has to give. */
  readonly memory?: number;
  /** How often what failed in real time is run again. */
  readonly retries?: 0 | 1;
  readonly known?: (id: string) => KnownFailure | undefined;
  /** Milliseconds that a cell is likely to take; undefined: nobody knows. */
  readonly expected?: (cell: Cell) => number | undefined;
  /** Without one the machine is measured. */
  readonly meter?: LoadMeter;
}

/**
 * Real-time cells at once for each processor. Measured, 66 cells on two processors that others used as well: 59 s with three,
 * 36 s with five, 28 s with eight; but with eight a timer was 90 to 130 ms late at worst in the median cell, with five 55.
 */
const PER_PROCESSOR = 5;
/** Labs that come up at once for each processor. */
const RISING = 1;
/** Second attempts that have the machine for themselves. */
const ALONE = 8;
/** Of the memory that is there. */
const MEMORY_SHARE = 0.8;

export async function runCells(cells: readonly Cell[], options: RunOptions): Promise<CellResult[]> {
  process.on('unhandledRejection', leftBehind);
  const own = options.meter === undefined && cells.some(isRealTime) ? new MachineLoad() : undefined;
  try {
    const meter = options.meter ?? own;
    return await new Run(cells, meter === undefined ? options : { ...options, meter }).results();
  } finally {
    process.off('unhandledRejection', leftBehind);
    await own?.[Symbol.asyncDispose]();
  }
}

/**
 * A scenario that failed no longer waits for the other things it had begun: they end in errors as its lab goes down, and must not
 * end the run. An expectation among them is judged all the same (cell.ts).
 */
function leftBehind(): void {}

const isRealTime = ({ driver }: Cell): boolean => driver.name !== 'sim';

class Run {
  readonly #cells: readonly Cell[];
  readonly #options: RunOptions;
  readonly #results = new Map<string, CellResult>();
  /** First attempts of cells that wait for their second. */
  readonly #first = new Map<Cell, CellResult>();

  constructor(cells: readonly Cell[], options: RunOptions) {
    this.#cells = cells;
    this.#options = options;
  }

  async results(): Promise<CellResult[]> {
    const { parallel, memory = process.availableMemory() * MEMORY_SHARE, expected = () => undefined } = this.#options;
    const processors = availableParallelism();
    for (const cell of this.#cells) {
      if (this.#aborted) break;
      if (!isRealTime(cell)) await this.#run(cell);
    }
    const real = this.#cells.filter(isRealTime);
    const limits = {
      most: parallel ?? processors * PER_PROCESSOR,
      rising: processors * RISING,
      memory,
      needs: (cell: Cell) => this.#memoryOf(cell),
      ended: () => this.#aborted,
    };
    // what nobody knows may be long
    const duration = (cell: Cell): number => expected(cell) ?? Number.MAX_VALUE;
    const longestFirst = real.toSorted((a, b) => duration(b) - duration(a));
    await atOnce(longestFirst, limits, (cell, up) => this.#run(cell, up));
    // alone, so that the run's own load is no excuse; unless so many failed that it is no chance
    const again = [...this.#first.keys()];
    const most = again.length <= ALONE ? 1 : Math.min(limits.most, processors);
    await atOnce(again, { ...limits, most }, (cell, up) => this.#run(cell, up));
    return this.#cells.flatMap(({ id }) => this.#results.get(id) ?? []);
  }

  get #aborted(): boolean {
    return this.#options.signal?.aborted === true;
  }

  /** A run that was broken off keeps the cells it finished. */
  async #run(cell: Cell, up?: () => void): Promise<void> {
    try {
      await this.#attempt(cell, up);
    } catch (error) {
      if (!this.#aborted) throw error;
    }
  }

  async #attempt(cell: Cell, up?: () => void): Promise<void> {
    const { kinds, caseFolder, labId, signal, seed, meter, retries = 1, known } = this.#options;
    const first = this.#first.get(cell);
    const folder = caseFolder(cell, first === undefined ? 1 : 2);
    this.#options.started?.(cell);
    const result = await runCell(cell, {
      labId: labId(cell),
      kinds: [...kinds.keys()],
      folder,
      ...(signal === undefined ? {} : { signal }),
      ...(seed === undefined ? {} : { seed }),
      ...(meter === undefined ? {} : { meter }),
      ...(up === undefined ? {} : { up }),
    });
    const failure = known?.(cell.id);
    if (first === undefined && retries > 0 && worthAnother(result, failure)) {
      this.#first.set(cell, await folder.setAside(result));
      this.#options.again?.(result);
      return;
    }
    const final = judgedBy(failure, first === undefined ? result : settled(first, result));
    await folder.end(final);
    this.#results.set(cell.id, final);
    this.#options.ended?.(final);
  }

  #memoryOf(cell: Cell): number {
    const { kinds, seed } = this.#options;
    try {
      const { nodes } = planOf(cell, [...kinds.keys()], seed);
      return nodes.reduce((sum, { kind, limits }) => sum + (limits.memory ?? kinds.get(kind)?.memory ?? 0), 0);
    } catch {
      return 0; // it won't come up, and says why
    }
  }
}

export interface Limits<Item> {
  readonly most: number;
  /** Of those, how many may not have called `up` yet. */
  readonly rising: number;
  readonly memory: number;
  readonly needs: (item: Item) => number;
  /** No more are begun. */
  readonly ended: () => boolean;
}

/** As many at once as the limits allow, in order but for those too large for the room there is; one at least. */
export async function atOnce<Item>(
  items: readonly Item[],
  limits: Limits<Item>,
  run: (item: Item, up: () => void) => Promise<void>,
): Promise<void> {
  const waiting = items.map((item) => ({ item, needs: limits.needs(item) }));
  const running = new Set<Promise<void>>();
  let rising = 0;
  let free = limits.memory;
  let changed = Promise.withResolvers<void>();
  const errors: unknown[] = [];
  while (waiting.length > 0 && errors.length === 0 && !limits.ended()) {
    const full = running.size >= limits.most || rising >= limits.rising;
    const next = full ? -1 : waiting.findIndex(({ needs }) => needs <= free || running.size === 0);
    if (next < 0) {
      await Promise.race([changed.promise, ...running]);
      changed = Promise.withResolvers<void>();
      continue;
    }
    const [{ item, needs }] = waiting.splice(next, 1) as [(typeof waiting)[number]];
    rising++;
    free -= needs;
    let isUp = false;
    const up = (): void => {
      if (isUp) return;
      isUp = true;
      rising--;
      changed.resolve();
    };
    const done = run(item, up)
      .catch((error: unknown) => errors.push(error))
      .then(() => {
        up();
        free += needs;
        running.delete(done);
      });
    running.add(done);
  }
  await Promise.all(running);
  if (errors.length > 0) throw errors[0];
}
