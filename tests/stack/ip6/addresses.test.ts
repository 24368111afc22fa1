import { describe, expect, test } from 'vitest';
import { addAddress, removeAddress, setLifetimes } from '#stack/ip6/addresses.ts';
import { RouteFlag } from '#stack/route/table.ts';
import type { Stack } from '#stack/stack.ts';
import * as Address from '#stack/wire/address.ts';
import { addressOn, expectConserved, World } from '#tests/support/world.ts';

function onLan(sysctl: Record<string, number> = {}) {
  const world = new World();
  const node = world.node('node', sysctl);
  const em0 = world.attach(node, world.lan(), { mac: '02:00:00:00:00:01' });
  world.run(3000);
  return { world, node, em0 };
}

/** `prefix/length flags interface` of every route but those of the start-up file. */
const routes = (node: Stack) =>
  [...node.routes.routes()]
    .filter((route) => (route.flags & RouteFlag.reject) === 0)
    .map((route) => `${Address.formatAddress(route.destination)}/${route.prefixLength} ${route.interface.name}`)
    .toSorted();

const member = (node: Stack, text: string) => {
  const { address, zone } = Address.parseScoped(text)!;
  return node.mld.isMember(node.interfaceNamed(zone!)!, Address.viewOf(address), 0);
};

describe('what a node has before anybody configured it', () => {
  test('RQ-01 lo0 with ::1 and ff01::1', () => {
    const node = new World().node('node');
    expect(node.loopback.up).toBe(true);
    expect(node.loopback.addresses.map((entry) => [Address.formatAddress(entry.address), entry.state])).toEqual([
      ['::1', 'preferred'],
      ['fe80::1', 'preferred'],
    ]);
    expect(member(node, 'ff01::1%lo0')).toBe(true);
    expect(member(node, 'ff02::1%lo0')).toBe(true);
  });

  test('IV-09 reject routes for IPv4 in disguise and for link-local without a zone', () => {
    const node = new World().node('node');
    const rejected = [...node.routes.routes()].filter((route) => (route.flags & RouteFlag.reject) !== 0);
    expect(
      rejected
        .map((route) => Address.formatPrefix({ address: route.destination, length: route.prefixLength }))
        .toSorted(),
    ).toEqual(
      [
        '2002:7f00::/24',
        '2002:a00::/24',
        '2002:ac10::/28',
        '2002:c0a8::/32',
        '2002:e000::/20',
        '2002:ff00::/24',
        '2002::/24',
        '::/96',
        '::ffff:0.0.0.0/96',
        'fe80::/10',
      ].toSorted(),
    );
  });

  test('RQ-02 an interface that comes up: link-local address, its solicited-node group, ff02::1', () => {
    const { em0, node } = onLan();
    expect(em0.addresses.map((entry) => Address.formatAddress(entry.address))).toEqual(['fe80::ff:fe00:1']);
    expect(em0.addresses[0]!.zone).toBe(em0.index);
    expect(member(node, 'ff02::1:ff00:1%em0')).toBe(true);
    expect(member(node, 'ff02::1%em0')).toBe(true);
    expect(member(node, 'ff02::2%em0')).toBe(false);
  });

  test('RQ-04 a router listens to ff02::2, too', () => {
    const { node } = onLan({ 'ip6.forwarding': 1 });
    expect(member(node, 'ff02::2%em0')).toBe(true);
  });
});

test('RQ-03 an address brings its routes and its group, is detected, and takes all away again', () => {
  const { world, node, em0 } = onLan();
  const before = routes(node);
  const entry = addAddress(node, em0, Address.address('2001:db8::77'), 64);
  if (typeof entry === 'string') throw new Error(entry);
  expect(entry.state).toBe('tentative');
  expect(routes(node)).toEqual([...before, '2001:db8::/64 em0', '2001:db8::77/128 lo0'].toSorted());
  expect(member(node, 'ff02::1:ff00:77%em0')).toBe(true);
  world.run(3000);
  expect(entry.state).toBe('preferred');
  removeAddress(node, entry);
  expect(routes(node)).toEqual(before);
  expect(member(node, 'ff02::1:ff00:77%em0')).toBe(false);
  expect(node.addresses.get(entry.view, 0, 0)).toBeUndefined();
  expect(em0.addresses).not.toContain(entry);
  removeAddress(node, entry);
  const changes = world
    .told(node)
    .events.flatMap((event) => (event.type === 'address' && event.address === '2001:db8::77' ? [event.change] : []));
  expect(changes).toEqual(['added', 'removed']);
  expectConserved(world);
});

test('an address that is removed while it is detected is no longer asked for', () => {
  const { world, node, em0 } = onLan();
  const entry = addressOn(em0, '2001:db8::77/64', {});
  removeAddress(node, entry);
  world.run(5000);
  expect(world.captured({ icmp6: { name: 'neighborSolicitation', target: '2001:db8::77' } })).toEqual([]);
  expect(entry.state).toBe('tentative');
});

describe('what cannot be an address', () => {
  test.each([
    ['a group', 'ff02::9', 64],
    ['the unspecified address', '::', 64],
    ['loopback on another interface', '::1', 128],
    ['an IPv4-mapped address', '::ffff:192.0.2.1', 96],
    ['an IPv4-compatible address', '::192.0.2.1', 96],
    ['SC-15 a zone inside a link-local address', 'fe80:1::9', 64],
    ['a prefix length of 129', '2001:db8::1', 129],
    ['a negative prefix length', '2001:db8::1', -1],
  ])('%s: EINVAL', (_, text, length) => {
    const { node, em0 } = onLan();
    expect(addAddress(node, em0, Address.address(text), length)).toBe('EINVAL');
    expect(em0.addresses).toHaveLength(1);
  });

  test('one that the node has: EEXIST, but a link-local one may be on every link', () => {
    const { world, node, em0 } = onLan();
    const em1 = world.attach(node, world.lan());
    addressOn(em0, '2001:db8::1/64');
    expect(addAddress(node, em0, Address.address('2001:db8::1'), 64)).toBe('EEXIST');
    expect(addAddress(node, em1, Address.address('2001:db8::1'), 64)).toBe('EEXIST');
    addressOn(em0, 'fe80::9/64');
    addressOn(em1, 'fe80::9/64');
    const view = Address.viewOf(Address.address('fe80::9'));
    expect([em0, em1].map((ifp) => node.addresses.get(view, 0, ifp.index)!.interface)).toEqual([em0, em1]);
  });
});

describe('the on-link route of a subnet', () => {
  test('goes with the last address of the subnet', () => {
    const { node, em0 } = onLan();
    const entries = ['2001:db8::1/64', '2001:db8::2/64'].map((text) => addressOn(em0, text));
    removeAddress(node, entries[0]!);
    expect(routes(node)).toContain('2001:db8::/64 em0');
    removeAddress(node, entries[1]!);
    expect(routes(node)).not.toContain('2001:db8::/64 em0');
  });

  test('moves to another interface with an address in the subnet', () => {
    const { world, node, em0 } = onLan();
    const em1 = world.attach(node, world.lan());
    const first = addressOn(em0, '2001:db8::1/64');
    addressOn(em1, '2001:db8::2/64');
    expect(routes(node)).toContain('2001:db8::/64 em0');
    const third = addressOn(em1, '2001:db8::3/64');
    removeAddress(node, third);
    expect(routes(node)).toContain('2001:db8::/64 em0');
    removeAddress(node, first);
    expect(routes(node)).toContain('2001:db8::/64 em1');
  });

  test('a /128 brings none; on a point-to-point link it may name the other end', () => {
    const world = new World();
    const node = world.node('node');
    const tun0 = world.attach(node, world.p2p());
    world.run(3000);
    const before = routes(node);
    const entry = addressOn(tun0, '2001:db8::1/128', { noDad: true, destination: Address.address('2001:db8::2') });
    expect(routes(node)).toEqual([...before, '2001:db8::1/128 lo0', '2001:db8::2/128 tun0'].toSorted());
    removeAddress(node, entry);
    expect(routes(node)).toEqual(before);
  });
});

describe('lifetimes (RFC 4862 5.5.4)', () => {
  test('preferred, then deprecated, then gone', () => {
    const { world, node, em0 } = onLan();
    const entry = addressOn(em0, '2001:db8::1/64', { noDad: true, preferredLifetime: 10, validLifetime: 30 });
    world.run(9999);
    expect(entry.state).toBe('preferred');
    world.run(1);
    expect(entry.state).toBe('deprecated');
    world.run(19_999);
    expect(em0.addresses).toContain(entry);
    world.run(1);
    expect(em0.addresses).not.toContain(entry);
    expect(routes(node)).not.toContain('2001:db8::/64 em0');
    expectConserved(world);
  });

  test('new lifetimes make a deprecated address preferred again', () => {
    const { world, em0 } = onLan();
    const entry = addressOn(em0, '2001:db8::1/64', { noDad: true, preferredLifetime: 1, validLifetime: 30 });
    world.run(2000);
    expect(entry.state).toBe('deprecated');
    setLifetimes(entry, 10, 20);
    expect(entry.state).toBe('preferred');
    setLifetimes(entry, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    world.run(100_000_000);
    expect(entry.state).toBe('preferred');
  });

  test('an address whose preferred lifetime ends during detection becomes deprecated after it', () => {
    const { world, em0 } = onLan();
    const entry = addressOn(em0, '2001:db8::1/64', { preferredLifetime: 0, validLifetime: 300 });
    expect(entry.state).toBe('tentative');
    world.run(5000);
    expect(entry.state).toBe('deprecated');
  });

  test.each([
    ['a valid lifetime of zero', 0, 0],
    ['preferred longer than valid', 20, 10],
    ['a negative one', -1, 10],
  ])('%s: EINVAL', (_, preferredLifetime, validLifetime) => {
    const { node, em0 } = onLan();
    const options = { preferredLifetime, validLifetime };
    expect(addAddress(node, em0, Address.address('2001:db8::1'), 64, options)).toBe('EINVAL');
  });
});
