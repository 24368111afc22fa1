import { randomBytes, randomFillSync } from 'node:crypto';
import type { Random } from '#stack/env/random.ts';

/** The system's randomness. Four bytes at a time would cost a system call each, so they are drawn in blocks. */
export class RealRandom implements Random {
  #block = Buffer.alloc(0);
  #at = 0;

  u32(): number {
    if (this.#at + 4 > this.#block.length) {
      this.#block = randomBytes(1024);
      this.#at = 0;
    }
    this.#at += 4;
    return this.#block.readUInt32LE(this.#at - 4);
  }

  bytes(into: Uint8Array): void {
    randomFillSync(into);
  }

  fork(): Random {
    return this;
  }
}
