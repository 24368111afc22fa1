/** How outcomes are told: a word and a sign beside the colour, so that colour alone says nothing. */
import type { Outcome } from '../outcome.ts';
import { type Html, html } from './html.ts';

interface OutcomeText {
  readonly word: string;
  readonly sign: string;
  readonly meaning: string;
}

/** In the order of a reader's interest. */
export const OUTCOMES: Readonly<Record<Outcome, OutcomeText>> = {
  fail: { word: 'fail', sign: '✗', meaning: 'An expectation did not hold.' },
  'harness-error': {
    word: 'harness error',
    sign: '!',
    meaning: 'The testbed itself broke; nothing is said of the nodes.',
  },
  flaky: { word: 'flaky', sign: '≈', meaning: 'It failed, was run again and passed.' },
  inconclusive: { word: 'inconclusive', sign: '?', meaning: 'The machine was too busy to tell, or frames were lost.' },
  'now-passing': { word: 'now passing', sign: '✓', meaning: 'A known failure is none any more.' },
  'known-fail': { word: 'known fail', sign: '✗', meaning: 'It fails as is known.' },
  unsupported: { word: 'unsupported', sign: '–', meaning: 'A node, a link or the machine lacks what it needs.' },
  pass: { word: 'pass', sign: '✓', meaning: 'Every expectation held.' },
};

export const outcomes = Object.keys(OUTCOMES) as Outcome[];

/** `text`: in place of the outcome's own word. */
export function badge(outcome: Outcome): Html {
  const { word, sign } = OUTCOMES[outcome];
  return html`<span class="badge ${outcome}"><span class="sign" aria-hidden="true">${sign}</span>${word}</span>`;
}
