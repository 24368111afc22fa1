/** Benchmarks over time: each figure of the kame stack as a share of the Linux kernel's in the same run. */
import type { BenchRow, BenchRun } from '../bench-history.ts';
import { type Html, html } from './html.ts';
import { page } from './page.ts';
import { plots, runsPlot, siText } from './plot.ts';
import { dateText, plural } from './text.ts';

/** Runs drawn, and runs listed. */
const DRAWN = 200;
const LISTED = 30;

interface Point {
  readonly run: BenchRun;
  readonly row: BenchRow;
  readonly ratio: number;
}

export function benchPage(history: readonly BenchRun[]): string {
  const runs = history.slice(-DRAWN);
  const last = runs.at(-1)!;
  return page({
    title: 'kamelab: benchmarks',
    root: '',
    nav: html`<a href="index.html#matrix">Matrix</a><a href="#ratios">Ratios</a><a href="#runs">Runs</a>`,
    body: [summary(history, last), ratios(runs), table(runs)],
    foot: `${plural(history.length, 'run')} · last on ${dateText(Date.parse(last.date))}`,
  });
}

function summary(history: readonly BenchRun[], last: BenchRun): Html {
  const fact = (name: string, value: string) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<section class="summary"><p class="kicker">Benchmarks</p><h1>The kame stack beside the Linux kernel</h1>
<p>Both on the same kind of links of the same machine in the same run: the ratio tells of the code, the figures by themselves of the machine, too.</p>
<dl class="facts">${fact('Runs', `${history.length}`)}${fact('Last', dateText(Date.parse(last.date)))}${fact('Commit', commitText(last))}${fact('Kernel', last.kernel)}${fact('node', last.node)}${fact('Processors', `${last.processors} × ${last.processor}`)}</dl></section>`;
}

const commitText = ({ commit, changed = false }: BenchRun): string =>
  commit === undefined ? '' : `${commit.slice(0, 10)}${changed ? ', changed' : ''}`;

/** Of a rate more is better, of a time less. */
const isRate = ({ unit }: BenchRow): boolean => unit.endsWith('/s');

function figures(runs: readonly BenchRun[]): Map<string, Point[]> {
  const points = runs.flatMap((run) =>
    run.rows
      .filter(({ kame, linux }) => kame > 0 && linux > 0)
      .map((row): Point & { name: string } => ({ name: nameOf(run, row), run, row, ratio: row.kame / row.linux })),
  );
  return Map.groupBy(points, ({ name }) => name);
}

/** The benchmark is named only where its test does not say it. */
const nameOf = ({ bench }: BenchRun, { test, bytes }: BenchRow): string =>
  `${bench === 'forward' ? '' : `${bench}: `}${test}, ${bytes} bytes`;

const ratioText = (ratio: number): string => `${Number(ratio.toPrecision(ratio < 0.1 ? 1 : 2))} ×`;
const valueText = ({ unit }: BenchRow, value: number): string =>
  unit.endsWith('/s') ? `${siText(value, '')} ${unit}` : `${Number(value.toPrecision(3))} ${unit}`;

function ratios(runs: readonly BenchRun[]): Html {
  return html`<section id="ratios"><h2>Ratio to the kernel, run by run</h2><p class="lead">The line at 1 is the kernel. Of rates more is better, of times less.</p>${plots(
    [...figures(runs)].map(([name, points]) => {
      const { row, ratio } = points.at(-1)!;
      return runsPlot({
        title: name,
        note: `last ${ratioText(ratio)}, ${isRate(row) ? 'more' : 'less'} is better`,
        dots: points.map(({ run, row, ratio }) => ({
          value: ratio,
          text: `${dateText(Date.parse(run.date))}${run.commit === undefined ? '' : `, ${commitText(run)}`}: kame ${valueText(row, row.kame)}, Linux ${valueText(row, row.linux)}, ${ratioText(ratio)}`,
        })),
        mark: { value: 1, text: 'Linux' },
        ends: [dayOf(points[0]!), dayOf(points.at(-1)!)],
        yText: (value) => `${value} ×`,
      });
    }),
  )}</section>`;
}

const dayOf = ({ run }: Point): string => run.date.slice(0, 10);

function table(runs: readonly BenchRun[]): Html {
  const names = [...figures(runs).keys()];
  const cell = (run: BenchRun, name: string): Html => {
    const row = run.rows.find((each) => nameOf(run, each) === name);
    return row === undefined
      ? html`<td></td>`
      : html`<td class="figure">${valueText(row, row.kame)}<br><small>${valueText(row, row.linux)}</small></td>`;
  };
  return html`<section id="runs"><h2>Runs</h2><p class="lead">The latest first; kame above, Linux below.</p><div class="scroll" tabindex="0" role="region" aria-label="Runs"><table class="runs"><thead><tr><th scope="col">Date</th><th scope="col">Commit</th>${names.map((name) => html`<th scope="col" class="figure">${name}</th>`)}</tr></thead><tbody>
${runs
  .slice(-LISTED)
  .reverse()
  .map(
    (run) =>
      html`<tr><th scope="row" class="date">${dateText(Date.parse(run.date))}</th><td><code>${commitText(run)}</code></td>${names.map((name) => cell(run, name))}</tr>`,
  )}</tbody></table></div></section>`;
}
