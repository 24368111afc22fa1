import { describe, expect, test } from 'vitest';
import { selectSource } from '#stack/ip6/source-address.ts';
import type { Interface } from '#stack/link/interface.ts';
import type { Stack } from '#stack/stack.ts';
import * as Address from '#stack/wire/address.ts';
import { addressOn, routeOn, World } from '#tests/support/world.ts';

/** A node with two point-to-point links, without addresses but link-local ones; the default route leads over tun0. */
function twoLinks(sysctl: Record<string, number> = {}) {
  const world = new World();
  const node = world.node('node', sysctl);
  const tun0 = world.attach(node, world.p2p());
  const tun1 = world.attach(node, world.p2p());
  world.run(3000);
  routeOn(node, '::/0', undefined, 'tun0');
  return { world, node, tun0, tun1 };
}

function chosen(node: Stack, to: string, options: { interface?: Interface } = {}): string {
  const { address, zone } = Address.parseScoped(to)!;
  const index = zone === undefined ? 0 : node.interfaceNamed(zone)!.index;
  const entry = selectSource(node, Address.viewOf(address), 0, { ...options, zone: index });
  return typeof entry === 'string' ? entry : Address.formatAddress(entry.address);
}

describe('SL-02 the rules of RFC 6724, in their order', () => {
  test.each<[title: string, destination: string, addresses: string[], winner: string]>([
    ['1: the same address', '2001:db8::5', ['2001:db8::1/64', '2001:db8::5/64'], '2001:db8::5'],
    [
      '2: a global source for a global destination, not a site-local one',
      '2001:db8:5::1',
      ['fec0::1/64', '2001:db8::1/64'],
      '2001:db8::1',
    ],
    ['2: a site-local source for a site-local destination', 'fec0::9', ['2001:db8::1/64', 'fec0::1/64'], 'fec0::1'],
    ['2: the smallest scope that reaches a site-local group', 'ff05::9', ['2001:db8::1/64', 'fec0::1/64'], 'fec0::1'],
    ['8: longest matching prefix', '2001:db8:1::9', ['2001:db8:2::1/64', '2001:db8:1::1/64'], '2001:db8:1::1'],
    [
      '8: SL-05 the example of the handbook',
      '2001:db8:800::1',
      ['2001:db8:9:124::1/64', '2001:db8:808:1::1/64'],
      '2001:db8:808:1::1',
    ],
    [
      '8: no further than the prefix of the candidate',
      '2001:db8:1::ff',
      ['2001:db8:1::1/64', '2001:db8:1::fe/64'],
      '2001:db8:1::1',
    ],
    ['none: the first one', '2001:db8:ffff::1', ['2001:db8:1::1/64', '2001:db8:1:0:1::1/64'], '2001:db8:1::1'],
  ])('%s', (_, destination, addresses, winner) => {
    const { node, tun0 } = twoLinks();
    for (const text of addresses) addressOn(tun0, text);
    expect(chosen(node, destination, { interface: tun0 })).toBe(winner);
  });

  test('3: not a deprecated address, even if it matches longer', () => {
    const { node, tun0 } = twoLinks();
    addressOn(tun0, '2001:db8:1::1/64', { noDad: true, preferredLifetime: 0 });
    addressOn(tun0, '2001:db8:2::1/64');
    expect(chosen(node, '2001:db8:1:9::9')).toBe('2001:db8:2::1');
  });

  test('5: an address of the outgoing interface, even if another matches longer', () => {
    const { node, tun0, tun1 } = twoLinks();
    addressOn(tun0, '2001:db8:1::1/64');
    addressOn(tun1, '2001:db8:2::1/64');
    expect(chosen(node, '2001:db8:2:1::9')).toBe('2001:db8:1::1');
    expect(chosen(node, '2001:db8:2:1::9', { interface: tun1 })).toBe('2001:db8:2::1');
  });

  test('6: SL-07 the label of the destination, once a policy is installed', () => {
    const { node, tun0 } = twoLinks();
    addressOn(tun0, '2001:db8:1::1/64');
    addressOn(tun0, '2002:c633:6401::1/64');
    expect(chosen(node, '2003::1')).toBe('2002:c633:6401::1');
    node.policy.add({ prefix: Address.address('::'), length: 0, precedence: 40, label: 1 });
    node.policy.add({ prefix: Address.address('2002::'), length: 16, precedence: 30, label: 2 });
    expect(chosen(node, '2003::1')).toBe('2001:db8:1::1');
    expect(node.policy.policies().map((policy) => policy.label)).toEqual([2, 1]);
    expect(node.policy.delete(Address.address('2002::'), 16)).toBe(true);
    node.policy.flush();
    expect(chosen(node, '2003::1')).toBe('2002:c633:6401::1');
  });

  test.each([
    ['SL-09 7: a public address before a temporary one', 0, '2001:db8:1::1'],
    ['SL-09 7: with prefer_tempaddr the temporary one', 1, '2001:db8:1::7'],
  ])('%s', (_, prefer, winner) => {
    const { node, tun0 } = twoLinks({ 'ip6.prefer_tempaddr': prefer });
    addressOn(tun0, '2001:db8:1::7/64', { noDad: true, temporary: true });
    addressOn(tun0, '2001:db8:1::1/64');
    expect(chosen(node, '2001:db8:9::1')).toBe(winner);
  });

  test('SL-03 then an address on an interface that is up, before the longest match', () => {
    const { world, node, tun0, tun1 } = twoLinks();
    const tun2 = world.attach(node, world.p2p());
    addressOn(tun1, '2001:db8:1::1/64');
    addressOn(tun2, '2001:db8:2::1/64');
    expect(chosen(node, '2001:db8:1:9::9')).toBe('2001:db8:1::1');
    node.routes.lookup(Address.viewOf(Address.address('2001:db8:1:9::9')), 0, 0)!.interface = tun0;
    tun1.up = false;
    expect(chosen(node, '2001:db8:1:9::9')).toBe('2001:db8:2::1');
  });

  test('SL-04 then an address on a preferred interface', () => {
    const { world, node, tun1 } = twoLinks();
    const tun2 = world.attach(node, world.p2p());
    addressOn(tun1, '2001:db8:1::1/64');
    addressOn(tun2, '2001:db8:2::1/64');
    tun2.nd.preferSource = true;
    expect(chosen(node, '2001:db8:1:9::9')).toBe('2001:db8:2::1');
  });
});

describe('what is never chosen', () => {
  test('SL-06 a link-local address for a global destination: EADDRNOTAVAIL', () => {
    const { node } = twoLinks();
    expect(chosen(node, '2001:db8:9::1')).toBe('EADDRNOTAVAIL');
    expect(node.counters.ip6.noSource).toBe(1);
  });

  test('SL-06 an address of another zone', () => {
    const { node, tun0, tun1 } = twoLinks();
    addressOn(tun1, '2001:db8:1::1/64');
    const own = tun0.addresses.find((entry) => entry.zone !== 0)!;
    expect(chosen(node, 'fe80::9%tun0')).toBe(Address.formatAddress(own.address));
    for (const entry of [...tun0.addresses]) entry.state = 'duplicated';
    expect(chosen(node, 'fe80::9%tun0')).toBe('EADDRNOTAVAIL');
  });

  test("SL-06 another link's link-local address, for a global group", () => {
    const { node, tun0 } = twoLinks();
    for (const entry of tun0.addresses) entry.state = 'duplicated';
    expect(chosen(node, 'ff0e::9', { interface: tun0 })).toBe('EADDRNOTAVAIL');
  });

  test.each(['tentative', 'duplicated'] as const)('a %s address', (state) => {
    const { node, tun0 } = twoLinks();
    addressOn(tun0, '2001:db8:1::1/64').state = state;
    expect(chosen(node, '2001:db8:9::1')).toBe('EADDRNOTAVAIL');
  });

  test('RQ-05 an anycast address', () => {
    const { node, tun0 } = twoLinks();
    addressOn(tun0, '2001:db8:1::/64', { anycast: true });
    expect(chosen(node, '2001:db8:9::1')).toBe('EADDRNOTAVAIL');
  });

  test('SL-08 a deprecated address, with use_deprecated 0', () => {
    const lifetime = { noDad: true, preferredLifetime: 0 };
    const first = twoLinks();
    addressOn(first.tun0, '2001:db8:1::1/64', lifetime);
    expect(chosen(first.node, '2001:db8:9::1')).toBe('2001:db8:1::1');
    const second = twoLinks({ 'ip6.use_deprecated': 0 });
    addressOn(second.tun0, '2001:db8:1::1/64', lifetime);
    expect(chosen(second.node, '2001:db8:9::1')).toBe('EADDRNOTAVAIL');
  });

  test('::1 but for ::1', () => {
    const { node } = twoLinks();
    expect(chosen(node, '::1')).toBe('::1');
  });
});

test('SL-01 without a route there is no source', () => {
  const world = new World();
  expect(chosen(world.node('node'), '2001:db8::1')).toBe('EHOSTUNREACH');
});
