/** What is wrong with a topology, in the words of its author: zod's issues turned into one sentence a field. */
import type { z } from 'zod';
import type { Position } from './source-position.ts';

export type Path = readonly PropertyKey[];

export interface Problem {
  readonly path: Path;
  /** Which of the two the position should show: `mtu: 10` is wrong in its value, `mut: 1500` in its key. */
  readonly at: 'key' | 'value';
  readonly message: string;
}

type Issue = { readonly input?: unknown };

/** zod's error for a field of one form: says what belongs there and what was found. */
export const expected =
  (what: string) =>
  ({ input }: Issue): string =>
    input === undefined ? `missing; expected ${what}` : `expected ${what}, found ${show(input)}`;

export const expectedOneOf =
  (values: readonly string[]) =>
  (issue: Issue): string =>
    expected(`one of ${values.join(', ')}`)(issue) + didYouMean(issue.input, values);

export function show(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  return String(value);
}

/** `; did you mean "kame"?` where one of the names is what a slip of the finger would give. */
export function didYouMean(wrong: unknown, names: readonly string[]): string {
  if (typeof wrong !== 'string') return '';
  const [best] = names
    .map((name) => ({ name, slips: slips(wrong.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, slips }) => slips <= mostSlips(Math.min(name.length, wrong.length)))
    .sort((a, b) => a.slips - b.slips);
  return best ? `; did you mean "${best.name}"?` : '';
}

/** One letter says nothing about another; a third of a longer name may be wrong. */
const mostSlips = (length: number): number => (length < 2 ? 0 : Math.max(1, Math.floor(length / 3)));

/** Optimal string alignment distance: letters added, lost, changed, or swapped with their neighbor. */
function slips(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
      }
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

export const problemsOf = (issues: readonly z.core.$ZodIssue[], base: Path = []): Problem[] =>
  issues.flatMap((issue) => problemsOfIssue(issue, [...base, ...issue.path]));

function problemsOfIssue(issue: z.core.$ZodIssue, path: Path): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const hint = didYouMean(key, issue.message.split(', ')) || `; expected one of ${issue.message}`;
      return { path: [...path, key], at: 'key', message: `unknown field${hint}` };
    });
  }
  if (issue.code === 'invalid_key') {
    return [{ path, at: 'key', message: issue.issues[0]?.message ?? issue.message }];
  }
  if (issue.code === 'invalid_union') {
    const meant = meantForm(issue.errors);
    if (meant) return problemsOf(meant, path);
  }
  return [{ path, at: 'value', message: issue.message }];
}

/** The form that was meant is the one whose own type fits; without one, the union says what it takes. */
function meantForm(forms: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const misses = (issue: z.core.$ZodIssue): boolean => {
    if (issue.path.length > 0) return false;
    if (issue.code === 'invalid_union') return meantForm(issue.errors) === undefined;
    return issue.code === 'invalid_type' || issue.code === 'invalid_value';
  };
  return forms.find((issues) => !issues.some(misses));
}

/** `nodes.a.routes[0].via`, `nodes.a.files["/etc/radvd.conf"]`. */
export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(String(step))) text += text === '' ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step))}]`;
  }
  return text;
}

/** `topology.yaml:4:11: nodes.a.kind: expected ...` */
export function problemLine(file: string, problem: Problem, position: Position | undefined): string {
  const where = position ? `${file}:${position.line}:${position.column}` : file;
  const field = pathText(problem.path);
  return field === '' ? `${where}: ${problem.message}` : `${where}: ${field}: ${problem.message}`;
}
