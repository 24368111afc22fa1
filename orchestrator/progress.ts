/** Progress of a run: one line a cell; on a terminal also a last line of what runs at the moment. Colour only there. */
import { styleText } from 'node:util';
import type { CellResult, Outcome } from './outcome.ts';

const COLOURS: Readonly<Record<Outcome, 'green' | 'red' | 'yellow' | 'gray'>> = {
  pass: 'green',
  fail: 'red',
  'harness-error': 'red',
  flaky: 'yellow',
  'now-passing': 'yellow',
  inconclusive: 'yellow',
  'known-fail': 'gray',
  unsupported: 'gray',
};

export class Progress {
  readonly #total: number;
  readonly #shown: boolean;
  readonly #terminal = process.stderr.isTTY === true;
  readonly #running = new Set<string>();
  #done = 0;

  /** Lines go to standard error, so that standard output stays for the result. */
  constructor(total: number, shown: boolean) {
    this.#total = total;
    this.#shown = shown;
  }

  line(text: string): void {
    if (!this.#shown) return;
    this.#clear();
    process.stderr.write(`${text}\n`);
    this.#status();
  }

  started(id: string): void {
    this.#running.add(id);
    this.#clear();
    this.#status();
  }

  again({ id, outcome, reason }: CellResult): void {
    this.#running.delete(id);
    this.line(
      `${' '.repeat(`${this.#total}`.length * 2 + 3)} ${outcome} ${id}, to be run again: ${reason.split('\n')[0]}`,
    );
  }

  ended({ id, outcome, reason, duration }: CellResult): void {
    this.#running.delete(id);
    this.#done++;
    const number = `${this.#done}`.padStart(`${this.#total}`.length);
    const word = this.#terminal ? styleText(COLOURS[outcome], outcome, { stream: process.stderr }) : outcome;
    const why = outcome === 'pass' ? '' : `: ${reason.split('\n')[0]}`;
    this.line(`[${number}/${this.#total}] ${word} ${id} (${(duration / 1000).toFixed(1)} s)${why}`);
  }

  close(): void {
    this.#clear();
  }

  #clear(): void {
    if (this.#terminal && this.#shown) process.stderr.write('\r\x1b[K');
  }

  #status(): void {
    if (!this.#terminal || !this.#shown || this.#running.size === 0) return;
    const text = `running ${[...this.#running].join(' ')}`;
    // a terminal may not know its width and say 0
    process.stderr.write(text.slice(0, (process.stderr.columns || 80) - 1));
  }
}
