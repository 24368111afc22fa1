/** A measured value on a line, with what the RFC allows shaded: a small picture, its words stand beside it. */
import type { Measurement } from '../outcome.ts';
import { type Html, html } from './html.ts';

const WIDTH = 160;
const HEIGHT = 18;

export function boundsBar({ value, min, max }: Measurement): Html | undefined {
  if ((min === undefined && max === undefined) || !Number.isFinite(value)) return undefined;
  const known = [value, min ?? value, max ?? value];
  const low = Math.min(0, ...known);
  const high = Math.max(...known);
  const room = (high - low || 1) * 1.15;
  const x = (at: number): number => Math.round((((at - low) / room) * (WIDTH - 12) + 6) * 10) / 10;
  const from = x(min ?? low);
  const to = max === undefined ? WIDTH - 2 : x(max);
  const inside = within({ value, min, max });
  return html`<svg class="bar" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">
<line class="axis" x1="2" y1="9" x2="${WIDTH - 2}" y2="9"/><rect class="allowed" x="${from}" y="4" width="${Math.max(2, to - from)}" height="10" rx="2"/>
<path class="${inside ? 'value' : 'value outside'}" d="M${x(value)} 1v16"/></svg>`;
}

export const within = ({
  value,
  min,
  max,
}: {
  readonly value: number;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}): boolean => value >= (min ?? Number.NEGATIVE_INFINITY) && value <= (max ?? Number.POSITIVE_INFINITY);
