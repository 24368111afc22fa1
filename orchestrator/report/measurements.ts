/** Measured values beside the bounds that the RFC gives. */
import type { Measurement } from '../outcome.ts';
import { boundsBar, within } from './bounds-bar.ts';
import { type Html, html } from './html.ts';
import { boundsText, valueText } from './text.ts';

/** The columns of one measurement after its name. */
export function measurementCells(measurement: Measurement): Html {
  const { value, unit, min, max, source } = measurement;
  const bounded = min !== undefined || max !== undefined;
  const verdict = bounded && !within(measurement) && html` <span class="outside">outside</span>`;
  return html`<td class="figure">${valueText(value, unit)}${verdict}</td><td class="figure">${boundsText(min, max, unit)}</td><td class="picture">${boundsBar(measurement)}</td><td>${source}</td>`;
}

export const measurementHeads = html`<th scope="col" class="figure">Measured</th><th scope="col" class="figure">Allowed</th><th scope="col"><span class="hidden">Picture</span></th><th scope="col">Source</th>`;
