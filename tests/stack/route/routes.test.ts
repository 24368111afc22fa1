import { describe, expect, test } from 'vitest';
import { addRoute, changeRoute, deleteRoute, type RouteSpec } from '#stack/route/routes.ts';
import { type Route, RouteFlag, RouteTable } from '#stack/route/table.ts';
import * as Address from '#stack/wire/address.ts';
import { addressOn, routeOn, World } from '#tests/support/world.ts';

function onLan() {
  const world = new World();
  const node = world.node('node');
  const em0 = world.attach(node, world.lan());
  addressOn(em0, '2001:db8::1/64');
  return { world, node, em0 };
}

const destination = Address.address('2001:db8:c::');
const view = (text: string) => Address.viewOf(Address.address(text));

describe('longest prefix match', () => {
  test('agrees with a look at every route, on 2,000 addresses and 300 random prefixes', () => {
    const world = new World(7);
    const { random } = world;
    const table = new RouteTable(random.u32());
    const all: Route[] = [];
    const near = () => {
      const address = Address.address('2001:db8::').slice();
      random.bytes(address.subarray(4, 8));
      for (let byte = 4; byte < 8; byte++) address[byte]! &= 0x11;
      return address;
    };
    for (let count = 0; count < 300; count++) {
      const prefixLength = random.u32() % 129;
      const prefix = Address.masked(near(), prefixLength);
      if (table.find(prefix, prefixLength, 0) !== undefined) continue;
      const route = { destination: prefix, prefixLength, zone: 0 } as Route;
      table.add(route);
      all.push(route);
      if (count % 5 === 4) {
        const gone = all.splice(random.u32() % all.length, 1)[0]!;
        expect(table.remove(gone)).toBe(true);
      }
    }
    for (let count = 0; count < 2000; count++) {
      const address = Address.viewOf(near());
      let best: Route | undefined;
      for (const route of all) {
        const fits = Address.prefixMatches(Address.viewOf(route.destination), 0, address, 0, route.prefixLength);
        if (fits && (best === undefined || route.prefixLength > best.prefixLength)) best = route;
      }
      expect(table.lookup(address, 0, 0)).toBe(best);
      // met again: remembered
      expect(table.lookup(address, 0, 0)).toBe(best);
    }
  });

  test('a destination that was looked up before follows every change of the table', () => {
    const { node } = onLan();
    const to = view('2001:db8:c::1');
    expect(node.routes.lookup(to, 0, 0)).toBeUndefined();
    const wide = routeOn(node, '2001:db8:c::/48', '2001:db8::8');
    expect(node.routes.lookup(to, 0, 0)).toBe(wide);
    const narrow = routeOn(node, '2001:db8:c::/64', '2001:db8::9');
    expect(node.routes.lookup(to, 0, 0)).toBe(narrow);
    deleteRoute(node, Address.address('2001:db8:c::'), 64);
    expect(node.routes.lookup(to, 0, 0)).toBe(wide);
    expect(node.routes.lookup(to, 0, 5)).toBeUndefined();
  });

  test('a scoped prefix is looked up in its zone, the default route in every zone', () => {
    const { node, em0 } = onLan();
    const byDefault = routeOn(node, '::/0', '2001:db8::9');
    const onLink = node.routes.lookup(view('fe80::9'), 0, em0.index);
    expect(onLink).toMatchObject({ prefixLength: 64, interface: em0, gateway: undefined });
    expect(node.routes.lookup(view('2001:db8:5::1'), 0, 0)).toBe(byDefault);
  });
});

describe('route add', () => {
  test('by a gateway on a link of ours', () => {
    const { node, em0 } = onLan();
    const route = routeOn(node, '2001:db8:c::1/48', '2001:db8::9');
    expect(route.interface).toBe(em0);
    expect(route.flags).toBe(RouteFlag.up | RouteFlag.gateway);
    expect(Address.formatAddress(route.destination)).toBe('2001:db8:c::');
  });

  test('by a link-local gateway and its zone', () => {
    const { node, em0 } = onLan();
    expect(routeOn(node, '::/0', 'fe80::9%em0')).toMatchObject({ interface: em0, prefixLength: 0 });
  });

  test.each<[title: string, spec: Partial<RouteSpec>, error: string]>([
    ['a gateway on no link', { gateway: Address.address('2001:db8:5::1') }, 'ENETUNREACH'],
    ['a link-local gateway without a zone', { gateway: Address.address('fe80::1') }, 'EINVAL'],
    ['a group as gateway', { gateway: Address.address('ff02::1') }, 'EINVAL'],
    ['neither gateway nor interface', {}, 'EINVAL'],
    ['a prefix length of 129', { prefixLength: 129 }, 'EINVAL'],
    [
      'one that is there',
      { destination: Address.address('2001:db8::'), prefixLength: 64, gateway: Address.address('2001:db8::9') },
      'EEXIST',
    ],
  ])('%s: refused', (_, spec, error) => {
    const { node } = onLan();
    expect(addRoute(node, { destination, prefixLength: 48, ...spec })).toBe(error);
  });

  test('a gateway behind another gateway is refused', () => {
    const { node } = onLan();
    routeOn(node, '::/0', '2001:db8::9');
    expect(addRoute(node, { destination, prefixLength: 48, gateway: Address.address('2001:db8:5::1') })).toBe(
      'ENETUNREACH',
    );
  });
});

test('route change and route delete', () => {
  const { world, node } = onLan();
  const route = routeOn(node, '2001:db8:c::/48', '2001:db8::9');
  expect(changeRoute(node, route, Address.address('2001:db8::8'))).toBeUndefined();
  expect(Address.formatAddress(route.gateway!)).toBe('2001:db8::8');
  expect(deleteRoute(node, destination, 48)).toBeUndefined();
  expect(deleteRoute(node, destination, 48)).toBe('ESRCH');
  const changes = world
    .told(node)
    .events.flatMap((event) =>
      event.type === 'route' && event.destination === '2001:db8:c::/48' ? [event.change] : [],
    );
  expect(changes).toEqual(['added', 'changed', 'removed']);
});

test('a route with a life goes when that is over', () => {
  const { world, node, em0 } = onLan();
  const { now } = world.clock;
  addRoute(node, { destination, prefixLength: 48, interface: em0, expires: now + 2000 });
  addRoute(node, {
    destination: Address.address('2001:db8:d::'),
    prefixLength: 48,
    interface: em0,
    expires: now + 1000,
  });
  const there = () =>
    ['2001:db8:c::1', '2001:db8:d::1'].map((text) => node.routes.lookup(view(text), 0, 0) !== undefined);
  expect(there()).toEqual([true, true]);
  world.run(1000);
  expect(there()).toEqual([true, false]);
  world.run(1000);
  expect(there()).toEqual([false, false]);
});
