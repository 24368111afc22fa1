import { describe, expect, test } from 'vitest';
import type { CounterName } from '#stack/counters.ts';
import { addRoute } from '#stack/route/routes.ts';
import { address } from '#stack/wire/address.ts';
import {
  MAC_A,
  na,
  nonce,
  ns,
  OWN,
  OWN_MAC,
  PEER,
  PEER_LINK_LOCAL,
  ra,
  redirect,
  rs,
  Station,
  sll,
  tll,
} from './station.ts';

/** A node with a default router, so that the redirects below are wrong in one thing only. */
function host(): Station {
  const station = new Station();
  const gateway = address(PEER_LINK_LOCAL);
  addRoute(station.stack, { destination: address('::'), prefixLength: 0, gateway, interface: station.ifp });
  return station;
}

const FAR = '2001:db8:ff::1';
const GROUP = 'ff02::1:ff00:1';
const cutOption = [1, 1, 2, 0];
const emptyOption = [1, 0, 0, 0, 0, 0, 0, 0];
const longLink = [1, 2, ...MAC_A, 0, 0, 0, 0, 0, 0, 0, 0];
const longTarget = [2, 2, ...MAC_A, 0, 0, 0, 0, 0, 0, 0, 0];

// prettier-ignore
const bad: [name: string, bytes: Uint8Array, counter: CounterName<'icmp6'>][] = [
  ['a solicitation with hop limit 254', ns({ hops: 254 }), 'badNeighborSolicitation'],
  ['a solicitation with code 1', ns({ code: 1 }), 'badNeighborSolicitation'],
  ['a solicitation for a group', ns({ target: 'ff02::1', to: GROUP }), 'badNeighborSolicitation'],
  ['a solicitation cut to 23 bytes', ns({ cut: 1 }), 'badLength'],
  ['a solicitation with a bad checksum', ns({ badChecksum: true }), 'badChecksum'],
  ['a solicitation with an empty option', ns({ options: emptyOption }), 'badOptions'],
  ['a solicitation with a cut option', ns({ options: cutOption }), 'badOptions'],
  ['a solicitation with a source link-layer option of 16 bytes', ns({ options: longLink }), 'badNeighborSolicitation'],
  [
    'a solicitation from :: with a source link-layer option',
    ns({ from: '::', options: sll(MAC_A) }),
    'badNeighborSolicitation',
  ],
  ['a solicitation from :: to a unicast address', ns({ from: '::', to: OWN }), 'badNeighborSolicitation'],
  ['a solicitation from :: to all nodes', ns({ from: '::', to: 'ff02::1' }), 'badNeighborSolicitation'],
  ['a solicitation from an off-link source', ns({ from: FAR, options: sll(MAC_A) }), 'badNeighborSolicitation'],
  ['a solicitation in a fragment (RFC 6980)', ns({ fragmentHeader: true }), 'badNeighborSolicitation'],
  ['an advertisement with hop limit 1', na({ hops: 1 }), 'badNeighborAdvertisement'],
  ['an advertisement with code 1', na({ code: 1 }), 'badNeighborAdvertisement'],
  ['an advertisement of a group', na({ target: 'ff02::1', from: PEER }), 'badNeighborAdvertisement'],
  ['an advertisement solicited yet sent to a group', na({ flags: 'S', to: 'ff02::1' }), 'badNeighborAdvertisement'],
  ['an advertisement cut to 20 bytes', na({ cut: 4 }), 'badLength'],
  ['an advertisement with a bad checksum', na({ badChecksum: true }), 'badChecksum'],
  ['an advertisement with an empty option', na({ options: emptyOption }), 'badOptions'],
  [
    'an advertisement with a target link-layer option of 16 bytes',
    na({ options: longTarget }),
    'badNeighborAdvertisement',
  ],
  ['an advertisement in a fragment (RFC 6980)', na({ fragmentHeader: true }), 'badNeighborAdvertisement'],
  ['a router advertisement with hop limit 254', ra({ hops: 254 }), 'badRouterAdvertisement'],
  ['a router advertisement with code 1', ra({ code: 1 }), 'badRouterAdvertisement'],
  ['a router advertisement from a global address', ra({ from: PEER }), 'badRouterAdvertisement'],
  ['a router advertisement cut to 12 bytes', ra({ cut: 4 }), 'badLength'],
  ['a router advertisement with an empty option', ra({ options: emptyOption }), 'badOptions'],
  ['a router advertisement in a fragment', ra({ fragmentHeader: true }), 'badRouterAdvertisement'],
  ['a redirect with hop limit 254', redirect({ destination: FAR, target: 'fe80::3', hops: 254 }), 'badRedirect'],
  ['a redirect with code 1', redirect({ destination: FAR, target: 'fe80::3', code: 1 }), 'badRedirect'],
  ['a redirect from a global address', redirect({ destination: FAR, target: 'fe80::3', from: PEER }), 'badRedirect'],
  ['a redirect of a group', redirect({ destination: 'ff0e::1', target: 'fe80::3' }), 'badRedirect'],
  ['a redirect to a global target', redirect({ destination: FAR, target: PEER }), 'badRedirect'],
  [
    'a redirect from another than the first hop',
    redirect({ destination: FAR, target: 'fe80::3', from: 'fe80::4' }),
    'badRedirect',
  ],
  ['a redirect of an on-link destination', redirect({ destination: PEER, target: 'fe80::3' }), 'badRedirect'],
  ['a redirect cut to 36 bytes', redirect({ destination: FAR, cut: 4 }), 'badLength'],
  [
    'a redirect with an empty option',
    redirect({ destination: FAR, target: 'fe80::3', options: emptyOption }),
    'badOptions',
  ],
];

test.each(bad)('ND-17 %s is dropped and counted, and changes nothing', (_, bytes, counter) => {
  const station = host();
  station.receive(bytes);
  expect(station.stack.counters.icmp6[counter]).toBe(1);
  expect(station.stack.neighbors.size).toBe(0);
  expect(station.sent()).toEqual([]);
  expect(station.pool.outstanding).toBe(0);
});

// prettier-ignore
test.each<[string, Uint8Array, CounterName<'icmp6'>]>([
  ['hop limit 254', rs({ hops: 254 }), 'badRouterSolicitation'],
  ['code 1', rs({ code: 1 }), 'badRouterSolicitation'],
  ['a source link-layer option from ::', rs({ from: '::', options: sll(MAC_A) }), 'badRouterSolicitation'],
  ['an empty option', rs({ options: emptyOption }), 'badOptions'],
])('ND-17 a router solicitation with %s is dropped and counted', (_, bytes, counter) => {
  const station = new Station();
  station.stack.sysctl.ip6.forwarding = 1;
  const { mld } = station.stack;
  mld.join(station.ifp, address('ff02::2'));
  station.receive(bytes);
  expect(station.stack.counters.icmp6[counter]).toBe(1);
  expect(station.stack.neighbors.size).toBe(0);
});

describe('who gets an entry', () => {
  // prettier-ignore
  test.each<[string, Uint8Array, string, string | undefined]>([
    ['a solicitation with link-layer address', ns({ options: sll(MAC_A) }), PEER, 'delay'],
    ['an advertisement', na({ options: tll(MAC_A) }), PEER, undefined],
    ['an advertisement without link-layer address', na(), PEER, undefined],
    ['a router advertisement with link-layer address', ra({ options: sll(MAC_A) }), PEER_LINK_LOCAL, 'stale'],
    ['a router advertisement without', ra(), PEER_LINK_LOCAL, undefined],
    [
      'a redirect with link-layer address',
      redirect({ destination: FAR, target: 'fe80::3', options: tll(MAC_A) }),
      'fe80::3',
      'stale',
    ],
    ['a redirect without', redirect({ destination: FAR, target: 'fe80::3' }), 'fe80::3', 'incomplete'],
    [
      'a solicitation for somebody else',
      ns({ target: '2001:db8::ff00:1', to: GROUP, options: sll(MAC_A) }),
      PEER,
      undefined,
    ],
  ])('ND-09 %s: %#', (_, bytes, whose, state) => {
    const station = host();
    station.receive(bytes);
    expect(station.neighbor(whose)?.state).toBe(state);
    station.clock.run(20_000);
    // a redirect's entry without address asks nobody and answers nobody until it is used
    if (state === 'incomplete') expect(station.sent()).toEqual([]);
  });

  test('ND-09 a router solicitation with link-layer address, on a router', () => {
    const station = new Station();
    station.stack.sysctl.ip6.forwarding = 1;
    station.stack.mld.join(station.ifp, address('ff02::2'));
    station.receive(ra({ options: sll(MAC_A) }));
    station.receive(rs({ options: sll(MAC_A) }));
    expect(station.neighbor(PEER_LINK_LOCAL)).toMatchObject({ state: 'stale', router: false });
  });

  test('ND-17 `nd6_onlink_ns_rfc4861` lets an off-link source in', () => {
    const station = host();
    station.stack.sysctl.icmp6.nd6_onlink_ns_rfc4861 = 1;
    station.receive(ns({ from: FAR, options: sll(MAC_A) }));
    expect(station.sent().length).toBe(1);
    expect(station.stack.counters.icmp6.badNeighborSolicitation).toBe(0);
  });
});

describe('options', () => {
  const unknown = [200, 1, 0, 0, 0, 0, 0, 0];
  const many = (count: number): number[] => Array.from({ length: count }, () => unknown).flat();

  test.each([
    [9, 'is seen', 'delay', 0],
    [10, 'is not', undefined, 1],
    [100, 'is not', undefined, 1],
  ])('ND-11 behind %d unknown options a link-layer address %s', (count, _, state, counted) => {
    const station = new Station();
    station.receive(ns({ options: [...many(count), ...sll(MAC_A)] }));
    expect(station.neighbor(PEER)?.state === 'delay' ? 'delay' : undefined).toBe(state);
    expect(station.stack.counters.icmp6.tooManyOptions).toBe(counted);
    // the solicitation is answered all the same
    expect(station.stack.counters.nd6.advertisementsSent).toBe(1);
  });

  test('ND-11 an empty option anywhere drops the packet', () => {
    const station = new Station();
    station.receive(ns({ options: [...sll(MAC_A), ...many(20), ...emptyOption] }));
    expect(station.stack.counters.icmp6.badOptions).toBe(1);
    expect(station.stack.neighbors.size).toBe(0);
  });
});

describe('nd6_debug', () => {
  const logs = (station: Station): string[] =>
    station.events.flatMap((event) => (event.type === 'log' ? [event.message] : []));

  test('ND-18 off: no line', () => {
    const station = new Station();
    station.receive(na({ hops: 1 }));
    expect(logs(station)).toEqual([]);
  });

  test('ND-18 on: one line for a bad message, and for a flood one a kind in `log_interval`', () => {
    const station = new Station();
    station.stack.sysctl.icmp6.nd6_debug = 1;
    for (let count = 0; count < 1000; count++) station.receive(na({ hops: 1 }));
    station.receive(ns({ code: 3 }));
    expect(logs(station)).toEqual([
      `nd6: hop limit is not 255, from ${PEER} on if0`,
      `nd6: code is not 0, from ${PEER} on if0`,
    ]);
    station.clock.run(5000);
    station.receive(na({ hops: 1 }));
    expect(logs(station).length).toBe(3);
  });
});

test('ND-07 our own solicitation come back teaches nothing', () => {
  const station = new Station({ medium: 'ip' });
  station.receive(ns({ from: OWN, options: nonce(1, 2, 3, 4, 5, 6) }));
  expect(station.stack.counters.nd6.ownEcho).toBe(1);
  expect(station.sent()).toEqual([]);
});

test('ND-07 a frame from our own MAC is refused before anybody looks at it', () => {
  const station = new Station();
  station.receive(ns(), { from: OWN_MAC });
  expect(station.stack.counters.nd6).toMatchObject({ ownEcho: 1, solicitationsReceived: 0 });
});
