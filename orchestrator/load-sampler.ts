/**
 * The thread behind load.ts. It sleeps to a beat and notes how late it wakes, and once a slot what the kernel says of those
 * who want a processor. It has no event loop to be held up by: what is late here, the machine made late.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { workerData } from 'node:worker_threads';
import { crowdOf, now, PERIOD, SLOT, SLOTS, stealOf, waitingOf, write } from './load.ts';

const { stop, ring } = workerData as { stop: Int32Array; ring: Float64Array };
const processors = availableParallelism();

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const look = () => ({
  time: now(),
  crowd: crowdOf(read('/proc/loadavg')),
  waiting: waitingOf(read('/proc/pressure/cpu')),
  steal: stealOf(read('/proc/stat')),
});

/** The last second's, oldest first. */
const seen = [look()];
let worst = 0;
let slot = 0;
let due = now() + PERIOD;
while (Atomics.wait(stop, 0, 0, Math.max(0, due - now())) === 'timed-out') {
  const woken = now();
  worst = Math.max(worst, woken - due);
  due = woken + PERIOD;
  if (woken - seen.at(-1)!.time < SLOT) continue;
  seen.push(look());
  const last = seen.at(-1)!;
  while (seen[1]!.time <= last.time - 1000) seen.shift();
  const first = seen[0]!;
  // a thread that was late itself looks back further than a second: as much as falls into one
  const share = 1 / Math.max(1, (last.time - first.time) / 1000);
  const crowd = last.crowd === undefined ? undefined : seen.reduce((sum, { crowd }) => sum + crowd!, 0) / seen.length;
  write(ring, slot++ % SLOTS, {
    time: last.time,
    lateness: worst,
    crowd: crowd === undefined ? undefined : crowd / processors,
    // the kernel adds up now and then, and more at once than has passed
    waiting: last.waiting === undefined ? undefined : Math.min(1000, (last.waiting - first.waiting!) * share),
    steal: last.steal === undefined ? undefined : ((last.steal - first.steal!) * share) / processors,
  });
  worst = 0;
}
