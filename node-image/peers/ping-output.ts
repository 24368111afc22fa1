/** What every ping prints alike, from Berkeley on. */

export function sentAndReceived(output: string): { sent: number; received: number } {
  const found = /(\d+) packets transmitted, (\d+) (?:packets )?received/.exec(output);
  return { sent: Number(found?.[1] ?? 0), received: Number(found?.[2] ?? 0) };
}

/** Milliseconds of each reply. */
export function pingTimes(output: string): number[] {
  return [...output.matchAll(/time[=<]([\d.]+) ms/g)].map(([, time]) => Number(time));
}
