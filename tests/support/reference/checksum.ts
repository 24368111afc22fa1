/** The slow twin of stack/wire/checksum.ts: RFC 1071 by the byte. */

/** One's complement sum of 16-bit words, an odd last byte padded with zero. */
export function slowSum(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at++) {
    sum += at % 2 === 0 ? bytes[at]! * 256 : bytes[at]!;
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

/** What the checksum field of an upper-layer message is to hold while it is zero there (RFC 8200 §8.1). */
export function slowTransport6(
  source: ArrayLike<number>,
  destination: ArrayLike<number>,
  message: ArrayLike<number>,
  nextHeader: number,
): number {
  const length = message.length;
  const lengthBytes = [length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
  const all = [
    ...Array.from(source),
    ...Array.from(destination),
    ...lengthBytes,
    0,
    0,
    0,
    nextHeader,
    ...Array.from(message),
  ];
  return 0xffff - slowSum(all);
}
