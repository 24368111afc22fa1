import { describe, expect, test } from 'vitest';
import { formatZoned, zoneOf, zoneOfScopeId } from '#stack/ip6/scope.ts';
import * as Address from '#stack/wire/address.ts';
import { set, World } from '#tests/support/world.ts';

function node() {
  const world = new World();
  const stack = world.node('node');
  const em0 = world.attach(stack, world.lan());
  return { stack, em0 };
}

const view = (text: string) => Address.viewOf(Address.address(text));

describe('SC-01, SC-07, SC-10 the zone of an address on an interface', () => {
  test.each<[text: string, zone: 'link' | 'site' | 'none']>([
    ['2001:db8::1', 'none'],
    ['::1', 'none'],
    ['::', 'none'],
    ['fe80::1', 'link'],
    ['febf::1', 'link'],
    ['fec0::1', 'site'],
    ['ff01::1', 'link'],
    ['ff02::1', 'link'],
    ['ff12::1', 'link'],
    ['ff04::1', 'site'],
    ['ff05::1', 'site'],
    ['ff08::1', 'site'],
    ['ff0e::1', 'none'],
    ['ff1e::1', 'none'],
  ])('%s: %s', (text, zone) => {
    const { em0 } = node();
    em0.siteZone = 77;
    expect(zoneOf(em0, view(text), 0)).toBe({ link: em0.index, site: 77, none: 0 }[zone]);
  });
});

describe('SC-04 the scope id that a program gives', () => {
  test('is the zone of a link-scoped address, and means nothing beside a global one', () => {
    const { stack, em0 } = node();
    expect(zoneOfScopeId(stack, view('fe80::1'), 0, em0.index)).toBe(em0.index);
    expect(zoneOfScopeId(stack, view('ff02::1'), 0, em0.index)).toBe(em0.index);
    expect(zoneOfScopeId(stack, view('2001:db8::1'), 0, em0.index)).toBe(0);
  });

  test('of an interface that is not there: ENXIO', () => {
    const { stack } = node();
    expect(zoneOfScopeId(stack, view('fe80::1'), 0, 99)).toBe('ENXIO');
  });

  test('SC-08 0 is the default zone, with use_defaultzone', () => {
    const { stack, em0 } = node();
    stack.defaultInterface = em0;
    expect(zoneOfScopeId(stack, view('fe80::1'), 0, 0)).toBe(0);
    set(stack, 'ip6.use_defaultzone', 1);
    expect(zoneOfScopeId(stack, view('fe80::1'), 0, 0)).toBe(em0.index);
  });
});

test('SC-13 text has the zone beside the address, and only where it means something', () => {
  const { stack, em0 } = node();
  expect(formatZoned(stack, Address.address('fe80::1'), em0.index)).toBe('fe80::1%em0');
  expect(formatZoned(stack, Address.address('2001:db8::1'), em0.index)).toBe('2001:db8::1');
  expect(formatZoned(stack, Address.address('fe80::1'), 0)).toBe('fe80::1');
});
