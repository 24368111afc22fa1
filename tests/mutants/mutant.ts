/** A fault to be planted in the stack: one exact text in one file, replaced as the file is loaded. The tree is not touched. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const STACK = join(import.meta.dirname, '../../stack');

/** Exit code of a process that did not load the mutant's file. */
export const NOT_PLANTED = 70;

export interface Mutant {
  readonly id: string;
  /** Below `stack/`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** What is broken: `RFC 4861 7.1.1: hop limit 255`. */
  readonly rule: string;
  /** The scenario that is to find it out, or, where none can, the unit test and why. */
  readonly by: string | Unseen;
}

/** No scenario can see it: implementations that keep to the rules never provoke it. */
export interface Unseen {
  /** Below `tests/`. */
  readonly test: string;
  readonly why: string;
}

/** The file with the fault in it. */
export function planted({ id, file, find, replace }: Mutant, source: string): string {
  const places = source.split(find).length - 1;
  if (places === 1) return source.replace(find, () => replace);
  throw new Error(`mutant '${id}' is stale: its text occurs ${places} times in stack/${file}, not once: ${find}`);
}

/** Throws, naming it, if the stack has moved on from under it. */
export function check(mutant: Mutant): void {
  const path = join(STACK, mutant.file);
  if (!existsSync(path)) throw new Error(`mutant '${mutant.id}' is stale: there is no stack/${mutant.file}`);
  planted(mutant, readFileSync(path, 'utf8'));
}
