/** Blanks part words; '...' and "..." keep them together. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  for (const [, single, double, bare] of line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g))
    words.push(single ?? double ?? bare!);
  return words;
}
