/**
 * An interface identifier for a node without any MAC: the first 8 bytes of MD5 of its name, as KAME makes it. MD5 (RFC 1321) is
 * here for this alone; nothing secret depends on it. KAME: get_rand_ifid.
 */

/** Individual, and local: both bits are clear in an identifier (RFC 4291 2.5.1 inverts the universal bit). */
export function lastResortId(hostname: string): Uint8Array {
  const id = md5(new TextEncoder().encode(hostname)).slice(0, 8);
  id[0]! &= 0xfc;
  return id;
}

const SHIFTS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;
const SINES = Int32Array.from({ length: 64 }, (_, step) => Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32));

export function md5(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(((message.length + 8) & ~63) + 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const words = new DataView(padded.buffer);
  words.setUint32(padded.length - 8, message.length * 8, true);
  words.setUint32(padded.length - 4, Math.floor(message.length / 2 ** 29), true);
  const digest = new DataView(new ArrayBuffer(16));
  let [a, b, c, d] = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
  for (let block = 0; block < padded.length; block += 64) {
    const [wasA, wasB, wasC, wasD] = [a, b, c, d];
    for (let step = 0; step < 64; step++) {
      const round = step >> 4;
      const mixed =
        round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d);
      const word =
        round === 0 ? step : round === 1 ? (5 * step + 1) & 15 : round === 2 ? (3 * step + 5) & 15 : (7 * step) & 15;
      const sum = (a + mixed + SINES[step]! + words.getInt32(block + 4 * word, true)) | 0;
      const shift = SHIFTS[round]![step & 3]!;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    }
    a = (a + wasA) | 0;
    b = (b + wasB) | 0;
    c = (c + wasC) | 0;
    d = (d + wasD) | 0;
  }
  for (const [at, value] of [a, b, c, d].entries()) digest.setInt32(4 * at, value, true);
  return new Uint8Array(digest.buffer);
}
