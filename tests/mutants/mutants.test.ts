/** Do the scenarios find broken stacks? Each mutant is planted alone, and something must not pass. `run.ts` prints the table. */
import { beforeAll, describe, expect, test } from 'vitest';
import { check } from './mutant.ts';
import { mutants } from './mutants.ts';
import { judgeAll, type Killer, scenarios } from './verdict.ts';

/** Half a minute on two idle processors. */
const LIMIT = 600_000;
const found = new Map<string, readonly Killer[]>();
let control: readonly Killer[];

beforeAll(async () => {
  control = await scenarios();
  await judgeAll(mutants, ({ mutant, by }) => found.set(mutant.id, by));
}, LIMIT);

test('every mutant has a name of its own and a place in the stack', () => {
  expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
  for (const mutant of mutants) check(mutant);
});

test('without a mutant every scenario passes', () => {
  expect(control).toEqual([]);
});

describe('is found out', () => {
  test.each(mutants.map((mutant) => [mutant.rule, mutant] as const))('%s', (_, { id, by }) => {
    const killers = found.get(id)!;
    expect(killers, `mutant ${id} survived`).not.toEqual([]);
    if (typeof by === 'string') expect(killers.map(({ where }) => where.split('/')[0])).toContain(by);
  });
});
