/**
 * Addresses as a KAME administrator types and reads them: `fe80::1%tap0`, the zone a name or a number (RFC 4007 11).
 *
 * The form with the zone inside (`fe80:1::1`) is the kernel's own and is refused here (KAME note 1.3.3).
 */
import * as Ip6 from '#stack/wire/address.ts';
import type { InterfaceInfo, Kernel, ScopedAddress } from '../system.ts';
import { ToolError } from './options.ts';

/** An address, or the end of the tool. A zone is given back as an interface name. */
export function parseAddress(kernel: Kernel, text: string): ScopedAddress {
  const scoped = Ip6.parseScoped(text);
  if (scoped === undefined) throw new ToolError(`${text}: not an IPv6 address`);
  const { address, zone } = scoped;
  const view = Ip6.viewOf(address);
  if (Ip6.hasEmbeddedZone(view, 0)) {
    throw new ToolError(`${text}: a zone stands behind the address, as in fe80::1%tap0, not inside`);
  }
  if (zone === undefined) return { address, zone: '' };
  if (!isZoned(address)) throw new ToolError(`${text}: the address has no zone`);
  return { address, zone: interfaceOf(kernel, zone, text).name };
}

/** `address/length` or `address`, for which `length` (128) stands in. */
export function parsePrefix(kernel: Kernel, text: string): ScopedAddress & { prefixLength: number | undefined } {
  const match = /^([^/%]+)(%[^/]+)?(?:\/([0-9]{1,3})(%.+)?)?$/.exec(text);
  if (match === null) throw new ToolError(`${text}: not an IPv6 prefix`);
  const prefixLength = match[3] === undefined ? undefined : Number(match[3]);
  if (prefixLength !== undefined && prefixLength > 128) throw new ToolError(`${text}: a prefix has 0 to 128 bits`);
  return { ...parseAddress(kernel, match[1]! + (match[2] ?? match[4] ?? '')), prefixLength };
}

export function formatAddress({ address, zone }: ScopedAddress): string {
  return Ip6.formatScoped(address, zone !== '' && isZoned(address) ? zone : undefined);
}

/** As netstat -r writes a destination: `default`, `fe80::%tap0/64`, `2001:db8::1`. */
export function formatPrefix(prefix: ScopedAddress, prefixLength: number): string {
  if (prefixLength === 0) return 'default';
  const text = formatAddress(prefix);
  return prefixLength === 128 ? text : `${text}/${prefixLength}`;
}

/** It means nothing without its zone, and text with a zone is of use for it. */
export function isZoned(address: Uint8Array): boolean {
  return Ip6.isLinkScoped(Ip6.viewOf(address), 0);
}

/** For sorting. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  for (let byte = 0; byte < 16; byte++) if (a[byte] !== b[byte]) return a[byte]! - b[byte]!;
  return 0;
}

/** By name or by number. */
function interfaceOf(kernel: Kernel, zone: string, text: string): InterfaceInfo {
  const all = kernel.interfaces();
  const found = all.find(({ name }) => name === zone) ?? all.find(({ index }) => String(index) === zone);
  if (found === undefined) throw new ToolError(`${text}: no interface ${zone}`);
  return found;
}
