/** What the Docker Engine says of a container without a terminal: pieces of two streams, each behind 8 bytes (stream, three zeros, length). */

const HEADER = 8;
const STANDARD_ERROR = 2;

/** Takes bytes as they come; gives whole or partial pieces, with the stream they belong to. */
export class Demultiplexer {
  readonly #out: (bytes: Buffer) => void;
  readonly #error: (bytes: Buffer) => void;
  #header: Buffer = Buffer.alloc(0);
  #take: (bytes: Buffer) => void;
  #left = 0;

  constructor(out: (bytes: Buffer) => void, error: (bytes: Buffer) => void) {
    this.#out = out;
    this.#error = error;
    this.#take = out;
  }

  add(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#left === 0) {
        const wanted = HEADER - this.#header.length;
        this.#header = Buffer.concat([this.#header, rest.subarray(0, wanted)]);
        rest = rest.subarray(wanted);
        if (this.#header.length < HEADER) return;
        this.#take = this.#header[0] === STANDARD_ERROR ? this.#error : this.#out;
        this.#left = this.#header.readUInt32BE(4);
        this.#header = Buffer.alloc(0);
        continue;
      }
      const piece = rest.subarray(0, this.#left);
      this.#left -= piece.length;
      this.#take(piece);
      rest = rest.subarray(piece.length);
    }
  }
}
