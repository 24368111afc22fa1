/**
 * Whose fault it probably is: where an implementation fails in a role against all others, while the others pass among
 * themselves, it is likely its own. A hint for people; no verdict rests on it.
 */
import type { CellResult, Outcome } from './outcome.ts';

const FAILED: readonly Outcome[] = ['fail', 'known-fail'];
const PASSED: readonly Outcome[] = ['pass', 'now-passing'];

export interface Attribution {
  readonly scenario: string;
  readonly kind: string;
  /** Undefined: in whichever role. */
  readonly role: string | undefined;
  /** Variants and drivers it is so in: `tun process`. */
  readonly where: readonly string[];
  /** Cells that failed. */
  readonly cells: readonly string[];
  readonly text: string;
}

interface Suspect {
  readonly kind: string;
  readonly role: string | undefined;
  readonly failed: readonly CellResult[];
  /** Kinds that it met. */
  readonly others: readonly string[];
  /** Castings that passed without it. */
  readonly control: readonly string[];
}

export function attributions(cells: readonly CellResult[]): Attribution[] {
  const judged = cells.filter(({ outcome }) => FAILED.includes(outcome) || PASSED.includes(outcome));
  const groups = Map.groupBy(judged, ({ scenario, variant, driver }) => `${scenario} ${variant} ${driver}`);
  const found = [...groups].flatMap(([name, group]) => {
    const [scenario = '', ...where] = name.split(' ');
    return suspects(group).map((suspect) => ({ scenario, where: where.join(' '), suspect }));
  });
  const alike = Map.groupBy(found, ({ scenario, suspect }) => `${scenario} ${suspect.kind} ${suspect.role}`);
  return [...alike.values()].map((group) => {
    const [{ scenario, suspect }] = group as [(typeof found)[number]];
    const where = group.map((each) => each.where);
    const others = [...new Set(group.flatMap((each) => each.suspect.others))];
    const control = [...new Set(group.flatMap((each) => each.suspect.control))];
    const { kind, role } = suspect;
    return {
      scenario,
      kind,
      role,
      where,
      cells: group.flatMap((each) => each.suspect.failed.map(({ id }) => id)),
      text: sentence({ scenario, kind, role, where, others, control }),
    };
  });
}

/** Of one variant under one driver: those that explain most failures first, each failure explained once. */
function suspects(group: readonly CellResult[]): Suspect[] {
  const named = group.flatMap(({ roles }) => Object.entries(roles));
  const kinds = [...new Set(named.map(([, kind]) => kind))];
  const roles = [...new Set(named.map(([role]) => role))];
  const all = kinds.flatMap((kind) => [undefined, ...roles].map((role) => suspect(group, kind, role)));
  // in one role is the closer hint where both say the same
  const guilty = all
    .filter((each) => each !== undefined)
    .toSorted(
      (a, b) => b.failed.length - a.failed.length || Number(a.role === undefined) - Number(b.role === undefined),
    );
  const explained = new Set<CellResult>();
  return guilty.filter(({ failed, kind }) => {
    const key = failed.map(({ id }) => id).join();
    // who explains it as well is as likely: nothing is said of either
    const rival = guilty.some((each) => each.kind !== kind && each.failed.map(({ id }) => id).join() === key);
    if (rival || failed.every((cell) => explained.has(cell))) return false;
    for (const cell of failed) explained.add(cell);
    return true;
  });
}

function suspect(group: readonly CellResult[], kind: string, role: string | undefined): Suspect | undefined {
  const plays = ({ roles }: CellResult): boolean =>
    role === undefined ? Object.values(roles).includes(kind) : roles[role] === kind;
  const own = group.filter(plays);
  const control = group.filter((cell) => !plays(cell));
  const others = [...new Set(own.flatMap(({ roles }) => Object.values(roles)).filter((other) => other !== kind))];
  const isGuilty =
    others.length > 0 &&
    own.every(({ outcome }) => FAILED.includes(outcome)) &&
    control.some(({ outcome }) => PASSED.includes(outcome));
  if (!isGuilty) return undefined;
  const passed = control.filter(({ outcome }) => PASSED.includes(outcome));
  return { kind, role, failed: own, others, control: passed.map(({ roles }) => Object.values(roles).join('-')) };
}

function sentence(of: Omit<Attribution, 'cells' | 'text'> & Pick<Suspect, 'others' | 'control'>): string {
  const { scenario, kind, role, where, others, control } = of;
  const as = role === undefined ? 'in every casting it has a role in' : `as ${role} against every other`;
  return `${scenario}: ${kind} fails ${as} (${listed(others)}; ${where.join(', ')}) while ${listed(control)} ${control.length === 1 ? 'passes' : 'pass'}: probably its own fault`;
}

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
