/** The table of mutants as a page that looks like those of a run's report, and may lie beside them. */
import { type Html, html } from '#orchestrator/report/html.ts';
import { page } from '#orchestrator/report/page.ts';
import { dateText, plural } from '#orchestrator/report/text.ts';
import type { Verdict } from './verdict.ts';

const FOUND = html`<span class="badge pass"><span class="sign" aria-hidden="true">✓</span>found</span>`;
const SURVIVED = html`<span class="badge fail"><span class="sign" aria-hidden="true">✗</span>not found</span>`;

export function tablePage(verdicts: readonly Verdict[], time: number): string {
  const survivors = verdicts.filter(({ by }) => by.length === 0).length;
  const seen = verdicts.filter(({ mutant }) => typeof mutant.by === 'string').length;
  return page({
    title: 'kamelab: planted faults',
    root: '',
    nav: html`<a href="#mutants">Planted faults</a>`,
    body: html`<section class="summary"><p class="kicker">Do the scenarios find broken stacks?</p>
<h1>${survivors === 0 ? `All ${plural(verdicts.length, 'planted fault')} found` : `${survivors} of ${plural(verdicts.length, 'planted fault')} not found`}</h1>
<p class="lead">Each fault is one rule of an RFC broken in one place of the kame stack. ${seen} are to be found by the scenarios, run
between kame nodes in virtual time; the others can be seen by no scenario, for the reason told, and are to be found by a unit test.</p></section>
<section id="mutants"><h2>Planted faults</h2>
<p class="filter"><label for="filter">Show faults with</label> <input id="filter" type="search" data-filter="faults" placeholder="words, such as: 4862 probe" autocomplete="off" spellcheck="false"> <output id="faults-count" for="filter" aria-live="polite"></output></p>
<div class="scroll" tabindex="0" role="region" aria-label="Planted faults"><table id="faults"><thead><tr><th scope="col">Fault</th><th scope="col">Rule that it breaks</th><th scope="col">Found</th><th scope="col">By</th><th scope="col">What failed there</th></tr></thead>
<tbody>${verdicts.map(row)}</tbody></table></div></section>`,
    foot: `kamelab · ${dateText(time)}`,
    filter: true,
  });
}

function row({ mutant, by }: Verdict): Html {
  const [first, ...more] = by;
  const others = more.length > 0 && html`<br><small>and ${plural(more.length, 'more')}</small>`;
  const why = typeof mutant.by !== 'string' && html`<br><small>no scenario: ${mutant.by.why}</small>`;
  return html`<tr><th scope="row"><code>${mutant.id}</code><br><small>stack/${mutant.file}</small></th><td>${mutant.rule}</td>
<td>${first === undefined ? SURVIVED : FOUND}</td><td>${first === undefined ? 'nothing' : html`<code>${first.where}</code>${others}`}</td><td>${first?.check}${why}</td></tr>`;
}
