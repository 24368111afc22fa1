/** `stack/README.md` is a map: what it names is there. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const STACK = join(import.meta.dirname, '../../stack');
const readme = readFileSync(join(STACK, 'README.md'), 'utf8');
const code = globSync('**/*.ts', { cwd: STACK }).map((file) => readFileSync(join(STACK, file), 'utf8'));
const quoted = [...readme.matchAll(/`([^`]+)`/g)].map(([, text]) => text!);

test('every file that stack/README.md names exists', () => {
  const files = quoted.filter((text) => text.endsWith('.ts') || text.endsWith('/'));
  expect(files.length).toBeGreaterThan(30);
  expect(files.filter((file) => !existsSync(join(STACK, file)))).toEqual([]);
});

test('every name of code in stack/README.md stands in the stack', () => {
  const names = quoted.flatMap((text) => (/^[A-Za-z0-9.]+$/.test(text) && !text.endsWith('.ts') ? [text] : []));
  expect(names).toContain('ip6Input');
  expect(names.filter((name) => !code.some((text) => text.includes(name.replace('stack.', ''))))).toEqual([]);
});

test('every folder of the stack has its place in stack/README.md', () => {
  const folders = new Set(globSync('*/*.ts', { cwd: STACK }).map(dirname));
  expect([...folders].filter((folder) => !readme.includes(`${folder}/`))).toEqual([]);
});
