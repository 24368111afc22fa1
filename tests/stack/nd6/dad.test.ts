import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '#stack/env/random.ts';
import type { TraceEvent } from '#stack/env/trace.ts';
import { VirtualClock } from '#stack/env/virtual-clock.ts';
import { removeAddress } from '#stack/ip6/addresses.ts';
import { Segment } from '#stack/link/segment.ts';
import { enableInterface } from '#stack/nd6/dad.ts';
import { nd6ForwardingChanged } from '#stack/nd6/interface-events.ts';
import { lastResortId, md5 } from '#stack/nd6/last-resort-id.ts';
import { Pool } from '#stack/packet/pool.ts';
import { Stack } from '#stack/stack.ts';
import { address, formatAddress, viewOf } from '#stack/wire/address.ts';
import { MAC_A, na, nonce, ns, OWN, OWN_LINK_LOCAL, PEER, Station, tll } from './station.ts';

const GROUP = 'ff02::1:ff00:1';
const dads = (events: readonly TraceEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'dad' ? [`${event.address} ${event.result}`] : []));
const logs = (events: readonly TraceEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'log' ? [event.message] : []));

/** A node that comes up with detection on: its link-local address alone. */
function starting(options: ConstructorParameters<typeof Station>[0] = {}): Station {
  const station = new Station({ dad: 1, bare: true, ...options });
  station.ifp.setUp(true);
  return station;
}

/** A node long up that gets the address `OWN` now. */
function adding(options: ConstructorParameters<typeof Station>[0] = {}): Station {
  const station = starting(options);
  station.clock.run(20_000);
  station.frames.length = 0;
  station.events.length = 0;
  station.address(OWN);
  station.clock.run(0);
  return station;
}

const state = (station: Station, text: string): string | undefined =>
  station.ifp.addresses.find((entry) => formatAddress(entry.address) === text)?.state;

describe('a unique address', () => {
  test('ND-04 one solicitation from :: after 0..1 s, valid a retransmission time later', () => {
    const starts = Array.from({ length: 20 }, (_, seed) => {
      const station = starting({ seed: seed + 1 });
      const begin = station.clock.now;
      expect(station.stack.mld.isMember(station.ifp, viewOf(address(GROUP)), 0)).toBe(true);
      station.clock.run(3000);
      const probes = station.frames.filter(({ text }) => text !== 'mld');
      expect(probes.map(({ text }) => text)).toEqual([`ns ${OWN_LINK_LOCAL} ::>${GROUP} nonce`]);
      expect(dads(station.events)).toEqual([`${OWN_LINK_LOCAL}%if0 started`, `${OWN_LINK_LOCAL}%if0 unique`]);
      expect(state(station, OWN_LINK_LOCAL)).toBe('preferred');
      return probes[0]!.time - begin;
    });
    expect(Math.min(...starts)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...starts)).toBeLessThan(1000);
    expect(new Set(starts).size).toBeGreaterThan(15);
  });

  test('ND-04 an address added later is asked for at once', () => {
    const station = adding();
    expect(station.sent()).toEqual([`ns ${OWN} ::>${GROUP} nonce`]);
    expect(state(station, OWN)).toBe('tentative');
    station.clock.run(999);
    expect(state(station, OWN)).toBe('tentative');
    station.clock.run(1);
    expect(state(station, OWN)).toBe('preferred');
  });

  test.each([
    [0, []],
    [3, [0, 1000, 2000]],
  ])('ND-04 `dad_count` %d', (count, times) => {
    const station = starting();
    station.clock.run(20_000);
    station.frames.length = 0;
    station.stack.sysctl.ip6.dad_count = count;
    const begin = station.clock.now;
    station.address(OWN);
    if (count === 0) expect(state(station, OWN)).toBe('preferred');
    station.clock.run(5000);
    expect(state(station, OWN)).toBe('preferred');
    expect(station.frames.filter(({ text }) => text.startsWith('ns')).map(({ time }) => time - begin)).toEqual(times);
  });

  test('ND-04 without `nd6_nonce` the probe has no option', () => {
    const station = new Station({ dad: 1, bare: true });
    station.stack.sysctl.icmp6.nd6_nonce = 0;
    station.ifp.setUp(true);
    station.clock.run(2000);
    expect(station.sent()).toEqual([`ns ${OWN_LINK_LOCAL} ::>${GROUP}`]);
  });

  test('ND-04 nothing is answered for, nor sent from, a tentative address', () => {
    const station = adding();
    station.sent();
    station.receive(ns({ target: OWN, from: PEER }));
    station.send(PEER, OWN);
    expect(station.sent()).toEqual([]);
    expect(state(station, OWN)).toBe('tentative');
  });

  test('ND-08 the probe waits for the carrier, and is sent anew when it comes back', () => {
    const station = new Station({ dad: 1, bare: true });
    station.link.carrier = false;
    station.ifp.carrier(false);
    station.ifp.setUp(true);
    station.address(OWN);
    station.clock.run(60_000);
    expect(station.frames).toEqual([]);
    expect(state(station, OWN)).toBe('tentative');
    station.ifp.carrier(true);
    station.clock.run(3000);
    expect(state(station, OWN)).toBe('preferred');
    station.sent();
    station.ifp.carrier(false);
    station.ifp.carrier(true);
    expect(state(station, OWN)).toBe('tentative');
    station.clock.run(3000);
    expect(station.sent().sort()).toEqual([`ns ${OWN} ::>${GROUP} nonce`, `ns ${OWN_LINK_LOCAL} ::>${GROUP} nonce`]);
    expect(state(station, OWN)).toBe('preferred');
  });

  test('ND-04 removing a tentative address ends its detection', () => {
    const station = adding();
    station.sent();
    removeAddress(station.stack, station.ifp.addresses[1]!);
    station.clock.run(5000);
    expect(station.sent()).toEqual([]);
  });
});

describe('a duplicate address', () => {
  // prettier-ignore
  test.each<[string, Uint8Array]>([
    ["another's detection", ns({ target: OWN, from: '::', options: nonce(1, 2, 3, 4, 5, 6) })],
    ["another's detection without a nonce", ns({ target: OWN, from: '::' })],
    ["its owner's answer", na({ target: OWN, flags: 'O', options: tll(MAC_A) })],
    ["its owner's answer without link-layer address", na({ target: OWN, flags: '' })],
  ])('ND-04 ND-05 is found by %s: marked, one log line, no traffic', (_, bytes) => {
    const station = adding();
    station.sent();
    station.clock.run(500);
    station.receive(bytes);
    station.receive(bytes);
    expect(state(station, OWN)).toBe('duplicated');
    expect(dads(station.events)).toEqual([`${OWN} started`, `${OWN} duplicate`]);
    expect(logs(station.events).length).toBe(1);
    expect(logs(station.events)[0]).toContain(`if0: DAD detected duplicate IPv6 address ${OWN} `);
    expect(station.stack.counters.nd6.dadDuplicate).toBe(1);
    station.clock.run(60_000);
    expect(station.send(PEER, OWN)).toBe('EADDRNOTAVAIL');
    station.receive(ns({ target: OWN, from: 'fe80::9' }));
    expect(station.sent()).toEqual([]);
    expect(state(station, OWN)).toBe('duplicated');
    // only a duplicate of the EUI-64 address shuts the interface
    expect(station.ifp.nd.disabled).toBe(false);
  });

  test('ND-04 a detection heard during the random delay counts, too', () => {
    const station = starting();
    station.receive(ns({ target: OWN_LINK_LOCAL, from: '::', options: nonce(1, 2, 3, 4, 5, 6) }));
    expect(state(station, OWN_LINK_LOCAL)).toBe('duplicated');
  });

  test('ND-05 going down and up does not heal it, removing and adding it does', () => {
    const station = adding();
    station.receive(na({ target: OWN, flags: 'O' }));
    station.ifp.setUp(false);
    station.ifp.setUp(true);
    station.clock.run(5000);
    expect(state(station, OWN)).toBe('duplicated');
    removeAddress(station.stack, station.ifp.addresses.find((entry) => entry.state === 'duplicated')!);
    station.address(OWN);
    station.clock.run(1000);
    expect(state(station, OWN)).toBe('preferred');
  });

  test('ND-06 of the EUI-64 link-local address: the interface is disabled, every packet in or out dropped', () => {
    const station = starting();
    station.address(PEER.replace('::2', '::1'));
    station.receive(na({ target: OWN_LINK_LOCAL, flags: 'O', options: tll(MAC_A) }));
    expect(station.ifp.nd.disabled).toBe(true);
    expect(station.events).toContainEqual({ type: 'interface', interface: 'if0', change: 'disabled' });
    station.frames.length = 0;
    station.clock.run(60_000);
    expect(station.send(PEER)).toBe('ENETDOWN');
    station.receive(ns({ target: OWN, from: PEER }));
    expect(station.frames).toEqual([]);
    expect(station.stack.counters.ip6.disabled).toBeGreaterThan(0);
    // not even its other addresses became valid
    expect(state(station, OWN)).toBe('tentative');
  });

  test.each([
    ['`ndp -i if0 -disabled`', (station: Station) => enableInterface(station.stack, station.ifp)],
    ['removing the address', (station: Station) => removeAddress(station.stack, station.ifp.addresses[0]!)],
  ])('ND-06 %s starts detection anew', (how, recover) => {
    const station = starting();
    station.address(OWN);
    station.receive(na({ target: OWN_LINK_LOCAL, flags: 'O' }));
    station.clock.run(10_000);
    station.sent();
    recover(station);
    expect(station.ifp.nd.disabled).toBe(false);
    expect(dads(station.events).at(-1)).toBe(`${OWN} started`);
    station.clock.run(2000);
    expect(state(station, OWN)).toBe('preferred');
    expect(state(station, OWN_LINK_LOCAL)).toBe(how.startsWith('rem') ? undefined : 'preferred');
  });

  test('ND-06 a link-local address set by hand is marked alone', () => {
    const station = new Station({ dad: 1, bare: true });
    station.address('fe80::1234');
    station.ifp.setUp(true);
    station.receive(na({ target: 'fe80::1234', flags: 'O' }));
    expect(state(station, 'fe80::1234')).toBe('duplicated');
    expect(station.ifp.nd.disabled).toBe(false);
  });
});

describe('a link that echoes', () => {
  /** Everything sent comes back at once, link-layer header and all. */
  function echoing(medium: 'ethernet' | 'ip', sameMac: boolean): Station {
    const station = new Station({ dad: 1, bare: true, medium });
    const keep = station.link.take;
    Object.assign(station.link, {
      take: (pkt: Parameters<typeof keep>[0]) => {
        keep(pkt);
        const from = medium === 'ip' ? 0 : 14;
        const bytes = pkt.bytes.slice(pkt.head + from, pkt.tail);
        station.receive(bytes, sameMac && station.link.mac ? { from: station.link.mac } : {});
      },
    });
    station.ifp.setUp(true);
    return station;
  }

  test('ND-07 on Ethernet: our own MAC is known again, detection succeeds', () => {
    const station = echoing('ethernet', true);
    station.clock.run(3000);
    expect(state(station, OWN_LINK_LOCAL)).toBe('preferred');
    expect(station.stack.counters.nd6.dadDuplicate).toBe(0);
  });

  test.each(['ethernet', 'ip'] as const)(
    'ND-07 on %s without a MAC to tell: the nonce is known again, three probes more',
    (medium) => {
      const station = echoing(medium, false);
      station.clock.run(8000);
      expect(station.ifp.addresses.map((entry) => entry.state)).toEqual(['preferred']);
      expect(station.frames.filter(({ text }) => text.startsWith('ns')).length).toBe(4);
      expect(station.stack.counters.nd6.ownEcho).toBe(4);
    },
  );

  test("ND-07 another's probe in between is still found", () => {
    const station = echoing('ip', false);
    station.clock.run(1500);
    const [entry] = station.ifp.addresses;
    station.receive(ns({ target: formatAddress(entry!.address), from: '::', options: nonce(9, 9, 9, 9, 9, 9) }));
    expect(entry!.state).toBe('duplicated');
  });
});

describe('two nodes', () => {
  function pair(
    seeds: [number, number],
    macs: [number, number],
  ): { stacks: Stack[]; clock: VirtualClock; cable: Segment } {
    const clock = new VirtualClock();
    const pool = new Pool({ poison: true });
    const cable = new Segment(clock);
    const stacks = seeds.map((seed, place) => {
      const stack = new Stack({ clock, pool, random: new SeededRandom(seed), hostname: `n${place}`, strict: true });
      stack.addInterface('if0', 'ethernet', cable.connect(Uint8Array.of(2, 0, 0, 0, 0, macs[place]!)));
      return stack;
    });
    return { stacks, clock, cable };
  }

  test('ND-04 that detect one address at the same moment both find the other', async () => {
    const { addAddress } = await import('#stack/ip6/addresses.ts');
    const { stacks, clock } = pair([1, 2], [1, 2]);
    for (const stack of stacks) stack.interfaces[2]!.setUp(true);
    clock.run(5000);
    for (const stack of stacks) addAddress(stack, stack.interfaces[2]!, address(OWN), 64);
    clock.run(5000);
    for (const stack of stacks) {
      const entries = stack.interfaces[2]!.addresses;
      expect(entries.find((entry) => entry.address[0] === 0x20)!.state).toBe('duplicated');
      expect(entries.find((entry) => entry.address[0] === 0xfe)!.state).toBe('preferred');
    }
  });

  test('ND-04 the one that has it defends it, the later one gives way', async () => {
    const { addAddress } = await import('#stack/ip6/addresses.ts');
    const { stacks, clock } = pair([1, 2], [1, 2]);
    const states: string[] = [];
    for (const stack of stacks) {
      addAddress(stack, stack.interfaces[2]!, address(OWN), 64);
      stack.interfaces[2]!.setUp(true);
      clock.run(5000);
    }
    for (const stack of stacks)
      states.push(stack.interfaces[2]!.addresses.find((entry) => entry.address[0] === 0x20)!.state);
    expect(states).toEqual(['preferred', 'duplicated']);
  });
});

describe('the link-local address', () => {
  test('PP-01 is made of the MAC: 02:00:00:00:02:02 gives fe80::ff:fe00:202', () => {
    const station = starting({ mac: Uint8Array.of(2, 0, 0, 0, 2, 2) });
    expect(station.ifp.addresses.map((entry) => formatAddress(entry.address))).toEqual(['fe80::ff:fe00:202']);
    const route = station.stack.routes.find(address('fe80::'), 64, station.ifp.index);
    expect(route?.interface).toBe(station.ifp);
  });

  test('PP-01 is not made with `auto_linklocal` 0, nor a second one', () => {
    const without = new Station({ dad: 1, bare: true });
    without.stack.sysctl.ip6.auto_linklocal = 0;
    without.ifp.setUp(true);
    expect(without.ifp.addresses).toEqual([]);
    const own = new Station({ dad: 1, bare: true });
    own.address('fe80::1234');
    own.ifp.setUp(true);
    own.ifp.setUp(false);
    own.ifp.setUp(true);
    expect(own.ifp.addresses.length).toBe(1);
  });

  test('PP-02 an interface without a MAC borrows one, and a duplicate of that shuts nothing', () => {
    const station = starting();
    const cable = new Segment(station.clock, { medium: 'ip' });
    const gif = station.stack.addInterface('gif0', 'pointToPoint', cable.connect());
    gif.setUp(true);
    expect(gif.addresses.map((entry) => formatAddress(entry.address))).toEqual([OWN_LINK_LOCAL]);
    station.stack.dad.onAdvertisement(gif.addresses[0]!);
    expect(gif.addresses[0]!.state).toBe('duplicated');
    expect(gif.nd.disabled).toBe(false);
  });

  test('PP-03 a node without any MAC takes MD5 of its name, marked individual and local', () => {
    const station = starting({ medium: 'ip', hostname: 'kame.example' });
    const id = createHash('md5').update('kame.example').digest().subarray(0, 8);
    id[0]! &= 0xfc;
    expect(Buffer.from(station.ifp.addresses[0]!.address.subarray(8)).equals(id)).toBe(true);
    expect(Buffer.from(lastResortId('kame.example')).equals(id)).toBe(true);
  });

  test.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 1000])('PP-03 MD5 of %d bytes is that of the reference', (length) => {
    const message = Uint8Array.from({ length }, (_, at) => (at * 7) & 0xff);
    expect(Buffer.from(md5(message)).toString('hex')).toBe(createHash('md5').update(message).digest('hex'));
  });
});

describe('groups', () => {
  const member = (station: Station, group: string): boolean =>
    station.stack.mld.isMember(station.ifp, viewOf(address(group)), 0);

  test('PP-05 RQ-02 ff02::1 and the solicited-node group of every address', () => {
    const station = starting();
    station.address('2001:db8::abcd:1234');
    expect(member(station, 'ff02::1')).toBe(true);
    expect(member(station, GROUP)).toBe(true);
    expect(member(station, 'ff02::1:ffcd:1234')).toBe(true);
    expect(member(station, 'ff02::2')).toBe(false);
  });

  test('PP-07 RQ-04 ff02::2 while forwarding', () => {
    const station = starting();
    station.stack.sysctl.ip6.forwarding = 1;
    nd6ForwardingChanged(station.stack);
    nd6ForwardingChanged(station.stack);
    expect(member(station, 'ff02::2')).toBe(true);
    station.stack.sysctl.ip6.forwarding = 0;
    nd6ForwardingChanged(station.stack);
    expect(member(station, 'ff02::2')).toBe(false);
  });

  test('RQ-01 ::1 and ff01::1 before any interface', () => {
    const { stack } = new Station({ bare: true });
    expect(stack.addresses.get(viewOf(address('::1')), 0, 0)?.state).toBe('preferred');
    expect(stack.mld.isMember(stack.loopback, viewOf(address('ff01::1')), 0)).toBe(true);
  });
});
