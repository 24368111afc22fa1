import { splitWords } from '#node/words.ts';

/** A command line as words, with sh's quotes; undefined when it needs a shell. */
export function plainWords(line: string): string[] | undefined {
  return /[|&;<>()$`\\*?[\]#~\n]/.test(line) ? undefined : splitWords(line);
}
