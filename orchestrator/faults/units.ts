/** Amounts as people write them: `30ms`, `10mbit`, `1%`, `64kB`. Undefined: not one. */

const DURATIONS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const RATES: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };
const SIZES: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6 };

export const DURATION = /^\d+(\.\d+)?(us|ms|s|m|h)$/;
/** More than none. */
export const LASTING = /^(?!0+(\.0*)?[a-z])\d+(\.\d+)?(us|ms|s|m|h)$/;
export const RATE = /^(?!0+(\.0*)?[a-z])\d+(\.\d+)?(bit|kbit|mbit|gbit)$/;
export const SIZE = /^\d+(\.\d+)?(B|kB|MB)$/;
export const PERCENTAGE = /^(100(\.0+)?|\d{1,2}(\.\d+)?)%$/;

/** Milliseconds. */
export const milliseconds = (text: string): number => amount(text, DURATIONS);
/** Bits a millisecond. */
export const bitsPerMillisecond = (text: string): number => amount(text, RATES) / 1000;
export const bytes = (text: string): number => Math.round(amount(text, SIZES));
/** 0 to 1. */
export const share = (written: string | number): number =>
  typeof written === 'number' ? written : Number(written.slice(0, -1)) / 100;

/** What the schema let through has one of the units. */
function amount(text: string, units: Readonly<Record<string, number>>): number {
  const [, value, unit] = /^([\d.]+)([a-zA-Z]+)$/.exec(text)!;
  return Number(value) * units[unit!]!;
}

/** `1.234 ms` without more digits than mean something. */
export const timeText = (duration: number): string =>
  duration >= 1000 ? `${Number((duration / 1000).toFixed(3))} s` : `${Number(duration.toFixed(3))} ms`;
