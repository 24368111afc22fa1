/** One stream of chance for each fault, so that taking one away does not change what befalls the others. */
export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** The same seed and name, the same stream (sfc32). */
  constructor(seed: number, name: string) {
    let hash = 0x811c9dc5 ^ (seed >>> 0);
    for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
    this.#a = hash >>> 0;
    this.#b = 0x9e3779b9;
    this.#c = seed >>> 0;
    for (let round = 0; round < 12; round++) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  }

  /** A whole number in 0..count-1. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }
}
