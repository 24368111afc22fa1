import { isIPv4, isIPv6 } from 'node:net';

/** An IPv4 or IPv6 address as bytes, or a clear error. */
export function addressBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  if (!isIPv6(text) || text.includes('%')) throw new TypeError(`'${text}' is not an IPv4 or IPv6 address`);
  const bytes = new Uint8Array(16);
  const [head, tail] = text.split('::', 2) as [string, string | undefined];
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  bytes.set(front, 0);
  bytes.set(back, 16 - back.length);
  return bytes;
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** As RFC 5952 writes it. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let at = 0;
  let length = 1; // one zero word alone is not shortened
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && words[end] === 0) end++;
    if (end - i > length) [at, length] = [i, end - i];
  }
  const hex = (part: number[]): string => part.map((word) => word.toString(16)).join(':');
  return length === 1 ? hex(words) : `${hex(words.slice(0, at))}::${hex(words.slice(at + length))}`;
}

export interface Prefix {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** `2001:db8::/32`; without a slash the whole address. */
export function prefix(text: string): Prefix {
  const [address, bits, more] = text.split('/') as [string, string | undefined, string | undefined];
  const bytes = addressBytes(address);
  const most = bytes.length * 8;
  if (bits === undefined) return { bytes, length: most };
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (more !== undefined || !(length <= most))
    throw new RangeError(`'${text}': the prefix length must be 0 to ${most}`);
  return { bytes, length };
}

export function macBytes(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new TypeError(`'${text}' is not a MAC address`);
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
}

export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
