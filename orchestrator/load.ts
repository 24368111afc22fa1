/**
 * How busy the machine was while a cell ran, measured: whether a failure says something of the nodes or of the machine.
 *
 * Real-time worlds widen every bound of time by a tolerance. A failure proves nothing when the machine can have made a node,
 * or the testbed, later than that. Each figure has its limit as a part of the tolerance:
 *
 *   lateness   1/2  a thread due every 10 ms woke this late. It is one of many threads, and was not the unluckiest
 *   eventLoop   1   the orchestrator itself stood still: it asks nodes, and sees what they say
 *   crowd     1/50  threads that wanted to run for each processor, on average over the worst second (/proc/loadavg): a tool that
 *                   takes 50 ms of a processor to start and answer is late by the tolerance where five share one
 *   waiting    3.8  of the worst second, some thread was waiting for a processor (/proc/pressure/cpu). A lab that comes up beside
 *                   makes others wait for half a second; with 950 ms of one there was no moment without
 *   steal      1/2  of the worst second, the hypervisor had the processors, on average over them (/proc/stat)
 *   lost        0   frames that a capture had no room for: what is not there may have been lost
 *
 * A pass stands however busy the machine was, but for lost frames: it may rest on one that was not seen.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';

/** Milliseconds, but for `crowd` and `lost`. What the kernel does not tell is undefined. */
export interface Load {
  readonly lateness: number;
  readonly eventLoop: number;
  /** Threads for each processor. */
  readonly crowd?: number;
  readonly waiting?: number;
  readonly steal?: number;
  /** Frames. */
  readonly lost: number;
}

/** Parts of the tolerance. */
const LIMITS = { lateness: 0.5, eventLoop: 1, crowd: 1 / 50, waiting: 3.8, steal: 0.5 } as const;

const SENTENCES = {
  lateness: (late: string) => `a timer was ${late} late`,
  eventLoop: (stood: string) => `the orchestrator stood still for ${stood}`,
  crowd: (threads: string) => `${threads} programs wanted each processor`,
  waiting: (waited: string) => `programs waited for a processor for ${waited} of one second`,
  steal: (stolen: string) => `the hypervisor took ${stolen} of one second`,
} as const;

/** Why a failure under this load proves nothing, with the figures; undefined when it does. */
export function overload(load: Load, tolerance: number): string | undefined {
  const reasons = (Object.keys(LIMITS) as (keyof typeof LIMITS)[]).flatMap((figure) => {
    const value = load[figure];
    const limit = LIMITS[figure] * tolerance;
    if (value === undefined || value <= limit) return [];
    const text = figure === 'crowd' ? value.toFixed(1) : `${value.toFixed(0)} ms`;
    return [`${SENTENCES[figure](text)} (limit ${limit.toFixed(0)})`];
  });
  if (load.lost > 0) reasons.push(lostText(load.lost));
  return reasons.length === 0 ? undefined : reasons.join(', ');
}

export const lostText = (lost: number): string => `captures lost ${lost} frame${lost === 1 ? '' : 's'}`;

/** `timers at most 3 ms late, ...`: for a report. */
export function loadText({ lateness, eventLoop, crowd, waiting, steal, lost }: Load): string {
  const figures = [`timers at most ${lateness.toFixed(0)} ms late`, `event loop ${eventLoop.toFixed(0)} ms`];
  if (crowd !== undefined) figures.push(`${crowd.toFixed(1)} programs a processor`);
  if (waiting !== undefined) figures.push(`waiting ${waiting.toFixed(0)} ms of the worst second`);
  if (steal !== undefined && steal >= 1) figures.push(`stolen ${steal.toFixed(0)} ms of the worst second`);
  if (lost > 0) figures.push(`${lost} frames lost`);
  return figures.join(', ');
}

/** Measures from `begin` to `end`, any number of cells at once. */
export interface LoadMeter {
  begin(): { end(): Omit<Load, 'lost'> };
}

/** Milliseconds: how often the thread is due, and how often it notes what was. */
export const PERIOD = 10;
export const SLOT = 100;
/** Seven minutes: longer than a cell may take. */
export const SLOTS = 4096;
const RESOLUTION = 20;

/** What one slot of the ring holds; what the kernel tells is of the second before. */
export interface Sample {
  /** Of `now`. */
  readonly time: number;
  readonly lateness: number;
  readonly crowd: number | undefined;
  readonly waiting: number | undefined;
  readonly steal: number | undefined;
}
const FIELDS = ['time', 'lateness', 'crowd', 'waiting', 'steal'] as const;

/** One clock for all threads. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

export function write(ring: Float64Array, slot: number, sample: Sample): void {
  const at = slot * FIELDS.length;
  ring[at] = 0;
  for (const [field, name] of FIELDS.entries()) if (field > 0) ring[at + field] = sample[name] ?? Number.NaN;
  // last: a slot counts from now on
  ring[at] = sample.time;
}

/** The worst of each figure since then. */
export function worstSince(ring: Float64Array, since: number): Omit<Load, 'eventLoop' | 'lost'> {
  const worst = new Map<string, number>();
  for (let at = 0; at < ring.length; at += FIELDS.length) {
    if (ring[at]! < since) continue;
    for (const [field, name] of FIELDS.entries()) {
      const value = ring[at + field]!;
      if (field > 0 && value >= (worst.get(name) ?? 0)) worst.set(name, value);
    }
  }
  return { lateness: 0, ...Object.fromEntries(worst) };
}

/** Threads that run or wait for a processor at this moment (`/proc/loadavg`), besides the one that asks. */
export function crowdOf(text: string): number | undefined {
  const running = / (\d+)\/\d+ /.exec(text)?.[1];
  return running === undefined ? undefined : Math.max(0, Number(running) - 1);
}

/** Milliseconds in which something waited for a processor, ever since (`/proc/pressure/cpu`). */
export function waitingOf(text: string): number | undefined {
  const total = /^some .*total=(\d+)/m.exec(text)?.[1];
  return total === undefined ? undefined : Number(total) / 1000;
}

/** Milliseconds that the hypervisor took from all processors together (`/proc/stat`, in hundredths of a second). */
export function stealOf(text: string): number | undefined {
  const fields = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ');
  return fields?.[7] === undefined ? undefined : Number(fields[7]) * 10;
}

export class MachineLoad implements LoadMeter, AsyncDisposable {
  readonly #ring = new Float64Array(new SharedArrayBuffer(SLOTS * FIELDS.length * 8));
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  readonly #thread: Worker;

  constructor() {
    this.#thread = new Worker(new URL('load-sampler.ts', import.meta.url), {
      workerData: { stop: this.#stop, ring: this.#ring },
    });
    // without it there are fewer figures, and nothing else is lost
    this.#thread.on('error', () => {});
    this.#thread.unref();
  }

  begin(): { end(): Omit<Load, 'lost'> } {
    const since = now();
    const loop = monitorEventLoopDelay({ resolution: RESOLUTION });
    loop.enable();
    return {
      end: () => {
        loop.disable();
        return { ...worstSince(this.#ring, since), eventLoop: Math.max(0, loop.max / 1e6 - RESOLUTION) };
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Atomics.store(this.#stop, 0, 1);
    Atomics.notify(this.#stop, 0);
    await this.#thread.terminate();
  }
}
