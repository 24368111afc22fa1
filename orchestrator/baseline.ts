/**
 * The baseline: cells that are known to fail, and why. `topologies/known-failures.yaml` unless told.
 *
 *   failures:
 *     - cells: nud/tun/linux-kame/*      one or more patterns, as on the command line
 *       reason: Linux rounds its timers to seconds
 *       until: 2027-03-31                from the day after it counts no more
 *       link: https://example.org/42
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { matchesCell } from './matrix.ts';
import { fields, list, text } from './schema-forms.ts';
import { type Locate, locateIn } from './source-position.ts';
import { didYouMean, expected, type Problem, problemLine, problemsOf } from './topology-problems.ts';
import { UsageError } from './usage-error.ts';
import type { KnownFailure } from './verdict.ts';

export const BASELINE = join(import.meta.dirname, '../topologies/known-failures.yaml');

const pattern = () => text('a pattern of cells such as nud/*/linux-kame/process', /^[A-Za-z0-9*?][A-Za-z0-9*?/._-]*$/);
const schema = fields('a map with "failures"', {
  failures: list(
    fields('a failure such as { cells: "nud/tun/*", reason: why }', {
      cells: z.union([pattern(), list(pattern(), 'a list of patterns').min(1, { error: expected('a pattern') })], {
        error: expected('a pattern of cells, or a list of them'),
      }),
      reason: text('why it fails, in words', /\S/),
      until: text('a day such as 2027-03-31', isDay).optional(),
      link: text('an address such as https://example.org/42', (value) => URL.canParse(value)).optional(),
    }),
    'a list of failures',
  ).nullable(),
});

interface Entry extends KnownFailure {
  readonly patterns: readonly string[];
  /** Its last day, `2027-03-31`. */
  readonly until: string | undefined;
  /** Where its patterns stand. */
  readonly places: readonly string[];
}

export class Baseline {
  readonly #entries: readonly Entry[];
  readonly #today: string;

  constructor(entries: readonly Entry[], today: string) {
    this.#entries = entries;
    this.#today = today;
  }

  /** The first entry that names the cell and still counts. */
  known(id: string): KnownFailure | undefined {
    return this.#entries.find(({ patterns, until }) => this.#counts(until) && patterns.some(naming(id)));
  }

  /** What is to be tidied, a line each. `ids`: of all cells that there can be, whatever was chosen. */
  stale(ids: readonly string[]): string[] {
    return this.#entries.flatMap(({ patterns, places, until }) => [
      ...patterns.flatMap((pattern, at) =>
        ids.some((id) => matchesCell(pattern, id)) ? [] : [`${places[at]}: ${staleText(pattern, ids)}`],
      ),
      ...(this.#counts(until) ? [] : [`${places[0]}: counts no more since ${until}; remove it or give it more time`]),
    ]);
  }

  #counts(until: string | undefined): boolean {
    return until === undefined || until >= this.#today;
  }
}

const naming = (id: string) => (pattern: string) => matchesCell(pattern, id);

function staleText(pattern: string, ids: readonly string[]): string {
  const [scenario = ''] = pattern.split('/');
  const hint = didYouMean(scenario, [...new Set(ids.map((id) => id.split('/')[0]!))]);
  return `"${pattern}" matches no cell${hint || '; remove it'}`;
}

/** `today`: a day, `2026-01-31`. Throws a UsageError that lists everything that is wrong. */
export function parseBaseline(source: string, file: string, today: string): Baseline {
  const lines = new LineCounter();
  // a day stays text
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, schema: 'core' });
  if (document.errors.length > 0) {
    const places = document.errors.map(({ pos, message }) => ({ ...lines.linePos(pos[0]), message }));
    throw new UsageError(places.map(({ line, col, message }) => `${file}:${line}:${col}: ${message}`).join('\n'));
  }
  const locate = locateIn(document, lines);
  const parsed = schema.safeParse(document.toJS());
  if (!parsed.success) throw new UsageError(problemLines(problemsOf(parsed.error.issues), file, locate));
  const entries = (parsed.data.failures ?? []).map(({ cells, reason, until, link }, index): Entry => {
    const place = (path: readonly PropertyKey[]): string => {
      const { line, column } = locate(['failures', index, ...path], 'value');
      return `${file}:${line}:${column}`;
    };
    const patterns = typeof cells === 'string' ? [cells] : cells;
    const places = patterns.map((_, at) => place(typeof cells === 'string' ? ['cells'] : ['cells', at]));
    const { line } = locate(['failures', index, 'cells'], 'key');
    return { patterns, places, until, where: `${file}:${line}`, reason: link ? `${reason} (${link})` : reason };
  });
  return new Baseline(entries, today);
}

/** The file that was named, or the project's own where there is one. */
export function loadBaseline(file: string | undefined, now: number): Baseline {
  const today = new Date(now).toISOString().slice(0, 10);
  if (file === undefined && !existsSync(BASELINE)) return new Baseline([], today);
  const path = file ?? relative(process.cwd(), BASELINE);
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path}: cannot read the baseline: ${(error as Error).message}`);
  }
  return parseBaseline(source, path, today);
}

function problemLines(problems: readonly Problem[], file: string, locate: Locate): string {
  return problems
    .map((problem) => ({ problem, at: locate(problem.path, problem.at) }))
    .sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
    .map(({ problem, at }) => problemLine(file, problem, at))
    .join('\n');
}

function isDay(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
