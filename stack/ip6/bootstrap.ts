/**
 * What every node has before anybody configured it: lo0 up with ::1, fe80::1, ff01::1 and ff02::1 (RFC 4291 2.8, and KAME's
 * in6_ifattach_loopback), and reject routes for destinations that stand for an IPv4 address that must not be reached this way, as in KAME's start-up file.
 */
import { addRoute } from '../route/routes.ts';
import { RouteFlag } from '../route/table.ts';
import type { Stack } from '../stack.ts';
import { ALL_NODES, address, INTERFACE_LOCAL_ALL_NODES, LOOPBACK } from '../wire/address.ts';
import { addAddress } from './addresses.ts';

const REJECTED: readonly [prefix: string, length: number][] = [
  ['::', 96], // IPv4-compatible
  ['::ffff:0:0', 96], // IPv4-mapped
  // 6to4 of unspecified, private, loopback, multicast and broadcast IPv4 (RFC 3056 9)
  ['2002::', 24],
  ['2002:a00::', 24],
  ['2002:7f00::', 24],
  ['2002:ac10::', 28],
  ['2002:c0a8::', 32],
  ['2002:e000::', 20],
  ['2002:ff00::', 24],
  // link-local without a zone
  ['fe80::', 10],
];

export function bootstrap(stack: Stack): void {
  const { loopback } = stack;
  loopback.setUp(true);
  addAddress(stack, loopback, LOOPBACK, 128);
  addAddress(stack, loopback, address('fe80::1'), 64);
  stack.mld.join(loopback, INTERFACE_LOCAL_ALL_NODES);
  stack.mld.join(loopback, ALL_NODES);
  for (const [prefix, prefixLength] of REJECTED) {
    const flags = RouteFlag.static | RouteFlag.reject;
    addRoute(stack, { destination: address(prefix), prefixLength, gateway: LOOPBACK, interface: loopback, flags });
  }
}
