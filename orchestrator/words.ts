/** A command line as words, with sh's quotes; undefined when it needs a shell. */
export function plainWords(line: string): string[] | undefined {
  return /[|&;<>()$`\\*?[\]#~\n]/.test(line) ? undefined : splitWords(line);
}

/** Blanks part words; '...' and "..." keep them together. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  for (const [, single, double, bare] of line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g))
    words.push(single ?? double ?? bare!);
  return words;
}
