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

test('what is under way when the cable is cut reaches nobody, however many ends there are', () => {
  const world = new World(32);
  const wire = world.lan();
  const talker = wire.tester();
  const ends = [wire.tester('02:00:00:00:0e:01'), wire.tester('02:00:00:00:0e:02')];
  const frame = new Uint8Array(60).fill(0xff);
  talker.send(frame);
  wire.segment.up = false;
  world.run(1);
  wire.segment.up = true;
  expect(ends.map(({ heard }) => heard.length)).toEqual([0, 0]);
  expect(wire.segment.lost).toBe(1);
  talker.send(frame);
  world.run(1);
  expect(ends.map(({ heard }) => heard.length)).toEqual([1, 1]);
  expectConserved(world);
});
