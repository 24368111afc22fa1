import { describe, expect, test } from 'vitest';
import { addRoute } from '#stack/route/routes.ts';
import { RouteFlag } from '#stack/route/table.ts';
import { address, formatAddress, viewOf } from '#stack/wire/address.ts';
import { Type } from '#stack/wire/icmp6.ts';
import {
  icmp,
  MAC_A,
  MAC_B,
  na,
  OWN,
  OWN_LINK_LOCAL,
  PEER,
  PEER_LINK_LOCAL,
  redirect,
  Station,
  tll,
} from './station.ts';

const FAR = '2001:db8:ff::1';
const OTHER_ROUTER = 'fe80::3';

function host(): Station {
  const station = new Station();
  const gateway = address(PEER_LINK_LOCAL);
  addRoute(station.stack, { destination: address('::'), prefixLength: 0, gateway, interface: station.ifp });
  return station;
}

const routed = (station: Station, to: string): string | undefined => {
  const route = station.stack.routes.lookup(viewOf(address(to)), 0, 0);
  return route && (route.gateway === undefined ? 'on-link' : formatAddress(route.gateway));
};

describe('a host', () => {
  test('ND-19 is sent to a better router, for `redirtimeout` seconds', () => {
    const station = host();
    station.receive(redirect({ destination: FAR, target: OTHER_ROUTER, options: tll(MAC_B) }));
    expect(routed(station, FAR)).toBe(OTHER_ROUTER);
    expect(routed(station, '2001:db8:ff::2')).toBe(PEER_LINK_LOCAL);
    expect(station.neighbor(OTHER_ROUTER)).toMatchObject({ state: 'stale', router: true });
    station.clock.run(600_000 - 1);
    expect(routed(station, FAR)).toBe(OTHER_ROUTER);
    station.clock.run(1);
    expect(routed(station, FAR)).toBe(PEER_LINK_LOCAL);
  });

  test('ND-19 learns that a destination is on-link', () => {
    const station = host();
    station.receive(redirect({ destination: FAR, options: tll(MAC_B) }));
    expect(routed(station, FAR)).toBe('on-link');
    expect(station.neighbor(FAR)).toMatchObject({ state: 'stale', router: false });
    station.send(FAR);
    expect(station.sent()).toEqual([`data >${FAR}`]);
  });

  test('ND-19 the next redirect comes from the router it was sent to', () => {
    const station = host();
    station.receive(redirect({ destination: FAR, target: OTHER_ROUTER }));
    station.receive(redirect({ destination: FAR, target: 'fe80::4' }));
    expect(station.stack.counters.icmp6.badRedirect).toBe(1);
    station.receive(redirect({ destination: FAR, target: 'fe80::4', from: OTHER_ROUTER }));
    expect(routed(station, FAR)).toBe('fe80::4');
  });

  test.each([
    ['with `rediraccept` 0', (station: Station) => (station.stack.sysctl.icmp6.rediraccept = 0)],
    ['as a router', (station: Station) => (station.stack.sysctl.ip6.forwarding = 1)],
  ])('ND-19 takes none %s', (_, set) => {
    const station = host();
    set(station);
    station.receive(redirect({ destination: FAR, target: OTHER_ROUTER, options: tll(MAC_B) }));
    expect(routed(station, FAR)).toBe(PEER_LINK_LOCAL);
    expect(station.stack.neighbors.size).toBe(0);
  });

  test('ND-19 keeps a host route set by hand', () => {
    const station = host();
    const gateway = address(PEER_LINK_LOCAL);
    addRoute(station.stack, {
      destination: address(FAR),
      prefixLength: 128,
      gateway,
      interface: station.ifp,
      flags: RouteFlag.static,
    });
    station.receive(redirect({ destination: FAR, target: OTHER_ROUTER }));
    expect(routed(station, FAR)).toBe(PEER_LINK_LOCAL);
  });

  test('ND-19 a flood of redirects makes a bounded number of routes', () => {
    const station = host();
    const before = [...station.stack.routes.routes()].length;
    for (let count = 0; count < 3000; count++) {
      station.receive(redirect({ destination: `2001:db8:ff::${(count + 1).toString(16)}`, target: OTHER_ROUTER }));
    }
    expect([...station.stack.routes.routes()].length - before).toBe(1024);
    expect(routed(station, '2001:db8:ff::bb8')).toBe(OTHER_ROUTER);
    expect(routed(station, '2001:db8:ff::1')).toBe(PEER_LINK_LOCAL);
    station.clock.run(600_000);
    expect([...station.stack.routes.routes()].length).toBe(before);
  });

  test('ND-09 without a link-layer address the target is asked for when it is first used, and forgotten if it never is', () => {
    const station = host();
    station.receive(redirect({ destination: FAR, target: OTHER_ROUTER }));
    expect(station.neighbor(OTHER_ROUTER)).toMatchObject({ state: 'incomplete', router: true, asked: 0 });
    station.send(FAR);
    expect(station.sent()).toEqual([`ns ${OTHER_ROUTER} ${OWN}>ff02::1:ff00:3 sll=1`]);
    station.receive(redirect({ destination: '2001:db8:ff::2', target: 'fe80::4' }));
    station.clock.run(86_400_000);
    expect(station.stack.neighbors.size).toBe(0);
    expect(station.sent().filter((line) => line.includes('fe80::4'))).toEqual([]);
  });

  test.each<[title: string, lose: (station: Station) => void]>([
    ['is never resolved', (station) => station.clock.run(3000)],
    [
      'dies',
      (station) => {
        station.receive(na({ target: OTHER_ROUTER, to: OWN_LINK_LOCAL, flags: 'RS', options: tll(MAC_B) }));
        station.clock.run(60_000);
        station.send(FAR, OWN, {});
        station.clock.run(5000 + 3000);
      },
    ],
    [
      'says that it is a router no more (RFC 4861 7.2.5)',
      (station) => station.receive(na({ target: OTHER_ROUTER, to: OWN_LINK_LOCAL, flags: 'SO', options: tll(MAC_B) })),
    ],
    ['was behind an interface that went down', (station) => station.ifp.setUp(false)],
  ])('ND-19 goes by the router it knew before when the one it was redirected to %s', (_, lose) => {
    const station = host();
    station.receive(redirect({ destination: FAR, target: OTHER_ROUTER }));
    station.send(FAR, OWN, {});
    lose(station);
    expect(routed(station, FAR)).toBe(PEER_LINK_LOCAL);
  });

  test('ND-19 asks its router again for a destination that is on-link no more', () => {
    const station = host();
    station.receive(redirect({ destination: FAR, options: tll(MAC_B) }));
    station.send(FAR, OWN, {});
    station.clock.run(5000 + 3000);
    expect(station.neighbor(FAR)).toBeUndefined();
    expect(routed(station, FAR)).toBe(PEER_LINK_LOCAL);
  });

  test('a redirect for an address that becomes its own does not hide it', () => {
    const station = host();
    station.receive(redirect({ destination: FAR, target: OTHER_ROUTER }));
    station.address(FAR, 64);
    expect(station.stack.routes.lookup(viewOf(address(FAR)), 0, 0)?.interface).toBe(station.stack.loopback);
    station.clock.run(600_000);
    expect(station.stack.routes.lookup(viewOf(address(FAR)), 0, 0)?.interface).toBe(station.stack.loopback);
  });

  test('ND-20 a redirect never provokes an error, not even by an option it cannot know', () => {
    const station = host();
    const message = redirect({ destination: FAR, target: OTHER_ROUTER });
    const options = Uint8Array.of(58, 0, 0x8a, 4, 0, 0, 0, 0);
    const bytes = new Uint8Array(message.length + 8);
    bytes.set(message.subarray(0, 40));
    bytes.set(options, 40);
    bytes.set(message.subarray(40), 48);
    bytes[6] = 60;
    new DataView(bytes.buffer).setUint16(4, bytes.length - 40);
    station.receive(bytes);
    station.clock.run(5000);
    expect(station.sent()).toEqual([]);
    expect(routed(station, FAR)).toBe(PEER_LINK_LOCAL);
  });
});

describe('a router', () => {
  function router(): Station {
    const station = host();
    station.stack.sysctl.ip6.forwarding = 1;
    station.send('2001:db8::77');
    station.receive(na({ target: '2001:db8::77', options: tll(MAC_A) }));
    station.send(PEER_LINK_LOCAL);
    station.receive(na({ target: PEER_LINK_LOCAL, to: 'fe80::ff:fe00:1', options: tll(MAC_B) }));
    station.sent();
    return station;
  }
  const packet = (to: string, length = 8, from = '2001:db8::77'): Uint8Array =>
    icmp(Type.echoRequest, new Uint8Array(length), { from, to, hops: 64 });
  const redirects = (station: Station): string[] => station.sent().filter((line) => line.startsWith('redirect'));

  test('ND-19 tells a neighbor of the router that it should use, with its link-layer address, and forwards', () => {
    const station = router();
    station.receive(packet(FAR));
    expect(station.sent()).toEqual([
      `redirect ${FAR} to ${PEER_LINK_LOCAL} fe80::ff:fe00:1>2001:db8::77 tll=b redirectedHeader`,
      `icmp6 128/0 2001:db8::77>${FAR}`,
    ]);
    expect(station.stack.counters.ip6.redirectSent).toBe(1);
  });

  test('ND-19 tells a neighbor that a destination is on-link', () => {
    const station = router();
    station.receive(packet(PEER));
    expect(redirects(station)).toEqual([`redirect ${PEER} to ${PEER} fe80::ff:fe00:1>2001:db8::77 redirectedHeader`]);
  });

  test('ND-19 quotes as much as 1280 bytes hold', () => {
    const station = router();
    station.receive(packet(FAR, 1440));
    const frame = station.frames.find(({ text }) => text.startsWith('redirect'))!;
    expect(frame.bytes.length - 14).toBeLessThanOrEqual(1280);
    expect(frame.bytes.length - 14).toBeGreaterThan(1272);
  });

  // prettier-ignore
  test.each<[string, Uint8Array, (station: Station) => void]>([
    ['a source that is not on-link', packet(FAR, 8, '2001:db8:7::7'), () => {}],
    [
      'with `ip6.redirect` 0',
      packet(FAR),
      (station) => {
        station.stack.sysctl.ip6.redirect = 0;
      },
    ],
    [
      'when the error rate is spent',
      packet(FAR),
      (station) => {
        station.stack.sysctl.icmp6.errppslimit = 0;
      },
    ],
  ])('ND-19 sends none: %s', (_, bytes, set) => {
    const station = router();
    set(station);
    station.receive(bytes);
    expect(redirects(station)).toEqual([]);
  });

  test('ND-19 what it sends is what a host takes', () => {
    const from = router();
    from.receive(packet(FAR, 200));
    const frame = from.frames.find(({ text }) => text.startsWith('redirect'))!;
    const to = new Station({ bare: true, mac: Uint8Array.of(2, 0, 0, 0, 0, 0x77) });
    to.address('2001:db8::77');
    to.ifp.setUp(true);
    const gateway = address('fe80::ff:fe00:1');
    addRoute(to.stack, { destination: address('::'), prefixLength: 0, gateway, interface: to.ifp });
    to.receive(frame.bytes.subarray(14));
    expect(routed(to, FAR)).toBe(PEER_LINK_LOCAL);
    expect(to.neighbor(PEER_LINK_LOCAL)?.linkAddress?.[5]).toBe(0xb);
  });
});
