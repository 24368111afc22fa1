import { describe, expect, test } from 'vitest';
import { hintReachable } from '#stack/nd6/reachability-hint.ts';
import { reachableTime } from '#stack/nd6/reachable-time.ts';
import { address, viewOf } from '#stack/wire/address.ts';
import { Type } from '#stack/wire/icmp6.ts';
import { icmp, MAC_A, na, OWN, OWN_LINK_LOCAL, PEER, PEER_LINK_LOCAL, ra, Station, sll, tll } from './station.ts';

const MULTICAST = `ns ${PEER} ${OWN}>ff02::1:ff00:2 sll=1`;
const UNICAST = `ns ${PEER} ${OWN}>${PEER} sll=1`;

function reachable(station: Station): void {
  station.send(PEER);
  station.receive(na({ options: tll(MAC_A) }));
  station.sent();
}

describe('address resolution', () => {
  test('ND-01 an absent neighbor is asked for three times, a second apart, then given up', () => {
    const station = new Station();
    const start = station.clock.now;
    station.send(PEER);
    station.clock.run(10_000);
    expect(station.frames.map(({ time, text }) => [time - start, text])).toEqual([
      [0, MULTICAST],
      [1000, MULTICAST],
      [2000, MULTICAST],
    ]);
    expect(station.stack.counters.nd6.unresolved).toBe(1);
    expect(station.stack.counters.icmp6.outAddressUnreachable).toBe(1);
    // the error about our own packet came back to ourselves
    expect(station.stack.histograms.icmp6In[Type.unreachable]).toBe(1);
    expect(station.stack.held).toBe(0);
    expect(station.pool.outstanding).toBe(0);
  });

  test('ND-01 own packets from a link-local source are told of, too', () => {
    const station = new Station();
    station.send(PEER_LINK_LOCAL);
    station.clock.run(10_000);
    expect(station.stack.histograms.icmp6In[Type.unreachable]).toBe(1);
  });

  test.each([
    [1, 4, 3],
    [3, 4, 1],
  ])('ND-01 with a queue of %d, %d packets leave the newest held and %d dropped', (limit, count, dropped) => {
    const station = new Station();
    station.stack.sysctl.icmp6.nd6_maxqueuelen = limit;
    for (let sent = 0; sent < count; sent++) station.send(PEER);
    expect(station.stack.neighbors.held).toBe(limit);
    expect(station.stack.counters.nd6.heldDropped).toBe(dropped);
    station.sent();
    station.receive(na({ options: tll(MAC_A) }));
    expect(station.sent()).toEqual(Array(limit).fill(`data >${PEER}`));
    expect(station.stack.held).toBe(0);
    expect(station.pool.outstanding).toBe(0);
  });

  test('ND-01 `nd6_mmaxtries` and the retransmission time are taken as set', () => {
    const station = new Station();
    station.stack.sysctl.icmp6.nd6_mmaxtries = 5;
    station.ifp.nd.retransTimer = 200;
    station.send(PEER);
    station.clock.run(999);
    expect(station.sent().length).toBe(5);
    expect(station.neighbor(PEER)).toBeDefined();
    station.clock.run(1);
    expect(station.neighbor(PEER)).toBeUndefined();
  });

  test('ND-01 the solicitation comes from the source of the packet that waits (RFC 4861 7.2.2)', () => {
    const station = new Station();
    station.address('2001:db8:1::1');
    station.send(PEER, '2001:db8:1::1');
    expect(station.sent()).toEqual([`ns ${PEER} 2001:db8:1::1>ff02::1:ff00:2 sll=1`]);
  });

  test("ND-01 a forwarded packet is asked for from an address of the neighbor's prefix", () => {
    const station = new Station();
    const { stack } = station;
    stack.sysctl.ip6.forwarding = 1;
    stack.sysctl.ip6.redirect = 0;
    station.receive(icmp(Type.echoRequest, new Uint8Array(8), { from: '2001:db8::77', to: PEER, hops: 64 }));
    expect(station.sent().filter((line) => line.startsWith('ns'))).toEqual([MULTICAST]);
    station.clock.run(3000);
    // and its source learns that there is nobody
    station.receive(na({ target: '2001:db8::77', options: tll(MAC_A) }));
    expect(station.sent().at(-1)).toBe(`icmp6 1/3 ${OWN}>2001:db8::77`);
  });

  test('ND-01 groups are mapped, not resolved (RFC 2464 7)', () => {
    const station = new Station();
    station.send('ff02::1:ff12:3456', OWN_LINK_LOCAL);
    expect([...station.frames[0]!.bytes.subarray(0, 6)]).toEqual([0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
    expect(station.stack.neighbors.size).toBe(0);
  });
});

describe('neighbor unreachability detection', () => {
  test('ND-02 a neighbor that falls silent is probed 5 s after its use: three unicast solicitations, then resolution anew', () => {
    const station = new Station();
    reachable(station);
    station.clock.run(reachableTime(station.stack, station.ifp));
    const start = station.clock.now;
    station.send(PEER);
    for (let second = 0; second < 9; second++) {
      station.clock.run(1000);
      if (second === 8) station.send(PEER);
    }
    expect(station.frames.map(({ time, text }) => [time - start, text])).toEqual([
      [0, `data >${PEER}`],
      [5000, UNICAST],
      [6000, UNICAST],
      [7000, UNICAST],
      [9000, MULTICAST],
    ]);
  });

  test('ND-02 the reachable time lies in 0.5..1.5 of the base and changes every two hours, and with the base', () => {
    const { stack, ifp, clock } = new Station();
    const times = new Set<number>();
    for (let draw = 0; draw < 50; draw++) {
      const time = reachableTime(stack, ifp);
      expect(time).toBeGreaterThanOrEqual(15_000);
      expect(time).toBeLessThanOrEqual(45_000);
      clock.run(60 * 60 * 1000);
      expect(reachableTime(stack, ifp)).toBe(time);
      clock.run(60 * 60 * 1000);
      times.add(time);
    }
    expect(times.size).toBeGreaterThan(40);
    ifp.nd.baseReachableTime = 1000;
    expect(reachableTime(stack, ifp)).toBeLessThanOrEqual(1500);
  });

  test('ND-03 a stale neighbor is removed after a day, not before', () => {
    const station = new Station();
    reachable(station);
    station.clock.run(reachableTime(station.stack, station.ifp));
    station.clock.run(86_400_000 - 1);
    expect(station.neighbor(PEER)?.state).toBe('stale');
    station.clock.run(1);
    expect(station.neighbor(PEER)).toBeUndefined();
    expect(station.stack.neighbors.size).toBe(0);
  });

  test.each(['ethernet', 'ip'] as const)('ND-15 `-nud` on %s: no probe however long it is used', (medium) => {
    const station = new Station({ medium });
    station.ifp.nd.nud = false;
    station.send(PEER);
    station.receive(na({ options: tll(MAC_A) }));
    station.sent();
    for (let minute = 0; minute < 10; minute++) {
      station.clock.run(60_000);
      station.send(PEER);
    }
    expect(station.sent()).toEqual(Array(10).fill(`data >${PEER}`));
    if (medium === 'ip') expect(station.stack.neighbors.size).toBe(0);
    else expect(station.neighbor(PEER)?.state).toBe('stale');
  });

  test('ND-15 switching NUD off stops a running probe', () => {
    const station = new Station();
    reachable(station);
    station.clock.run(45_000);
    station.send(PEER);
    station.clock.run(5000);
    expect(station.neighbor(PEER)?.state).toBe('probe');
    station.ifp.nd.nud = false;
    station.clock.run(1000);
    expect(station.neighbor(PEER)?.state).toBe('stale');
  });

  test('ND-15 on a link without link-layer addresses a used neighbor is probed as well, and packets are never held', () => {
    const station = new Station({ medium: 'ip' });
    station.send(PEER);
    expect(station.neighbor(PEER)?.state).toBe('delay');
    expect(station.sent()).toEqual([`data >${PEER}`]);
    station.clock.run(5000);
    expect(station.sent()).toEqual([`ns ${PEER} ${OWN}>${PEER}`]);
    station.receive(na({ flags: 'SR' }));
    expect(station.neighbor(PEER)?.state).toBe('reachable');
    station.clock.run(45_000);
    station.send(PEER);
    station.clock.run(5000 + 3000);
    expect(station.sent()).toEqual([`data >${PEER}`, ...Array(3).fill(`ns ${PEER} ${OWN}>${PEER}`)]);
    expect(station.neighbor(PEER)).toBeUndefined();
  });

  test('ND-10 without link-layer addresses an entry still keeps the router bit', () => {
    const station = new Station({ medium: 'ip' });
    station.send(PEER);
    station.receive(na({ flags: 'RS' }));
    expect(station.neighbor(PEER)?.router).toBe(true);
    station.receive(ra());
    expect(station.neighbor(PEER_LINK_LOCAL)).toMatchObject({ router: true, state: 'stale', linkAddress: undefined });
  });
});

describe('upper-layer hints', () => {
  const hint = (station: Station): void => hintReachable(station.stack, viewOf(address(PEER)), 0, 0);

  test('ND-16 by default none is believed', () => {
    const station = new Station();
    reachable(station);
    station.clock.run(45_000);
    hint(station);
    expect(station.neighbor(PEER)?.state).toBe('stale');
    expect(station.stack.counters.nd6).toMatchObject({ hintsTaken: 0, hintsIgnored: 1 });
  });

  test('ND-16 with 5, the sixth in a row is ignored and a real probe is made; an answer lets hints count again', () => {
    const station = new Station();
    station.stack.sysctl.icmp6.nd6_maxnudhint = 5;
    reachable(station);
    for (let given = 0; given < 5; given++) {
      station.clock.run(10_000);
      hint(station);
      expect(station.neighbor(PEER)?.state).toBe('reachable');
    }
    station.clock.run(45_000);
    hint(station);
    station.send(PEER);
    expect(station.neighbor(PEER)?.state).toBe('delay');
    station.clock.run(5000);
    expect(station.sent()).toEqual([`data >${PEER}`, UNICAST]);
    station.receive(na({ options: tll(MAC_A) }));
    expect(station.neighbor(PEER)?.hints).toBe(0);
    hint(station);
    expect(station.stack.counters.nd6).toMatchObject({ hintsTaken: 6, hintsIgnored: 1 });
  });

  test('ND-16 a hint about a destination behind a router is one about the router', async () => {
    const { addRoute } = await import('#stack/route/routes.ts');
    const station = new Station();
    station.stack.sysctl.icmp6.nd6_maxnudhint = 1;
    reachable(station);
    addRoute(station.stack, { destination: address('2001:db8:9::'), prefixLength: 48, gateway: address(PEER) });
    station.clock.run(45_000);
    hintReachable(station.stack, viewOf(address('2001:db8:9::1')), 0, 0);
    expect(station.neighbor(PEER)?.state).toBe('reachable');
  });
});

test('ND-01 what was learned on an interface is void when it goes down, and what waited is dropped', () => {
  const station = new Station();
  reachable(station);
  station.send('2001:db8::3');
  station.ifp.setUp(false);
  expect(station.stack.neighbors.size).toBe(0);
  expect(station.stack.neighbors.held).toBe(0);
  expect(station.stack.counters.nd6.heldDropped).toBe(1);
  expect(station.send(PEER)).toBe('ENETDOWN');
  expect(station.stack.neighbors.size).toBe(0);
  expect(station.pool.outstanding).toBe(0);
});

test('ND-09 a solicitation with a link-layer address makes a stale entry of its sender', () => {
  const station = new Station();
  station.receive(ra({ options: sll(MAC_A) }));
  expect(station.neighbor(PEER_LINK_LOCAL)).toMatchObject({ state: 'stale', router: true });
});
