/** The page of one cell: its verdict, and everything that the verdict rests on. */
import { loadText } from '../load.ts';
import type { Attempt, CellResult } from '../outcome.ts';
import { folderName } from '../results.ts';
import { type Html, html } from './html.ts';
import { FRAMES, ladder } from './ladder.ts';
import { measurementCells, measurementHeads } from './measurements.ts';
import { type CellMetrics, metricsSection } from './metrics-section.ts';
import { badge, OUTCOMES } from './outcome-text.ts';
import { page } from './page.ts';
import { bytesText, clockText, dateText, durationText, plural } from './text.ts';
import type { Entry, Timeline } from './timeline.ts';
import { type LabShape, topologyPicture } from './topology-picture.ts';

/** What lies in the case folder, as far as it could be read. */
export interface CaseFiles {
  readonly timeline: Timeline | undefined;
  readonly lab: LabShape | undefined;
  readonly metrics: CellMetrics | undefined;
  readonly outputs: readonly NodeOutput[];
  /** Relative to the case folder. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

export interface NodeOutput {
  readonly node: string;
  readonly title: string;
  readonly text: string;
  readonly path: string;
}

export interface Neighbors {
  readonly before: CellResult | undefined;
  readonly after: CellResult | undefined;
}

/** Rows of the time line on the page; timeline.json has more. */
const ROWS = 2000;
/** Nodes of a lab that is drawn whole, and nodes that are drawn at most. */
const SMALL = 8;
const PICTURED = 24;
/** Checks that fit on the page without a window of their own. */
const CHECKS = 14;
/** Characters of one output on the page. */
const OUTPUT = 64_000;

export function cellPage(cell: CellResult, files: CaseFiles, { before, after }: Neighbors): string {
  const step = (to: CellResult | undefined, text: string) =>
    to && html`<a href="${folderName(to.id)}.html" title="${to.id}">${text}</a>`;
  return page({
    title: `${OUTCOMES[cell.outcome].word}: ${cell.id}`,
    root: '../',
    nav: html`<a href="../index.html#scenario-${cell.scenario}">Matrix</a>${step(before, '← Before')}${step(after, 'Next →')}`,
    body: [
      verdict(cell),
      attempts(cell),
      checks(cell),
      measurements(cell),
      ladderSection(files),
      timelineSection(cell, files),
      files.metrics && metricsSection(files.metrics, files.timeline),
      topologySection(files),
      outputs(cell, files),
      downloads(cell, files),
    ],
    foot: `${cell.id} · ${dateText(cell.started)}`,
    filter: true,
  });
}

function verdict(cell: CellResult): Html {
  const { id, title, description, outcome, reason, roles, versions, seed, variant, driver, started, duration } = cell;
  const [first = '', ...rest] = reason.split('\n');
  const more = rest.join('\n').trim();
  const fact = (name: string, value: Html | string) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  return html`<section class="summary">
<p class="kicker"><code>${id}</code></p>
<h1>${title}</h1>
<p>${description}</p>
<p class="verdict ${outcome}">${badge(outcome)}<span>${first === '' ? OUTCOMES[outcome].meaning : first}</span></p>
${more !== '' && html`<details><summary>Whole reason</summary><pre>${more}</pre></details>`}
<dl class="facts">${Object.entries(roles).map(([role, kind]) => fact(`role ${role}`, kind))}${fact('Variant', variant)}${fact('Driver', driver)}${fact('Seed', `${seed}`)}${fact('Began', dateText(started))}${fact('Took', durationText(duration))}${cell.load && fact('Machine', loadText(cell.load))}
${Object.entries(versions).map(([name, version]) => fact(name, version))}${cell.references.length > 0 && fact('Judged by', cell.references.join(', '))}${cell.features.length > 0 && fact('Features', cell.features.join(', '))}</dl>
<p class="again">Run it again <code>npx kamelab run ${id} --seed ${seed}</code></p>
</section>`;
}

/** The last is the one that this page tells of. */
function attempts({ attempts = [] }: CellResult): Html | undefined {
  if (attempts.length === 0) return undefined;
  const row = ({ outcome, reason, started, duration, folder }: Attempt, at: number): Html => {
    const number =
      at < attempts.length - 1 ? html`<a href="${folder.split('/').at(-1)!}.html">${at + 1}</a>` : `${at + 1}`;
    return html`<tr><th scope="row">${number}</th><td>${badge(outcome)}</td><td>${dateText(started)}</td><td class="figure">${durationText(duration)}</td><td class="reason">${reason.split('\n')[0]}</td></tr>`;
  };
  return html`<section id="attempts"><h2>Attempts</h2><p class="lead">It was run again; the first attempt has a page of its own, the last is told here.</p><div class="scroll" tabindex="0" role="region" aria-label="Attempts"><table><thead><tr><th scope="col">Attempt</th><th scope="col">Outcome</th><th scope="col">Began</th><th scope="col" class="figure">Took</th><th scope="col">Reason</th></tr></thead><tbody>
${attempts.map(row)}</tbody></table></div></section>`;
}

function checks({ checks }: CellResult): Html {
  const bad = checks.filter(({ ok }) => !ok).length;
  const told =
    checks.length === 0
      ? 'Nothing was judged.'
      : `${plural(checks.length, 'expectation')}, ${bad === 0 ? 'all held' : `${bad} did not hold`}.`;
  return html`<section id="checks"><h2>Checks</h2><p class="lead">${told}</p>${
    checks.length > 0 &&
    html`<div class="${checks.length > CHECKS ? 'scroll tall' : 'scroll'}" tabindex="0" role="region" aria-label="Checks"><table class="checks"><thead><tr><th scope="col" class="figure">Second</th><th scope="col">Held</th><th scope="col">Expectation</th></tr></thead><tbody>
${checks.map(({ time, text, ok, detail }) => html`<tr class="${ok ? 'ok' : 'bad'}"><td class="figure">${clockText(time)}</td><td><span class="held">${ok ? '✓ yes' : '✗ no'}</span></td><td>${text}${detail !== '' && html`<p class="detail">${detail}</p>`}</td></tr>`)}</tbody></table></div>`
  }</section>`;
}

function measurements({ measurements }: CellResult): Html | undefined {
  if (measurements.length === 0) return undefined;
  return html`<section id="measurements"><h2>Measurements</h2><div class="scroll" tabindex="0" role="region" aria-label="Measurements"><table class="times"><thead><tr><th scope="col">What</th>${measurementHeads}</tr></thead><tbody>
${measurements.map((each) => html`<tr><th scope="row">${each.name}</th>${measurementCells(each)}</tr>`)}</tbody></table></div></section>`;
}

function ladderSection({ timeline, lab }: CaseFiles): Html | undefined {
  if (timeline === undefined || lab === undefined) return undefined;
  const picture = ladder(ladderNodes(lab, timeline.entries), timeline.entries);
  if (picture === undefined) return undefined;
  const frames = timeline.entries.filter(({ kind }) => kind === 'frame').length + timeline.omitted;
  const note =
    frames > FRAMES
      ? `The first ${FRAMES} of ${frames} frames; the captures have them all.`
      : `${plural(frames, 'frame')}, in order of time. Point at one to read it whole.`;
  return html`<section id="ladder"><h2>Ladder</h2><p class="lead">${note}</p><div class="scroll canvas" tabindex="0" role="region" aria-label="Ladder diagram">${picture}</div></section>`;
}

/** All of a small lab; of a large one those that sent or were sent something. */
function ladderNodes({ nodes }: LabShape, entries: readonly Entry[]): string[] {
  const names = Object.keys(nodes);
  if (names.length <= SMALL) return names;
  const frames = entries.filter((entry) => entry.kind === 'frame').slice(0, FRAMES);
  const speaking = new Set(frames.flatMap(({ from, to }) => (to.length > 1 ? [from] : [from, ...to])));
  return names.filter((name) => speaking.has(name)).slice(0, PICTURED);
}

function timelineSection({ folder }: CellResult, { timeline }: CaseFiles): Html | undefined {
  if (timeline === undefined || timeline.entries.length === 0) return undefined;
  const whole = html`<a href="${here(folder)}timeline.json">timeline.json</a>`;
  const beyond = timeline.entries.length > ROWS || timeline.omitted > 0;
  return html`<section id="timeline"><h2>Time line</h2>
${beyond && html`<p class="lead">The first ${Math.min(ROWS, timeline.entries.length)} of ${timeline.entries.length + timeline.omitted} entries. More are in ${whole} and in the captures.</p>`}
<p class="filter"><label for="filter">Show entries with</label> <input id="filter" type="search" data-filter="entries" placeholder="words, such as: neighbor solicitation" autocomplete="off" spellcheck="false"> <output id="entries-count" for="filter" aria-live="polite"></output></p>
<div class="scroll tall" tabindex="0" role="region" aria-label="Time line"><table class="timeline" id="entries"><thead><tr><th scope="col" class="figure">Second</th><th scope="col">What</th><th scope="col">Where</th><th scope="col">Text</th></tr></thead><tbody>
${timeline.entries.slice(0, ROWS).map(entryRow)}</tbody></table></div></section>`;
}

function entryRow(entry: Entry): Html {
  const { kind, time, text } = entry;
  const held = kind === 'check' && (entry.ok ? '✓ ' : '✗ ');
  const detail = kind === 'check' && entry.detail !== '' && html`<p class="detail">${entry.detail}</p>`;
  const where =
    kind === 'frame' || kind === 'fault'
      ? `${entry.link}${entry.from === undefined ? '' : ` from ${entry.from}`}`
      : kind === 'event'
        ? entry.node
        : '';
  return html`<tr class="${kind === 'check' && !entry.ok ? 'check bad' : kind}"><td class="figure">${clockText(time)}</td><td>${kind}</td><td>${where}</td><td>${held}${text}${detail}</td></tr>`;
}

function topologySection({ lab }: CaseFiles): Html | undefined {
  if (lab === undefined || Object.keys(lab.nodes).length > PICTURED) return undefined;
  return html`<section id="topology"><h2>Topology</h2><div class="scroll canvas" tabindex="0" role="region" aria-label="Topology">${topologyPicture(lab)}</div></section>`;
}

function outputs({ folder }: CellResult, { outputs }: CaseFiles): Html | undefined {
  if (outputs.length === 0) return undefined;
  const nodes = [...Map.groupBy(outputs, ({ node }) => node)];
  return html`<section id="nodes"><h2>What the nodes said at the end</h2>${nodes.map(
    ([node, told]) =>
      html`<h3>${node}</h3>${told.map(
        ({
          title,
          text,
          path,
        }) => html`<details><summary><code>${title}</code> <small>${text.trim() === '' ? 'empty' : plural(text.trimEnd().split('\n').length, 'line')}</small></summary>
${text.length > OUTPUT && html`<p class="lead">The first ${OUTPUT} characters; <a href="${here(folder)}${path}">the whole</a>.</p>`}<pre>${text.slice(0, OUTPUT)}</pre></details>`,
      )}`,
  )}</section>`;
}

function downloads({ folder }: CellResult, { files }: CaseFiles): Html | undefined {
  if (files.length === 0) return undefined;
  return html`<section id="files"><h2>Files</h2><ul class="files">${files.map(({ path, bytes }) => html`<li><a href="${here(folder)}${path}" download>${path}</a> <small>${bytesText(bytes)}</small></li>`)}</ul></section>`;
}

/** From the page to its case folder beside it. */
const here = (folder: string): string => `${folder.split('/').at(-1)}/`;
