import { expect, test } from 'vitest';
import { ping } from '#tests/support/ping.ts';
import { addressOn, expectConserved, routeOn, World } from '#tests/support/world.ts';

/** Two hosts, a router between them, an hour of now and then a ping, one neighbor that is not there. */
function anHour(seed: number): World {
  const world = new World(seed);
  const left = world.lan();
  const right = world.p2p({ mtu: 1280 });
  const [a, router, b] = [world.node('a'), world.router('router'), world.node('b')] as const;
  addressOn(world.attach(a, left), '2001:db8:a::a/64', {});
  addressOn(world.attach(router, left), '2001:db8:a::1/64', {});
  addressOn(world.attach(router, right), '2001:db8:b::1/64', {});
  addressOn(world.attach(b, right), '2001:db8:b::b/64', {});
  routeOn(a, '::/0', '2001:db8:a::1');
  routeOn(b, '::/0', '2001:db8:b::1');
  world.run(3000);
  for (let minute = 0; minute < 60; minute++) {
    ping(a, '2001:db8:b::b', { seq: minute, size: 100 + 40 * minute });
    ping(b, '2001:db8:a::77', { seq: minute });
    world.run(60_000);
  }
  return world;
}

test('one seed gives one byte-identical capture, and another seed another', () => {
  const capture = (world: World) =>
    world.frames.map(({ time, bytes }) => `${time} ${Buffer.from(bytes).toString('hex')}`);
  const [first, second, other] = [anHour(1), anHour(1), anHour(2)] as const;
  expect(first.captured({ icmp6: { name: 'echoReply' } }).length).toBeGreaterThan(50);
  expect(capture(second)).toEqual(capture(first));
  expect(capture(other)).not.toEqual(capture(first));
  expectConserved(first);
});
