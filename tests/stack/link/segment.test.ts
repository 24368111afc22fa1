import { expect, test } from 'vitest';
import { address } from '#stack/wire/address.ts';
import { addressOn, expectConserved, World } from '#tests/support/world.ts';

test('what is struck on the way is found out by its checksum: the word of its sender does not travel', () => {
  const world = new World(31);
  const wire = world.p2p();
  const [a, b] = [world.node('a'), world.node('b')];
  addressOn(world.attach(a, wire), '2001:db8::1/64');
  addressOn(world.attach(b, wire), '2001:db8::2/64');
  world.run(3000);
  wire.segment.filter((pkt) => {
    pkt.bytes[pkt.tail - 1]! ^= 1;
    return true;
  });
  a.udp.open().send(Uint8Array.of(1, 2, 3), { address: address('2001:db8::2'), zone: 0 }, 7);
  world.run(1);
  expect(b.counters.udp6).toMatchObject({ received: 1, badChecksum: 1 });
  expectConserved(world);
});
