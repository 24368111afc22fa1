/**
 * What goes over a node's control socket: lines of JSON. A connection makes one request, its first line.
 *
 *   run: argv          -> out, error ..., exit      meanwhile the client may send input and signal; hanging up ends the program
 *   programs: true     -> programs                  names that `run` knows
 *   state: true        -> state
 *   metrics: true      -> metrics                   counters as Prometheus text
 *   events: true       -> event ...                 until the client hangs up; with `drops: true` lost packets, too
 *   connected: true    -> connected                 the devices of a node started with `hold: true` are in place
 */

import type { NodeState } from './node-state.ts';
import type { NodeEvent } from './node-trace.ts';

export type Request =
  | { readonly run: readonly string[]; readonly columns?: number; readonly cwd?: string }
  | { readonly programs: true }
  | { readonly state: true }
  | { readonly metrics: true }
  | { readonly events: true; readonly drops?: boolean }
  | { readonly connected: true };

/** Of the client of a running program. `input: null`: the end of standard input. */
export type ClientLine = { readonly input: string | null } | { readonly signal: 'SIGINT' | 'SIGTERM' };

export type ServerLine =
  | { readonly out: string }
  | { readonly error: string }
  /** The program wants standard input. */
  | { readonly reading: true }
  | { readonly exit: number }
  | { readonly programs: readonly string[] }
  | { readonly state: NodeState }
  | { readonly metrics: string }
  /** `time` is milliseconds since 1970 here. */
  | { readonly event: NodeEvent }
  | { readonly connected: true }
  /** The request was none of these. */
  | { readonly failed: string };
