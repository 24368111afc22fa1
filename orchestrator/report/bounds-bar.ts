/** A measured value on a line, with what the RFC allows shaded: a small picture, its words stand beside it. */
import type { Measurement } from '../outcome.ts';
import { type Html, html } from './html.ts';

const WIDTH = 160;
const HEIGHT = 18;

export function boundsBar(measurement: Measurement): Html | undefined {
  const { value, min, max } = measurement;
  if ((min === undefined && max === undefined) || !Number.isFinite(value)) return undefined;
  const known = [value, min ?? value, max ?? value];
  const low = Math.min(0, ...known);
  const high = Math.max(...known);
  const room = (high - low || 1) * 1.15;
  const x = (at: number): number => Math.round((((at - low) / room) * (WIDTH - 12) + 6) * 10) / 10;
  // a single value that is allowed is to be seen, too
  const from = x(min ?? low) - 3;
  const to = (max === undefined ? WIDTH - 5 : x(max)) + 3;
  const inside = beyond(measurement) === 0;
  return html`<svg class="bar" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">
<line class="axis" x1="2" y1="9" x2="${WIDTH - 2}" y2="9"/><rect class="allowed" x="${from}" y="4" width="${to - from}" height="10" rx="2"/>
<path class="${inside ? 'value' : 'value outside'}" d="M${x(value)} 1v16"/></svg>`;
}

/** How far a value lies above its bounds and the world's tolerance, or (negative) below; 0: within. */
export function beyond({
  value,
  min,
  max,
  tolerance = 0,
}: Pick<Measurement, 'value' | 'min' | 'max' | 'tolerance'>): number {
  if (max !== undefined && value > max + tolerance) return value - max;
  return min !== undefined && value < min - tolerance ? value - min : 0;
}
