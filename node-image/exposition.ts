/** Prometheus text, exposition format 0.0.4: families of samples, written and read. */

export interface Family {
  /** [a-z_:][a-z0-9_:]*; of a counter with `_total` at its end. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export type Labels = Readonly<Record<string, string>>;

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Of one sample without labels. */
export const single = (name: string, type: Family['type'], help: string, value: number): Family => ({
  name,
  type,
  help,
  samples: [{ labels: {}, value }],
});

/** A family without samples has nothing to say and is left out. */
export function exposition(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join('');
}

function familyText({ name, type, help, samples }: Family): string {
  const lines = samples.map(({ labels, value }) => `${name}${labelText(labels)} ${valueText(value)}\n`);
  return `# HELP ${name} ${help.replace(/[\\\n]/g, escapedCharacter)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\\n"]/g, escapedCharacter)}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escapedCharacter = (character: string): string => (character === '\n' ? '\\n' : `\\${character}`);

const valueText = (value: number): string => (value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : `${value}`);

/**
 * Families of one name become one, in the order in which they first came: a name may be there only once. Of two types for
 * one name the first holds.
 */
export function merged(families: Iterable<Family>): Family[] {
  const byName = new Map<string, Family & { readonly samples: Sample[] }>();
  for (const family of families) {
    const known = byName.get(family.name);
    if (known === undefined) byName.set(family.name, { ...family, samples: [...family.samples] });
    else if (known.type === family.type) known.samples.push(...family.samples);
  }
  return [...byName.values()];
}

/** With more labels on each sample; those win over the samples' own. */
export const labelled = (family: Family, labels: Labels): Family => ({
  ...family,
  samples: family.samples.map((sample) => ({ ...sample, labels: { ...sample.labels, ...labels } })),
});

/** A node that says more than this is not listened to. */
const MOST_SAMPLES = 20_000;
const HEAD = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/;
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? +(\S+)(?: +-?\d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)",?/y;

/**
 * What a node of anybody's says, for a scrape of the whole lab: lines that are no samples of counters and gauges are passed
 * over, so that one node can't spoil the text of the others.
 */
export function parseExposition(text: string): Family[] {
  const families = new Map<string, { name: string; type: string; help: string; samples: Sample[] }>();
  const family = (name: string) => {
    let found = families.get(name);
    if (found === undefined) families.set(name, (found = { name, type: '', help: '', samples: [] }));
    return found;
  };
  let count = 0;
  for (const line of text.split('\n')) {
    const head = HEAD.exec(line);
    if (head !== null) {
      const [, what, name, said] = head as unknown as [string, string, string, string];
      if (what === 'TYPE') family(name).type = said;
      else family(name).help = said.replace(/\\([\\n])/g, unescaped);
      continue;
    }
    const [, name, pairs, number] = SAMPLE.exec(line) ?? [];
    if (name === undefined || line.startsWith('#')) continue;
    const labels = pairs === undefined ? {} : labelsOf(pairs);
    const value = numberOf(number!);
    if (labels === undefined || value === undefined || ++count > MOST_SAMPLES) continue;
    family(name).samples.push({ labels, value });
  }
  return [...families.values()].flatMap(({ type, ...rest }) =>
    (type === 'counter' || type === 'gauge') && rest.samples.length > 0 ? [{ ...rest, type }] : [],
  );
}

function labelsOf(pairs: string): Labels | undefined {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < pairs.length) {
    const found = LABEL.exec(pairs);
    if (found === null) return undefined;
    labels[found[1]!] = found[2]!.replace(/\\([\\"n])/g, unescaped);
  }
  return labels;
}

const unescaped = (_: string, character: string): string => (character === 'n' ? '\n' : character);

function numberOf(text: string): number | undefined {
  const value = Number(text.replace(/^([+-]?)Inf$/, '$1Infinity'));
  return Number.isNaN(value) && text !== 'NaN' ? undefined : value;
}
