/** Prometheus text as others read it: the parser of python3-prometheus-client (Debian), where it is there. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export const hasPrometheusClient = existsSync('/usr/lib/python3/dist-packages/prometheus_client');

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  /** Without the `_total` of a counter. */
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

const PROGRAM = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([
  {"name": f.name, "type": f.type, "help": f.documentation,
   "samples": [{"name": s.name, "labels": s.labels, "value": s.value} for s in f.samples]}
  for f in text_string_to_metric_families(sys.stdin.read())]))
`;

/** Throws on what that parser refuses. */
export function parseByPrometheusClient(text: string): ParsedFamily[] {
  const output = execFileSync('/usr/bin/python3', ['-c', PROGRAM], {
    input: text,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  return JSON.parse(output) as ParsedFamily[];
}

const LINE =
  /^[a-zA-Z_:][\w:]*(\{[a-zA-Z_]\w*="([^"\\]|\\[\\"n])*"(,[a-zA-Z_]\w*="([^"\\]|\\[\\"n])*")*\})? (-?\d+(\.\d+)?(e[+-]?\d+)?|NaN|[+-]Inf)$/;

/** What the format asks for and that parser lets pass; the problems, none when it is sound. */
export function problemsOf(text: string): string[] {
  const problems: string[] = [];
  const families = new Set<string>();
  const series = new Set<string>();
  let current = '';
  let helped = '';
  if (!text.endsWith('\n')) problems.push('the last line has no end');
  for (const line of text.trimEnd().split('\n')) {
    const [, what, name] = /^# (HELP|TYPE) (\S+) \S.*$/.exec(line) ?? [];
    if (what === 'HELP') helped = name!;
    else if (what === 'TYPE') {
      if (helped !== name) problems.push(`${name}: TYPE without its HELP before it`);
      if (families.has(name!)) problems.push(`${name}: in two places`);
      if (name!.endsWith('_total') !== line.endsWith(' counter'))
        problems.push(`${name}: counters alone end in _total`);
      families.add((current = name!));
    } else {
      if (!LINE.test(line)) problems.push(`no sample: ${line}`);
      const id = line.slice(0, line.lastIndexOf(' '));
      if (id.split('{')[0] !== current) problems.push(`${id}: outside its family`);
      if (series.has(id)) problems.push(`${id}: twice`);
      series.add(id);
    }
  }
  return problems;
}
