import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { archive } from '#orchestrator/drivers/archive.ts';

test.each([
  ['radvd.conf', 'interface ab {};\n'],
  ['deep/er/file', ''],
  ['größe', 'x'.repeat(1024)],
  ['n'.repeat(100), 'y'.repeat(513)],
])('tar(1) reads %s', (path, content) => {
  const listed = spawnSync('tar', ['-tf', '-'], {
    input: archive(path, content),
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  expect(listed.stderr.toString()).toBe('');
  const read = spawnSync('tar', ['-xOf', '-'], { input: archive(path, content) });
  expect(read.stdout.toString()).toBe(content);
});

test('a name that would be cut short is refused', () => {
  expect(() => archive('n'.repeat(101), '')).toThrow('100 bytes at most');
});
