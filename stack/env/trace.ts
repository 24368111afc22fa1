import type { Packet } from '../packet/packet.ts';

/** What a node says of itself as it runs. Addresses are text, `%zone` included. */
export type TraceEvent =
  | { type: 'neighbor'; interface: string; address: string; from: string; to: string; linkAddress: string | undefined }
  | { type: 'dad'; interface: string; address: string; result: 'started' | 'unique' | 'duplicate' }
  | { type: 'interface'; interface: string; change: 'up' | 'down' | 'carrier' | 'no-carrier' | 'disabled' | 'enabled' }
  | { type: 'address'; interface: string; address: string; change: 'added' | 'removed' | 'deprecated' }
  | { type: 'route'; destination: string; gateway: string; interface: string; change: 'added' | 'removed' | 'changed' }
  | { type: 'log'; message: string };

/**
 * Where a node tells what happens. Absent while tracing is off: callers write `if (trace) trace.event(...)`, so nothing
 * is formatted for nobody.
 */
export interface Trace {
  event(event: TraceEvent): void;
  /** A packet is about to be dropped, for the counter `protocol.counter`. The packet is only lent. */
  dropped(pkt: Packet, protocol: string, counter: string): void;
}
