import { uniform } from '../env/random.ts';
import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';

/** RFC 4861 6.3.4: a new value every few hours even if no router says another base. KAME: ND_RECALC_REACHTM_INTERVAL. */
const REDRAW_INTERVAL = 2 * 60 * 60 * 1000;

/** How long a neighbor counts as reachable, in milliseconds: 0.5..1.5 of the base (RFC 4861 10), drawn when first asked for. */
export function reachableTime(stack: Stack, ifp: Interface): number {
  const { nd } = ifp;
  const { now } = stack.clock;
  if (now >= nd.redrawAt || nd.drawnFrom !== nd.baseReachableTime) {
    nd.reachableTime = Math.round(uniform(stack.neighbors.random, 0.5, 1.5) * nd.baseReachableTime);
    nd.drawnFrom = nd.baseReachableTime;
    nd.redrawAt = now + REDRAW_INTERVAL;
  }
  return nd.reachableTime;
}
