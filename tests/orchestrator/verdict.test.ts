/** What attempts and the baseline make of a cell, and of the run. */
import { describe, expect, test } from 'vitest';
import { failingIn, type Outcome } from '#orchestrator/outcome.ts';
import { judgedBy, settled, worthAnother } from '#orchestrator/verdict.ts';
import { sampleResult } from './report-sample.ts';

const result = (outcome: Outcome, driver: 'process' | 'sim' = 'process', reason = `${outcome}!`) =>
  sampleResult({ scenario: 's', title: '', variant: 'v', kinds: ['kame', 'linux'], driver, outcome, reason });
const KNOWN = { reason: 'slow', where: 'known.yaml:3' };

test.each([
  ['fail', 'process', true],
  ['harness-error', 'process', true],
  ['inconclusive', 'process', true],
  ['pass', 'process', false],
  ['unsupported', 'process', false],
  ['fail', 'sim', false],
  ['harness-error', 'sim', false],
] as const)('after %s under %s a second attempt: %s', (outcome, driver, again) => {
  expect(worthAnother(result(outcome, driver), undefined)).toBe(again);
});

test('a failure that is known is not asked twice, a spoiled attempt is', () => {
  expect(worthAnother(result('fail'), KNOWN)).toBe(false);
  expect(worthAnother(result('inconclusive'), KNOWN)).toBe(true);
});

describe('two attempts', () => {
  test.each([
    ['fail', 'pass', 'flaky', /^failed, then passed; first: fail!/],
    ['harness-error', 'pass', 'flaky', /first: harness-error!/],
    ['inconclusive', 'pass', 'pass', /^pass!/],
    ['fail', 'fail', 'fail', /^fail!/],
    ['inconclusive', 'fail', 'fail', /^fail!/],
    ['inconclusive', 'inconclusive', 'inconclusive', /^inconclusive!/],
    ['fail', 'inconclusive', 'fail', /^fail! \(run again: inconclusive!\)/],
    ['fail', 'harness-error', 'harness-error', /./],
  ] as const)('%s, then %s: %s', (first, second, outcome, reason) => {
    const both = settled(result(first), result(second));
    expect(both.outcome).toBe(outcome);
    expect(both.reason).toMatch(reason);
    expect(both.attempts?.map((each) => each.outcome)).toEqual([first, second]);
  });
});

describe('the baseline', () => {
  test.each([
    ['fail', 'known-fail'],
    ['pass', 'now-passing'],
    ['inconclusive', 'inconclusive'],
    ['harness-error', 'harness-error'],
    ['unsupported', 'unsupported'],
  ] as const)('makes of %s %s', (outcome, judged) => {
    expect(judgedBy(KNOWN, result(outcome)).outcome).toBe(judged);
  });

  test('says why it was known and what is so now, and changes nothing of other cells', () => {
    expect(judgedBy(KNOWN, result('fail')).reason).toBe('slow (known by known.yaml:3); now: fail!');
    expect(judgedBy(KNOWN, result('pass')).reason).toContain('remove known.yaml:3');
    expect(judgedBy(undefined, result('fail')).outcome).toBe('fail');
  });
});

test('a run fails by failures, flakes and known failures that pass, unless the latter are allowed', () => {
  expect(failingIn({})).toEqual(['fail', 'harness-error', 'flaky', 'now-passing']);
  expect(failingIn({ allowed: ['now-passing', 'flaky'] })).toEqual(['fail', 'harness-error']);
});
