/** Runs the cells of a matrix, as many at once as the machine takes, and keeps each result as soon as it is there. */
import { availableParallelism } from 'node:os';
import { type Cell, runCell } from './cell.ts';
import type { CellResult } from './outcome.ts';
import type { CaseFolder } from './results.ts';

export interface RunOptions {
  readonly kinds: readonly string[];
  readonly caseFolder: (cell: Cell) => CaseFolder;
  readonly labId: (cell: Cell) => string;
  readonly signal?: AbortSignal;
  readonly seed?: number;
  readonly started?: (cell: Cell) => void;
  readonly ended?: (result: CellResult) => void;
  /** Real-time cells at once. */
  readonly parallel?: number;
}

/** Real-time cells at once for each processor: they mostly wait. Measured, the suite on two: 56 s with 3, 44 s with 5. */
const PER_PROCESSOR = 5;

export async function runCells(cells: readonly Cell[], options: RunOptions): Promise<CellResult[]> {
  process.on('unhandledRejection', leftBehind);
  try {
    return await inOrder(cells, options);
  } finally {
    process.off('unhandledRejection', leftBehind);
  }
}

/**
 * A scenario that failed no longer waits for the other things it had begun: they end in errors as its lab goes down, and must not
 * end the run. An expectation among them is judged all the same (cell.ts).
 */
function leftBehind(): void {}

async function inOrder(cells: readonly Cell[], options: RunOptions): Promise<CellResult[]> {
  const results: CellResult[] = [];
  const run = async (cell: Cell): Promise<void> => {
    options.started?.(cell);
    const result = await runCell(cell, {
      labId: options.labId(cell),
      kinds: options.kinds,
      folder: options.caseFolder(cell),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.seed === undefined ? {} : { seed: options.seed }),
    });
    results.push(result);
    options.ended?.(result);
  };
  /** A run that was broken off keeps the cells it finished. */
  const runUnlessAborted = (cell: Cell): Promise<void> =>
    run(cell).catch((error: unknown) => {
      if (options.signal?.aborted !== true) throw error;
    });
  // virtual time takes a whole processor and would stand in the way of real time: first, and one at a time
  for (const cell of cells) {
    if (options.signal?.aborted) break;
    if (cell.driver.name === 'sim') await runUnlessAborted(cell);
  }
  const waiting = cells.filter((cell) => cell.driver.name !== 'sim');
  const worker = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined && !options.signal?.aborted; cell = waiting.shift())
      await runUnlessAborted(cell);
  };
  await Promise.all(Array.from({ length: options.parallel ?? availableParallelism() * PER_PROCESSOR }, worker));
  const order = new Map(cells.map((cell, at) => [cell.id, at]));
  return results.sort((a, b) => order.get(a.id)! - order.get(b.id)!);
}
