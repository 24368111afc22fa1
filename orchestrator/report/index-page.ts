/** The first page: what became of the run, the matrix, measured times, coverage. */
import { attributions } from '../attribution.ts';
import type { PastRun } from '../history.ts';
import { type CellResult, failingIn, type Outcome, type RunResult } from '../outcome.ts';
import { folderName } from '../results.ts';
import { changesSection, flakeSection } from './history-sections.ts';
import { type Html, html } from './html.ts';
import { measurementCells, measurementHeads } from './measurements.ts';
import { badge, OUTCOMES, outcomes } from './outcome-text.ts';
import { page } from './page.ts';
import { dateText, durationText, plural } from './text.ts';

/** `past`: earlier runs, the newest first. */
export function indexPage(run: RunResult, past: readonly PastRun[] = [], { benchmarks = false } = {}): string {
  const { cells } = run;
  return page({
    title: `kamelab: ${headline(run)}`,
    root: '',
    nav: html`<a href="#matrix">Matrix</a>${past.length > 0 && html`<a href="#flakes">History</a>`}<a href="#times">Times</a><a href="#coverage">Coverage</a>${benchmarks && html`<a href="bench.html">Benchmarks</a>`}`,
    body: [
      summary(run),
      attention(run),
      matrix(cells),
      changesSection(run, past),
      flakeSection(run, past),
      times(cells),
      coverage(cells),
    ],
    foot: `kamelab ${run.kamelab} · ${dateText(run.started)}`,
  });
}

const count = (cells: readonly CellResult[], ...wanted: readonly Outcome[]): number =>
  cells.filter(({ outcome }) => wanted.includes(outcome)).length;

/** In words; what passes against expectation did not fail. */
export function headline({ cells, ...run }: Pick<RunResult, 'cells' | 'allowed' | 'planned'>): string {
  const failed = count(cells, ...failingIn(run).filter((outcome) => outcome !== 'now-passing'));
  const news = failingIn(run).includes('now-passing') ? count(cells, 'now-passing') : 0;
  const missing = (run.planned?.length ?? 0) - cells.length;
  const rest = [
    ...(news > 0 ? [`${plural(news, 'known failure')} passed`] : []),
    ...(missing > 0 ? [`${plural(missing, 'cell')} not reached`] : []),
  ];
  return [verdict(cells, failed), ...rest].join(', ');
}

function verdict(cells: readonly CellResult[], failed: number): string {
  if (cells.length === 0) return 'no cell has finished';
  if (failed > 0) return `${failed} of ${plural(cells.length, 'cell')} failed`;
  const passed = count(cells, 'pass', 'now-passing');
  return passed === cells.length
    ? `all ${plural(passed, 'cell')} passed`
    : `${passed} of ${plural(cells.length, 'cell')} passed, none failed`;
}

function summary(run: RunResult): Html {
  const { started, duration, host, kamelab, cells } = run;
  const present = outcomes.filter((outcome) => count(cells, outcome) > 0);
  const text = headline(run);
  return html`<section class="summary">
<p class="kicker">Interoperability run</p>
<h1>${text[0]!.toUpperCase()}${text.slice(1)}</h1>
<div class="share" aria-hidden="true">${present.map((outcome) => html`<span class="fill ${outcome}" style="flex-grow:${count(cells, outcome)}"></span>`)}</div>
<ul class="totals">${present.map((outcome) => html`<li><strong>${count(cells, outcome)}</strong>${badge(outcome)}<small>${OUTCOMES[outcome].meaning}</small></li>`)}</ul>
<dl class="facts"><div><dt>Date</dt><dd>${dateText(started)}</dd></div><div><dt>Took</dt><dd>${durationText(duration)}</dd></div><div><dt>kamelab</dt><dd>${kamelab}</dd></div>
${Object.entries(host).map(([name, value]) => html`<div><dt>${name === 'name' ? 'host' : name}</dt><dd>${value}</dd></div>`)}
<div><dt>Files</dt><dd><a href="results.json">results.json</a>, <a href="junit.xml">junit.xml</a></dd></div></dl>
</section>`;
}

const link = (cell: CellResult, text: Html | string): Html =>
  html`<a href="cells/${folderName(cell.id)}.html">${text}</a>`;

function attention({ cells, ...run }: RunResult): Html | undefined {
  const failing = cells.filter(({ outcome }) => failingIn(run).includes(outcome));
  const hints = attributions(cells);
  const { notes = [] } = run;
  if (failing.length + hints.length + notes.length === 0) return undefined;
  return html`<section><h2>To look at</h2>${hints.length > 0 && html`<ul class="hints">${hints.map(({ text }) => html`<li>${text}.</li>`)}</ul>`}${notes.length > 0 && html`<ul class="hints">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}<ul class="attention">${failing.map(
    (cell) =>
      html`<li class="${cell.outcome}">${badge(cell.outcome)} ${link(cell, cell.id)}<p>${cell.reason.split('\n')[0]}</p></li>`,
  )}</ul></section>`;
}

const cast = ({ roles }: CellResult): string => Object.values(roles).join('-');

function matrix(cells: readonly CellResult[]): Html {
  const scenarios = [...Map.groupBy(cells, ({ scenario }) => scenario).values()];
  return html`<section id="matrix"><h2>Matrix</h2>
<p class="lead">A row is a variant of the scenario under one driver, a column says which implementation plays which role.</p>
${scenarios.map(scenarioTable)}</section>`;
}

function scenarioTable(cells: readonly CellResult[]): Html {
  const { scenario, title, roles, references } = cells[0]!;
  const casts = [...Map.groupBy(cells, cast)].map(([name, [cell]]) => ({ name, roles: cell!.roles }));
  const rows = [...Map.groupBy(cells, ({ variant, driver }) => `${variant} ${driver}`).values()];
  return html`<article class="scenario" id="scenario-${scenario}"><h3>${title}</h3>
<p class="sub"><code>${scenario}</code> · roles ${Object.keys(roles).join(', ')}${references.length > 0 && ` · ${references.join(', ')}`}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Matrix of ${title}"><table class="matrix"><thead><tr><th scope="col">Variant</th><th scope="col">Driver</th>
${casts.map((each) => html`<th scope="col" title="${rolesText(each.roles)}">${each.name}</th>`)}</tr></thead><tbody>
${rows.map((row) => html`<tr><th scope="row">${row[0]!.variant}</th><th scope="row">${row[0]!.driver}</th>${casts.map(({ name }) => matrixCell(row.find((cell) => cast(cell) === name)))}</tr>`)}
</tbody></table></div></article>`;
}

const rolesText = (roles: CellResult['roles']): string =>
  Object.entries(roles)
    .map(([role, kind]) => `${role}: ${kind}`)
    .join(', ');

function matrixCell(cell: CellResult | undefined): Html {
  if (cell === undefined) return html`<td class="none"><span aria-label="no such cell">·</span></td>`;
  const { outcome, reason, duration, id } = cell;
  return html`<td class="cell ${outcome}"><a href="cells/${folderName(id)}.html" title="${reason === '' ? id : `${id}: ${reason.split('\n')[0]}`}">${badge(outcome)}<small>${durationText(duration)}</small></a></td>`;
}

function times(cells: readonly CellResult[]): Html {
  const measured = cells.filter(({ measurements }) => measurements.length > 0);
  const rows = [...Map.groupBy(measured, ({ scenario }) => scenario).values()].map((group) => {
    const names = [...new Set(group.flatMap(({ measurements }) => measurements.map(({ name }) => name)))];
    return html`<tbody><tr class="group"><th colspan="6" scope="rowgroup">${group[0]!.title}</th></tr>
${names.map((name) => group.map((cell) => cell.measurements.filter((each) => each.name === name).map((each) => html`<tr><th scope="row">${name}</th><td>${link(cell, `${cell.variant} ${cast(cell)} ${cell.driver}`)}</td>${measurementCells(each)}</tr>`)))}</tbody>`;
  });
  return html`<section id="times"><h2>Measured times</h2>
${
  rows.length === 0
    ? html`<p class="lead">No cell measured anything.</p>`
    : html`<p class="lead">What was measured beside what the RFC allows; the shaded part of the line is allowed, the mark is the value. Drivers in real time add their tolerance before they judge.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Measured times"><table class="times"><thead><tr><th scope="col">What</th><th scope="col">Cell</th>${measurementHeads}</tr></thead>${rows}</table></div>`
}</section>`;
}

function coverage(cells: readonly CellResult[]): Html {
  // a row of the feature list is about the kame stack: a cell without one proves nothing of it
  const kame = cells.filter(({ roles }) => Object.values(roles).includes('kame'));
  return html`<section id="coverage"><h2>Coverage</h2>
<div class="columns">${coverageTable('Features of the kame stack', 'Row', kame, ({ features }) => features)}${coverageTable('Sections of RFCs', 'Section', cells, ({ references }) => references)}</div></section>`;
}

function coverageTable(
  title: string,
  what: string,
  cells: readonly CellResult[],
  of: (cell: CellResult) => readonly string[],
): Html {
  const names = [...new Set(cells.flatMap(of))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const row = (name: string): Html => {
    const about = cells.filter((cell) => of(cell).includes(name));
    const passed = count(about, 'pass', 'now-passing');
    const judged = about.length - count(about, 'unsupported', 'inconclusive');
    const state =
      passed > 0 && passed === judged ? 'proven' : passed > 0 ? 'in part' : judged > 0 ? 'not proven' : 'not judged';
    const scenarios = [...new Set(about.map(({ scenario }) => scenario))];
    return html`<tr><th scope="row">${name}</th><td><span class="state ${state.replace(' ', '-')}">${state}</span></td><td class="figure">${passed} of ${plural(judged, 'cell')}</td><td>${scenarios.map((scenario, at) => html`${at > 0 && ', '}<a href="#scenario-${scenario}">${scenario}</a>`)}</td></tr>`;
  };
  return html`<div><h3>${title}</h3>${
    names.length === 0
      ? html`<p class="lead">None.</p>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table><thead><tr><th scope="col">${what}</th><th scope="col">State</th><th scope="col" class="figure">Passed</th><th scope="col">Scenarios</th></tr></thead><tbody>${names.map(row)}</tbody></table></div>`
  }</div>`;
}
