/** Neighbor Discovery between whole nodes. */
import { describe, expect, test } from 'vitest';
import { removeAddress } from '#stack/ip6/addresses.ts';
import type { Neighbor } from '#stack/nd6/neighbor.ts';
import { setNeighbor } from '#stack/nd6/static-entries.ts';
import type { Stack } from '#stack/stack.ts';
import { address, formatAddress } from '#stack/wire/address.ts';
import { ping } from '#tests/support/ping.ts';
import { addressOn, expectConserved, routeOn, World } from '#tests/support/world.ts';

const neighborOf = (stack: Stack, text: string): Neighbor | undefined =>
  [...stack.neighbors.all()].find((neighbor) => formatAddress(neighbor.address) === text);
const replies = (world: World): number => world.captured({ icmp6: { name: 'echoReply' } }).length;

describe('a target behind a proxy', () => {
  const TARGET = '2001:db8::99';

  test.each([0, 1] as const)(
    'ND-13 is reached by hosts of the link, which take it for a neighbor; redirects %d',
    (redirect) => {
      const world = new World();
      const host = world.node('host');
      const proxy = world.router('proxy', { 'ip6.redirect': redirect });
      const target = world.node('target');
      const lan = world.lan();
      const cable = world.lan();
      const em0 = world.attach(host, lan);
      const inside = world.attach(proxy, lan);
      const outside = world.attach(proxy, cable);
      const far = world.attach(target, cable);
      addressOn(em0, '2001:db8::1/64');
      addressOn(inside, '2001:db8::ff/64');
      addressOn(far, `${TARGET}/128`);
      world.run(5000);
      routeOn(proxy, `${TARGET}/128`, undefined, outside.name);
      routeOn(target, '::/0', `${formatAddress(outside.addresses[0]!.address)}%${far.name}`);
      expect(
        setNeighbor(proxy, address(TARGET), undefined, inside.mac!, { temporary: false, proxy: true }),
      ).toBeUndefined();

      for (let minute = 0; minute < 10; minute++) {
        ping(host, TARGET);
        world.run(60_000);
      }
      // once over the cable and once over the link, each time
      expect(replies(world)).toBe(20);
      expect(neighborOf(host, TARGET)?.linkAddress).toEqual(inside.mac);
      const answers = lan.captured({ icmp6: { name: 'neighborAdvertisement', target: TARGET } });
      expect(answers.length).toBeGreaterThan(1);
      // probes of the host were answered, so it resolved but once
      const asked = lan.captured({ ip6: { dst: 'ff02::1:ff00:99' }, icmp6: { name: 'neighborSolicitation' } });
      expect(asked.length).toBe(1);
      expectConserved(world);
    },
  );
});

describe.each(['lan', 'p2p'] as const)('two nodes on a %s', (medium) => {
  function pair(): { world: World; a: Stack; b: Stack } {
    const world = new World();
    const wire = world[medium]();
    const [a, b] = [world.node('a'), world.node('b')];
    addressOn(world.attach(a, wire), '2001:db8::1/64');
    addressOn(world.attach(b, wire), '2001:db8::2/64');
    world.run(5000);
    return { world, a, b };
  }

  test('ND-15 that talk stay reachable to each other', () => {
    const { world, a, b } = pair();
    for (let second = 0; second < 600; second++) {
      ping(a, '2001:db8::2');
      world.run(1000);
      if (second < 10) continue;
      expect(['reachable', 'stale', 'delay', 'probe']).toContain(neighborOf(a, '2001:db8::2')?.state);
    }
    expect(replies(world)).toBe(600);
    const lost = world.told(a).events.filter((event) => event.type === 'neighbor' && event.to === 'none');
    expect(lost).toEqual([]);
    expect(b.counters.nd6.solicitationsReceived).toBeGreaterThan(10);
    expectConserved(world);
  });

  test('ND-15 of which one dies: the other finds out within the reachable time, 5 s and three probes', () => {
    const { world, a, b } = pair();
    ping(a, '2001:db8::2');
    world.run(10_000);
    expect(neighborOf(a, '2001:db8::2')?.state).toBe('reachable');
    // dead, but the cable still has its signal
    const dead = b.interfaces.find((ifp) => ifp !== undefined && ifp.kind !== 'loopback')!;
    dead.up = false;
    const died = world.clock.now;
    let found: number | undefined;
    for (let tick = 0; tick < 600 && found === undefined; tick++) {
      ping(a, '2001:db8::2');
      world.run(100);
      const gone = world.told(a).events.some((event) => event.type === 'neighbor' && event.to === 'none');
      if (gone) found = world.clock.now - died;
    }
    expect(found).toBeLessThanOrEqual(45_000 + 5000 + 3000 + 200);
    expect(found).toBeGreaterThanOrEqual(3000);
    world.run(10_000);
    expect(a.held).toBe(0);
    expectConserved(world);
  });
});

test('ND-21 after a change of MAC an unsolicited advertisement moves the cache of the others', async () => {
  const { advertiseUnsolicited } = await import('#stack/nd6/advertisement.ts');
  const world = new World();
  const wire = world.lan();
  const [a, b] = [world.node('a'), world.node('b')];
  addressOn(world.attach(a, wire), '2001:db8::1/64');
  const changed = world.attach(b, wire);
  addressOn(changed, '2001:db8::2/64');
  world.run(5000);
  ping(a, '2001:db8::2');
  world.run(1000);
  const mac = Uint8Array.of(2, 0, 0, 0, 9, 9);
  changed.mac = mac;
  expect(advertiseUnsolicited(b, changed, address('2001:db8::2'), 1)).toBeUndefined();
  world.run(10);
  expect(neighborOf(a, '2001:db8::2')).toMatchObject({ linkAddress: mac, state: 'stale' });
});

test('ND-02 two hundred nodes on one link find each other', () => {
  const world = new World();
  const wire = world.lan();
  const nodes = Array.from({ length: 200 }, (_, number) => {
    const stack = world.node(`n${number}`);
    addressOn(world.attach(stack, wire), `2001:db8::${(number + 1).toString(16)}/64`);
    return stack;
  });
  world.run(3000);
  for (const [number, stack] of nodes.entries()) ping(stack, `2001:db8::${(((number + 1) % 200) + 1).toString(16)}`);
  world.run(1000);
  expect(replies(world)).toBe(200);
  expectConserved(world);
});

describe('the owner of an address that is a duplicate here', () => {
  test('ND-05 is reached and answered; once the owner is gone, detection makes it ours', () => {
    const world = new World();
    const wire = world.lan();
    const [a, b] = [world.node('a'), world.node('b')];
    const [left, right] = [world.attach(a, wire), world.attach(b, wire)];
    addressOn(left, '2001:db8::1/64');
    const owned = addressOn(right, '2001:db8::2/64');
    world.run(5000);
    const duplicate = addressOn(left, '2001:db8::2/64', {});
    world.run(5000);
    expect(duplicate.state).toBe('duplicated');

    expect(ping(a, '2001:db8::2', { source: '2001:db8::1' })).toBe(undefined);
    world.run(1000);
    expect(ping(b, '2001:db8::1', { source: '2001:db8::2' })).toBe(undefined);
    world.run(1000);
    expect(replies(world)).toBe(2);
    expect(neighborOf(a, '2001:db8::2')?.linkAddress).toEqual(right.mac);

    removeAddress(b, owned);
    removeAddress(a, duplicate);
    expect(a.routes.find(address('2001:db8::2'), 128, 0)).toBe(undefined);
    addressOn(left, '2001:db8::2/64', {});
    world.run(5000);
    expect(ping(a, '2001:db8::2')).toBe(undefined);
    world.run(1000);
    expect(replies(world)).toBe(2); // to itself, by lo0: nothing on the wire
    expect(a.counters.icmp6.reflected).toBe(2);
    expectConserved(world);
  });
});
