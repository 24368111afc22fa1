import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```ts\n(.*?)```\n```\n(.*?)```/gs)].map(([, program, output]) => ({
  program: program!,
  output: output!,
}));

test('README: there are examples to run', () => {
  expect(examples).toHaveLength(readme.match(/```ts/g)!.length);
});

test.each(examples)('README: example $# prints what stands below it', ({ program, output }) => {
  const words = ['--input-type=module-typescript', '-e', program];
  const child = spawnSync(process.execPath, words, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
  });
  expect(child.stdout + child.stderr).toBe(output);
});
