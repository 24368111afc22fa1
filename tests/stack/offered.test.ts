/** What the stack shows to administrators does what it says: read from the sources. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { text } from '#stack/counters.ts';
import { tunables } from '#stack/sysctl.ts';

const ROOT = join(import.meta.dirname, '../../stack');
const code = globSync('**/*.ts', { cwd: ROOT, exclude: ['counters.ts', 'sysctl.ts', 'wire/**'] })
  .map((file) => readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''))
  .join('\n');
const isNamed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(code);

test('every tunable is read somewhere in the stack', () => {
  const names = Object.values(tunables).flatMap((group) => Object.keys(group));
  // its text says that it does nothing here
  expect(names.filter((name) => !isNamed(name))).toEqual(['nd6_prune']);
});

test('every counter is counted somewhere in the stack', () => {
  const names = Object.entries(text).flatMap(([protocol, sentences]) =>
    Object.keys(sentences).map((name) => [protocol, name]),
  );
  expect(names.filter(([, name]) => !isNamed(name!))).toEqual([]);
});
