/** What anybody on the link, or behind a router, can do to the neighbor cache (RFC 6583). Memory stays bounded, what works goes on working. */
import { expect, test } from 'vitest';
import { SeededRandom } from '#stack/env/random.ts';
import { setNeighbor } from '#stack/nd6/static-entries.ts';
import { address, formatAddress } from '#stack/wire/address.ts';
import { transport6 } from '#stack/wire/checksum.ts';
import { Type } from '#stack/wire/icmp6.ts';
import { icmp, MAC_A, MAC_B, na, ns, PEER, Station, sll, tll } from './station.ts';

const LIMIT = 4096;
const STATIC = '2001:db8::5';
const IDLE = '2001:db8::6';

/** A node with a reachable, a static and a stale neighbor. */
function busy(): Station {
  const station = new Station({ quiet: true });
  setNeighbor(station.stack, address(STATIC), undefined, MAC_B, { temporary: false, proxy: false });
  for (const neighbor of [IDLE, PEER]) {
    station.send(neighbor);
    station.receive(na({ target: neighbor, options: tll(MAC_A) }));
    if (neighbor === IDLE) station.clock.run(45_000);
  }
  expect(station.neighbor(PEER)?.state).toBe('reachable');
  expect(station.neighbor(IDLE)?.state).toBe('stale');
  return station;
}

/** Fill in a random interface identifier from a random station. */
function randomize(bytes: Uint8Array, at: number, random: SeededRandom): void {
  for (let byte = 8; byte < 16; byte++) bytes[at + byte] = random.u32() >>> 24;
}

function expectSound(station: Station): void {
  const { stack } = station;
  expect(stack.neighbors.size).toBeLessThanOrEqual(LIMIT);
  expect(stack.neighbors.held).toBeLessThanOrEqual(LIMIT);
  expect(station.pool.outstanding).toBe(stack.held);
  expect(station.neighbor(PEER)?.state).toBe('reachable');
  expect(station.neighbor(STATIC)?.state).toBe('static');
  expect(station.neighbor(IDLE)?.state).toBe('stale');
  const before = station.sentCount;
  station.send(PEER);
  expect(station.sentCount).toBe(before + 1);
}

test('ND-09 a million solicitations from random sources leave the cache bounded and the neighbors in use alone', () => {
  const station = busy();
  const random = new SeededRandom(6583);
  const bytes = ns({ options: sll(MAC_B) });
  const v = new DataView(bytes.buffer);
  for (let count = 0; count < 1_000_000; count++) {
    randomize(bytes, 8, random);
    v.setUint16(42, 0);
    v.setUint16(42, transport6(v, 0, 40, bytes.length - 40, 58));
    station.receive(bytes);
  }
  expect(station.stack.counters.nd6.solicitationsReceived).toBe(1_000_000);
  expect(station.stack.counters.nd6.cacheEvicted).toBeGreaterThan(990_000);
  expectSound(station);
}, 60_000);

test('ND-01 packets to random addresses of a /64 leave the cache bounded and the neighbors in use alone', () => {
  const station = busy();
  const { stack } = station;
  stack.sysctl.ip6.forwarding = 1;
  stack.sysctl.ip6.redirect = 0;
  const random = new SeededRandom(6583);
  const bytes = icmp(Type.echoRequest, new Uint8Array(8), { from: PEER, to: '2001:db8::', hops: 64 });
  for (let count = 0; count < 200_000; count++) {
    randomize(bytes, 24, random);
    station.receive(bytes);
    if (count % 50_000 === 0) expectSound(station);
  }
  expectSound(station);
  // and when it is over the entries go, the packets with them
  station.clock.run(10_000);
  expect(stack.neighbors.size).toBeLessThanOrEqual(3);
  expect(stack.held).toBe(0);
  expect(station.pool.outstanding).toBe(0);
}, 60_000);

test('ND-01 a new neighbor is resolved in the middle of a flood', () => {
  const station = busy();
  const random = new SeededRandom(1);
  const flood = (): void => {
    for (let count = 0; count < 1000; count++) {
      const to = new Uint8Array(16);
      to.set(address('2001:db8::'));
      randomize(to, 0, random);
      station.send(formatAddress(to));
    }
  };
  for (let round = 0; round < 10; round++) {
    flood();
    const fresh = `2001:db8::1:${round + 1}`;
    station.send(fresh);
    station.receive(na({ target: fresh, options: tll(MAC_A) }));
    expect(station.neighbor(fresh)?.state).toBe('reachable');
  }
  flood();
  for (let round = 0; round < 10; round++)
    expect(station.neighbor(`2001:db8::1:${round + 1}`)?.state).toBe('reachable');
});

test('ND-01 a cache full of neighbors in use refuses new ones, and says so', () => {
  const station = new Station();
  station.stack.sysctl.icmp6.nd6_maxneighbors = 16;
  for (let count = 0; count < 16; count++) {
    setNeighbor(station.stack, address(`2001:db8::1:${count + 1}`), undefined, MAC_B, {
      temporary: false,
      proxy: false,
    });
  }
  expect(station.send(PEER)).toBe('ENOBUFS');
  expect(station.stack.counters.nd6.cacheFull).toBe(1);
  station.receive(ns({ options: sll(MAC_A) }));
  expect(station.stack.neighbors.size).toBe(16);
  expect(station.pool.outstanding).toBe(0);
});

test('ND-02 advertisements nobody asked for do not make an entry safe from eviction', () => {
  const station = new Station({ quiet: true });
  station.stack.sysctl.icmp6.nd6_maxneighbors = 16;
  for (let count = 0; count < 16; count++) {
    const from = `2001:db8::1:${count + 1}`;
    station.receive(ns({ from, options: sll(MAC_A) }));
    station.receive(na({ target: from, flags: 'SO', options: tll(MAC_A) }));
    expect(station.neighbor(from)?.state).toBe('reachable');
  }
  expect(station.send(PEER)).toBeUndefined();
  expect(station.neighbor(PEER)?.state).toBe('incomplete');
});
