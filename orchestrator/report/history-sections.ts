/** What the report tells of earlier runs: what is different since, and which cells do not always end the same. */
import { type Change, type Comparison, compare, isUnchanged } from '../compare.ts';
import { flakes, type PastRun, runBefore } from '../history.ts';
import type { CellResult, Outcome, RunResult } from '../outcome.ts';
import { folderName } from '../results.ts';
import { type Html, html } from './html.ts';
import { badge, OUTCOMES } from './outcome-text.ts';
import { dateText, percentText, plural, valueText } from './text.ts';

/** Rows of measured values, and of flaky cells. */
const ROWS = 30;

const toCell = (id: string): Html => html`<a href="cells/${folderName(id)}.html">${id}</a>`;

export function changesSection(run: RunResult, past: readonly PastRun[]): Html | undefined {
  const before = runBefore(run, past);
  if (before === undefined) return undefined;
  const found = compare(before.run, run);
  const since = html`the run of ${dateText(before.run.started)} (<code>${before.name}</code>)`;
  return html`<section id="changes"><h2>Since the run before</h2>
<p class="lead">${isUnchanged(found) ? html`Nothing is different from ${since} in ${plural(found.shared, 'cell')}.` : html`Compared with ${since}; ${plural(found.shared, 'cell')} are in both.`}</p>
${changeTable('Newly failing', found.newlyFailing)}${changeTable('Newly passing', found.newlyPassing)}${changeTable('Other outcomes that changed', found.changed)}${measurementTable(found)}${idList('Cells that were not there', found.added, true)}${idList('Cells that are gone or were not chosen', found.removed, false)}</section>`;
}

function changeTable(title: string, changes: readonly Change[]): Html | undefined {
  if (changes.length === 0) return undefined;
  return html`<h3>${title}</h3><div class="scroll" tabindex="0" role="region" aria-label="${title}"><table class="changes"><thead><tr><th scope="col">Cell</th><th scope="col">Before</th><th scope="col">Now</th><th scope="col">Reason</th></tr></thead><tbody>
${changes.map(({ id, before, after }) => html`<tr><th scope="row">${toCell(id)}</th><td>${badge(before.outcome)}</td><td>${badge(after.outcome)}</td><td class="reason">${after.reason.split('\n')[0]}</td></tr>`)}</tbody></table></div>`;
}

function measurementTable({ measurements }: Comparison): Html | undefined {
  if (measurements.length === 0) return undefined;
  const more = measurements.length > ROWS && html`<p class="lead">The ${ROWS} largest of ${measurements.length}.</p>`;
  return html`<h3>Measured values that changed</h3>${more}<div class="scroll" tabindex="0" role="region" aria-label="Measured values that changed"><table><thead><tr><th scope="col">What</th><th scope="col">Cell</th><th scope="col" class="figure">Before</th><th scope="col" class="figure">Now</th><th scope="col" class="figure">Change</th></tr></thead><tbody>
${measurements.slice(0, ROWS).map(({ id, name, unit, before, after, change }) => html`<tr><th scope="row">${name}</th><td>${toCell(id)}</td><td class="figure">${valueText(before, unit)}</td><td class="figure">${valueText(after, unit)}</td><td class="figure">${percentText(change)}</td></tr>`)}</tbody></table></div>`;
}

function idList(title: string, ids: readonly string[], here: boolean): Html | undefined {
  if (ids.length === 0) return undefined;
  return html`<details><summary>${title} <small>${ids.length}</small></summary><ul>${ids.map((id) => html`<li>${here ? toCell(id) : id}</li>`)}</ul></details>`;
}

export function flakeSection(run: RunResult, past: readonly PastRun[]): Html | undefined {
  const runs = [run, ...past.map((each) => each.run)];
  if (runs.length < 2) return undefined;
  const found = flakes(runs);
  const here = new Set(run.cells.map(({ id }: CellResult) => id));
  const lead =
    found.length === 0
      ? `Every cell ended the same in all of the last ${runs.length} runs.`
      : `Cells that did not end the same in each of the last ${runs.length} runs: where the signs alternate it is a flake, where they change once it is the code. The newest run comes first.`;
  return html`<section id="flakes"><h2>Flakes</h2><p class="lead">${lead}</p>${
    found.length > 0 &&
    html`<div class="scroll" tabindex="0" role="region" aria-label="Flakes"><table><thead><tr><th scope="col">Cell</th><th scope="col" class="figure">Odd</th><th scope="col">Outcomes</th></tr></thead><tbody>
${found.slice(0, ROWS).map(({ id, odd, judged, outcomes }) => html`<tr><th scope="row">${here.has(id) ? toCell(id) : id}</th><td class="figure">${odd} of ${judged}</td><td class="signs">${outcomes.map(signs)}</td></tr>`)}</tbody></table></div>`
  }</section>`;
}

/** One run's. */
function signs(outcomes: readonly Outcome[]): Html {
  const words = outcomes.map((outcome) => OUTCOMES[outcome].word).join(', then ');
  return html`<span title="${words}">${outcomes.map((outcome) => html`<b class="${outcome}">${OUTCOMES[outcome].sign}</b>`)}</span>`;
}
