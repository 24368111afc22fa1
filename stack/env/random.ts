/** Randomness, always passed in. Every part of a node has a stream of its own, so one part's draws never shift another's. */
export interface Random {
  /** Uniform in 0..2^32-1. */
  u32(): number;
  bytes(into: Uint8Array): void;
  /** An independent stream; the same name of the same parent gives the same stream. */
  fork(name: string): Random;
}

/** Uniform in [low, high). */
export function uniform(random: Random, low: number, high: number): number {
  return low + (random.u32() / 0x1_0000_0000) * (high - low);
}

/** Seeded and reproducible (sfc32); not for keys. The real node seeds it from the system's entropy. */
export class SeededRandom implements Random {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#a = this.#seed;
    this.#b = 0x9e3779b9;
    this.#c = 0x243f6a88;
    for (let round = 0; round < 12; round++) this.u32();
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  bytes(into: Uint8Array): void {
    for (let at = 0; at < into.length; at++) into[at] = this.u32() >>> 24;
  }

  fork(name: string): Random {
    let hash = 0x811c9dc5 ^ this.#seed;
    for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
    return new SeededRandom(hash);
  }
}
