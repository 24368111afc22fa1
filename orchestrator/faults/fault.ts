/** A fault as it is meant: one action with all its amounts, and the frames and times that it is for. */
import { didYouMean, type Path, type Problem, problemLine, problemsOf } from '../topology-problems.ts';
import { UsageError } from '../usage-error.ts';
import { actionShape, choiceFields, type detailShape, type FaultSource, faultSchema } from './fault-schema.ts';
import type { Field } from './fields.ts';
import type { Match } from './match.ts';
import { bitsPerMillisecond, bytes, milliseconds, share } from './units.ts';

/** Times in milliseconds, shares from 0 to 1, rates in bits a millisecond. */
export type Action =
  | { readonly type: 'drop' }
  | { readonly type: 'duplicate'; readonly copies: number }
  | { readonly type: 'reorder'; readonly frames: number; readonly hold: number | undefined }
  | { readonly type: 'corrupt'; readonly bits: number; readonly field: Field | undefined }
  | { readonly type: 'delay'; readonly delay: number; readonly jitter: number; readonly overtake: boolean }
  | {
      readonly type: 'loss';
      readonly enter: number;
      readonly leave: number;
      readonly bad: number;
      readonly good: number;
    }
  | {
      readonly type: 'rate';
      readonly rate: number;
      readonly queueBytes: number;
      readonly queueFrames: number;
      readonly burst: number;
    }
  | { readonly type: 'mtu'; readonly mtu: number }
  /** Down for `down`, up for `up`, and so on; `up` is Infinity where it comes back for good. */
  | { readonly type: 'down'; readonly down: number; readonly up: number };

export interface Fault {
  readonly name: string;
  readonly action: Action;
  readonly match: Match;
  /** `a` or `a:eth0`. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Since the fault was put on the link. */
  readonly after: number;
  readonly until: number;
  readonly nth: readonly number[] | undefined;
  readonly every: number;
  readonly times: number;
  readonly probability: number;
  readonly optional: boolean;
  /** As it was written. */
  readonly source: FaultSource;
}

export interface FaultContext {
  /** The ends of the link. */
  readonly ends: readonly { readonly node: string; readonly interface: string }[];
  readonly path: Path;
  readonly problem: (problem: Problem) => void;
}

type ActionName = keyof typeof actionShape;
const ACTIONS = Object.keys(actionShape) as readonly ActionName[];
const DETAILS: Readonly<Record<keyof typeof detailShape, ActionName>> = {
  copies: 'duplicate',
  by: 'reorder',
  bits: 'corrupt',
  field: 'corrupt',
  jitter: 'delay',
  overtake: 'delay',
  queue: 'rate',
  burst: 'rate',
};
const QUEUE = 64_000;

/** Checks what two fields tell together. Undefined when it is no fault; then a problem was told. */
export function resolveFault(source: FaultSource, context: FaultContext): Fault | undefined {
  let sound = true;
  const problem = (field: string | undefined, message: string, at: Problem['at'] = 'value'): void => {
    sound = false;
    context.problem({ path: field === undefined ? context.path : [...context.path, field], at, message });
  };
  const given = ACTIONS.filter((name) => source[name] !== undefined);
  const name = given[0];
  if (name === undefined) {
    problem(undefined, `says nothing to be done; expected one of ${ACTIONS.join(', ')}`);
    return undefined;
  }
  for (const other of given.slice(1))
    problem(other, `one fault does one thing, and this one has ${name} already; make it a fault of its own`, 'key');
  for (const [detail, action] of Object.entries(DETAILS))
    if (source[detail as keyof typeof detailShape] !== undefined && action !== name)
      problem(detail, `belongs to ${action}, and this fault is ${name}`, 'key');

  const inner = source[name];
  const frames = isFrames(name) && typeof inner === 'object' ? (inner as Frames) : {};
  const { nth: _1, every: _2, times: _3, probability: _4, ...match } = frames;
  if (Object.keys(match).length > 0 && source.match !== undefined)
    problem('match', `is written as well as the match of ${name}; keep one of them`, 'key');
  for (const field of choiceFields)
    if (frames[field] !== undefined && source[field] !== undefined)
      problem(field, `is written in ${name} as well; keep one of them`, 'key');
  for (const side of ['from', 'to'] as const) {
    const end = source[side];
    if (end !== undefined) checkEnd(end, context.ends, (message) => problem(side, message));
  }
  if (source.from !== undefined && source.from === source.to)
    problem('to', `frames from ${source.from} never go back to it`);
  const after = source.after === undefined ? 0 : milliseconds(source.after);
  const until = source.until === undefined ? Number.POSITIVE_INFINITY : milliseconds(source.until);
  if (until <= after) problem('until', `is not later than after, which is ${source.after ?? '0s'}`);
  const nth = frames.nth ?? source.nth;
  const probability = frames.probability ?? source.probability;
  if (!sound) return undefined;
  return {
    name: source.name ?? described(source, name),
    action: actionOf(source, name),
    match: source.match ?? match,
    from: source.from,
    to: source.to,
    after,
    until,
    nth: nth === undefined ? undefined : [nth].flat(),
    every: frames.every ?? source.every ?? 1,
    times: frames.times ?? source.times ?? Number.POSITIVE_INFINITY,
    probability: probability === undefined ? 1 : share(probability),
    optional: source.optional ?? false,
    source,
  };
}

type Frames = Exclude<NonNullable<FaultSource['drop']>, 'all'>;
const isFrames = (name: ActionName): boolean => ['drop', 'duplicate', 'reorder', 'corrupt'].includes(name);

function checkEnd(end: string, ends: FaultContext['ends'], problem: (message: string) => void): void {
  const names = ends.flatMap(({ node, interface: name }) => [node, `${node}:${name}`]);
  if (names.includes(end)) return;
  const nodes = [...new Set(ends.map(({ node }) => node))];
  problem(`"${end}" is not on this link${didYouMean(end, nodes) || `; its nodes are ${nodes.join(', ')}`}`);
}

function actionOf(source: FaultSource, name: ActionName): Action {
  switch (name) {
    case 'drop':
      return { type: 'drop' };
    case 'duplicate':
      return { type: 'duplicate', copies: source.copies ?? 1 };
    case 'reorder': {
      const by = source.by ?? 1;
      return typeof by === 'number'
        ? { type: 'reorder', frames: by, hold: undefined }
        : { type: 'reorder', frames: 0, hold: milliseconds(by) };
    }
    case 'corrupt':
      return { type: 'corrupt', bits: source.bits ?? 1, field: source.field };
    case 'delay': {
      const jitter = source.jitter === undefined ? 0 : milliseconds(source.jitter);
      return { type: 'delay', delay: milliseconds(source.delay!), jitter, overtake: source.overtake ?? false };
    }
    case 'loss': {
      const loss = source.loss!;
      if (typeof loss !== 'object') return { type: 'loss', enter: 0, leave: 1, bad: 1, good: share(loss) };
      const { enter, leave, bad = 1, good = 0 } = loss;
      return { type: 'loss', enter: share(enter), leave: share(leave), bad: share(bad), good: share(good) };
    }
    case 'rate': {
      const queue = source.queue ?? `${QUEUE}B`;
      const rate = bitsPerMillisecond(source.rate!);
      const burst = source.burst === undefined ? 0 : bytes(source.burst);
      return typeof queue === 'number'
        ? { type: 'rate', rate, queueBytes: Number.POSITIVE_INFINITY, queueFrames: queue, burst }
        : { type: 'rate', rate, queueBytes: bytes(queue), queueFrames: Number.POSITIVE_INFINITY, burst };
    }
    case 'mtu':
      return { type: 'mtu', mtu: source.mtu! };
    case 'down':
      return { type: 'down', down: milliseconds(source.down!), up: Number.POSITIVE_INFINITY };
    case 'flap':
      return { type: 'down', down: milliseconds(source.flap!.down), up: milliseconds(source.flap!.up) };
  }
}

/** `drop icmp6 neighborAdvertisement nth 1 from b` */
function described(source: FaultSource, action: ActionName): string {
  const { [action]: value, name: _name, optional: _optional, ...rest } = source;
  return words({ [action]: value, ...rest });
}

function words(value: unknown): string {
  if (Array.isArray(value)) return value.map(words).join(' or ');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([name, each]) => `${name} ${words(each)}`)
    .join(' ');
}

/** A fault that a scenario or a command sets; throws a UsageError that says all that is wrong with it. */
export function parseFault(source: unknown, ends: FaultContext['ends'], what = 'fault'): Fault {
  const problems: Problem[] = [];
  const parsed = faultSchema.safeParse(source);
  if (!parsed.success) problems.push(...problemsOf(parsed.error.issues));
  const fault =
    parsed.success && resolveFault(parsed.data, { ends, path: [], problem: (problem) => problems.push(problem) });
  if (fault) return fault;
  throw new UsageError(problems.map((problem) => problemLine(what, problem, undefined)).join('\n'));
}
