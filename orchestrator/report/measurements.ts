/** Measured values beside the bounds that the RFC gives. */
import type { Measurement } from '../outcome.ts';
import { beyond, boundsBar } from './bounds-bar.ts';
import { type Html, html } from './html.ts';
import { boundsText, valueText } from './text.ts';

/** The columns of one measurement after its name. */
export function measurementCells(measurement: Measurement): Html {
  const { value, unit, min, max, source } = measurement;
  const off = beyond(measurement);
  const verdict =
    off !== 0 && html` <span class="beyond">${valueText(Math.abs(off), unit)} ${off > 0 ? 'over' : 'under'}</span>`;
  return html`<td class="figure">${valueText(value, unit)}${verdict}</td><td class="figure">${boundsText(min, max, unit)}</td><td class="picture">${boundsBar(measurement)}</td><td>${source}</td>`;
}

export const measurementHeads = html`<th scope="col" class="figure">Measured</th><th scope="col" class="figure">Allowed</th><th scope="col"><span class="hidden">Picture</span></th><th scope="col">Source</th>`;
