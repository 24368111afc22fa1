import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import { lastResortId } from './last-resort-id.ts';

/**
 * The last 64 bits of an interface's link-local address: from its own MAC (PP-01), from another interface's (PP-02), or on a node without
 * any from its name (PP-03). KAME: get_ifid.
 */
export function interfaceIdentifier(stack: Stack, ifp: Interface): Uint8Array {
  const mac = ifp.mac ?? stack.interfaces.find((other) => other?.mac !== undefined)?.mac;
  return mac === undefined ? lastResortId(stack.hostname) : Address.interfaceId(mac);
}
