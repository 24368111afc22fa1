/** Command lines as getopt(3) reads them, and the two ways in which a tool ends early. */

/** The command line is wrong: the tool prints its usage and ends with 1, as BSD's do. */
export class UsageError extends Error {}

/** It can't be done: the tool prints `name: message` and ends with `code`. */
export class ToolError extends Error {
  readonly code: number;
  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

export interface Options {
  /** Letters given, without those that take an argument; `vv` counts twice. */
  count(letter: string): number;
  has(letter: string): boolean;
  /** The last argument of a letter. */
  value(letter: string): string | undefined;
  readonly operands: readonly string[];
}

/** `spec` as in getopt(3): letters, a colon behind those with an argument. Options end at the first operand or `--`. */
export function getopt(argv: readonly string[], spec: string): Options {
  const counts = new Map<string, number>();
  const values = new Map<string, string>();
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') {
      at++;
      break;
    }
    if (!/^-./.test(word)) break;
    for (let letterAt = 1; letterAt < word.length; letterAt++) {
      const letter = word[letterAt]!;
      const place = letter === ':' ? -1 : spec.indexOf(letter);
      if (place < 0) throw new UsageError(`illegal option -- ${letter}`);
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
      if (spec[place + 1] !== ':') continue;
      const argument = letterAt + 1 < word.length ? word.slice(letterAt + 1) : argv[++at];
      if (argument === undefined) throw new UsageError(`option requires an argument -- ${letter}`);
      values.set(letter, argument);
      break;
    }
  }
  return {
    count: (letter) => counts.get(letter) ?? 0,
    has: (letter) => counts.has(letter),
    value: (letter) => values.get(letter),
    operands: argv.slice(at),
  };
}

/** A whole number in a range; anything else ends the tool with a sentence that names `what`. */
export function integer(text: string, what: string, least = 0, most = 0xffff_ffff): number {
  const value = /^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw new ToolError(`${what} must be from ${least} to ${most}: ${text}`);
  return value;
}

/** Seconds with a fraction, in milliseconds. */
export function seconds(text: string, what: string): number {
  const value = /^[0-9]*\.?[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw new ToolError(`${what} must be a number of seconds: ${text}`);
  return value * 1000;
}
