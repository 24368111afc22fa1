import { expect, test } from 'vitest';
import type { Random } from '#stack/env/random.ts';
import { addRoute } from '#stack/route/routes.ts';
import { address } from '#stack/wire/address.ts';
import { NODE, PEER } from '#tests/support/linked.ts';
import {
  concat,
  destinationOptions,
  echoRequest,
  fragment,
  hopByHop,
  icmp6,
  type Layer,
  packet,
  pattern,
  raw,
  routing,
  udp,
} from '#tests/support/packets.ts';
import { addressOn, expectConserved, set, World } from '#tests/support/world.ts';

/** About three seconds; a million frames passed with seeds 1 to 4. */
const FRAMES = 60_000;

const SOURCES = [PEER, PEER, PEER, 'fe80::2', 'fe80::2', '2001:db8:c::2', '::', '2001:db8::', '::1', 'ff02::1'];
const DESTINATIONS = [
  NODE,
  NODE,
  NODE,
  'fe80::ff:fe00:1',
  '2001:db8::',
  'ff02::1',
  'ff02::1:ff00:1',
  '2001:db8:b::2',
  '::',
  'ff0e::9',
];

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.u32() % choices.length]!;
}

/** A packet that nearly makes sense. */
function make(random: Random): Uint8Array {
  const layers: Layer[] = [];
  const data = pattern(random.u32() % 200);
  const src = pick(random, SOURCES);
  const dst = pick(random, DESTINATIONS);
  const hop = () => pick(random, DESTINATIONS);
  while (random.u32() % 4 === 0 && layers.length < 6) {
    layers.push(
      pick(random, [
        () => hopByHop(pick(random, [5, 0xc2, 0x1e, 0x5e, 0x9e, 0xde]), pick(random, [0, 2, 4]), 0, 0, 0, 0),
        () => destinationOptions(random.u32() & 0xff, pick(random, [0, 1, 4]), 1, 2, 3, 4),
        () => routing(pick(random, [0, 0, 2, 4]), random.u32() % 3, hop(), hop()),
        () => fragment((random.u32() % 8) * 8, random.u32() % 2 === 0, random.u32() % 5),
      ])(),
    );
  }
  // about a packet of ours, or of somebody else's
  const inner = packet({ src: pick(random, [NODE, PEER]), dst: pick(random, SOURCES) }, udp(1, 2, 20));
  const target = (text: string) => packet({ src: text, dst: text }).slice(8, 24);
  const linkAddress = Uint8Array.of(
    pick(random, [1, 1, 2, 2, 3, 5, 14]),
    pick(random, [1, 1, 1, 0, 2]),
    2,
    0,
    0,
    0,
    0,
    0xaa,
  );
  layers.push(
    pick(random, [
      () => echoRequest(data.length),
      () => udp(random.u32() & 0xffff, 546, data.length),
      () => icmp6(random.u32() & 0xff, random.u32() % 3, random.u32(), data),
      () => icmp6(pick(random, [1, 2, 3, 4]), 0, random.u32() % 2000, inner),
      () => icmp6(pick(random, [130, 131, 132]), 0, 0, data.slice(0, 16)),
      () => icmp6(pick(random, [135, 136]), 0, random.u32(), concat(target(pick(random, [NODE, PEER])), linkAddress)),
      () => icmp6(137, 0, 0, concat(target('fe80::7'), target(pick(random, [dst, '2001:db8:c::2'])), linkAddress)),
      () => icmp6(pick(random, [133, 134]), 0, random.u32(), concat(data.slice(0, 8), linkAddress)),
      () => raw(random.u32() & 0xff, data),
    ])(),
  );
  return packet({ src, dst, hops: pick(random, [255, 255, 64, 1, 0]) }, ...layers);
}

function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  const mutant = bytes.slice();
  for (let count = random.u32() % 4; count > 0 && mutant.length > 0; count--) {
    mutant[random.u32() % mutant.length] = pick(random, [0, 1, 0xff, 0x80, random.u32() & 0xff]);
  }
  if (random.u32() % 8 === 0) return mutant.slice(0, random.u32() % (mutant.length + 1));
  return random.u32() % 8 === 0 ? concat(mutant, pattern(random.u32() % 20)) : mutant;
}

test.each<[seed: number, kind: 'router' | 'host']>([
  [1, 'router'],
  [2, 'router'],
  [3, 'host'],
])('hostile frames, seed %i, at a %s: no exception, no leak, no table without a bound', (seed, kind) => {
  const world = new World(seed);
  const { random } = world;
  const node = world.node('node', { 'ip6.forwarding': kind === 'router' ? 1 : 0 });
  const lan = world.lan();
  const em0 = world.attach(node, lan, { mac: '02:00:00:00:00:01' });
  const tun0 = world.attach(node, world.p2p());
  addressOn(em0, '2001:db8::1/64');
  addressOn(em0, '2001:db8::/64', { anycast: true });
  addressOn(tun0, '2001:db8:b::1/64');
  const gateway = address('fe80::2');
  addRoute(node, { destination: address('2001:db8:c::'), prefixLength: 48, gateway, interface: em0 });
  lan.segment.tap(undefined);
  world.wires[1]!.segment.tap(undefined);
  const station = lan.tester('02:00:00:00:00:aa');
  world.run(3000);
  set(node, 'icmp6.nd6_maxneighbors', 64);

  for (let count = 0; count < FRAMES / 2; count++) {
    if (count === FRAMES / 4) set(node, 'ip6.rthdr0', 1);
    const bytes = mutate(random, make(random));
    const to = random.u32() % 4 === 0 ? [0x33, 0x33, 0, 0, 0, 1] : [2, 0, 0, 0, 0, 1];
    if (random.u32() % 2 === 0) {
      station.send(concat(Uint8Array.from([...to, 2, 0, 0, 0, 0, 0xaa, 0x86, 0xdd]), bytes));
    } else {
      // as a TAP hands over what the kernel has verified: past the checksum, so that mutants get deeper
      const pkt = world.pool.take(bytes.length);
      pkt.bytes.set(bytes, pkt.head);
      pkt.tail = pkt.head + bytes.length;
      pkt.checksum = 'good';
      tun0.receive(pkt);
    }
    world.run(random.u32() % 64 === 0 ? 500 : 1);
    station.heard.length = 0;
    if (count % 1000 === 0) expectConserved(world);
  }

  expectConserved(world);
  const { ip6, icmp6 } = node.counters;
  expect(ip6.internalError).toBe(0);
  if (kind === 'host') expect(icmp6.badRedirect).toBeLessThan(node.histograms.icmp6In[137]!);
  expect(ip6.received).toBeGreaterThan(FRAMES / 3);
  expect(node.pathMtu.size).toBeLessThanOrEqual(1280);
  expect(node.reassembly.packets).toBeLessThanOrEqual(200);
  expect([...node.routes.routes()].length).toBeLessThan(50);
  expect(node.addresses.size).toBe(7);
  // everything that waits for something gets it, or is given up
  world.run(120_000);
  expectConserved(world);
  expect(node.held).toBe(0);
});
