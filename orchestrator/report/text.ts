/** Figures as people read them. */

/** `1.25 s`, `340 ms`, `0.4 ms`. */
export function durationText(milliseconds: number): string {
  const size = Math.abs(milliseconds);
  if (size >= 120_000) return `${trimmed(milliseconds / 60_000, 1)} min`;
  if (size >= 1000) return `${trimmed(milliseconds / 1000, size < 10_000 ? 2 : 1)} s`;
  return `${trimmed(milliseconds, size < 10 ? 2 : size < 100 ? 1 : 0)} ms`;
}

export function valueText(value: number, unit: string): string {
  if (unit === 'ms') return durationText(value);
  return `${trimmed(value, Number.isInteger(value) ? 0 : 3)}${unit === '' ? '' : ` ${unit}`}`;
}

export function boundsText(min: number | undefined, max: number | undefined, unit: string): string {
  if (min !== undefined && min === max) return `exactly ${valueText(min, unit)}`;
  if (min !== undefined && max !== undefined) return `${valueText(min, unit)} – ${valueText(max, unit)}`;
  if (min !== undefined) return `at least ${valueText(min, unit)}`;
  return max === undefined ? '' : `at most ${valueText(max, unit)}`;
}

/** Lab time in seconds, aligned: `12.0340`. */
export const clockText = (milliseconds: number): string => (milliseconds / 1000).toFixed(4);

/** `2026-11-20 17:28:50 UTC`. */
export const dateText = (time: number): string =>
  new Date(time)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, ' UTC');

/** `+50 %` of a part of 0.5. */
export const percentText = (change: number): string =>
  Number.isFinite(change) ? `${change > 0 ? '+' : ''}${(change * 100).toFixed(0)} %` : 'from none';

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

export const bytesText = (bytes: number): string =>
  bytes < 1024
    ? `${bytes} B`
    : bytes < 2 ** 20
      ? `${trimmed(bytes / 1024, 1)} KiB`
      : `${trimmed(bytes / 2 ** 20, 1)} MiB`;

const trimmed = (value: number, digits: number): string =>
  digits === 0 ? value.toFixed(0) : value.toFixed(digits).replace(/\.?0+$/, '');
