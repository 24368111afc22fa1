import { describe, expect, test } from 'vitest';
import { removeAddress } from '#stack/ip6/addresses.ts';
import { Segment } from '#stack/link/segment.ts';
import { advertiseUnsolicited } from '#stack/nd6/advertisement.ts';
import { setDefaultInterface } from '#stack/nd6/default-interface.ts';
import { nd6ForwardingChanged } from '#stack/nd6/interface-events.ts';
import { deleteNeighbor, setNeighbor } from '#stack/nd6/static-entries.ts';
import { address, viewOf } from '#stack/wire/address.ts';
import { MAC_A, MAC_B, na, ns, OWN, OWN_LINK_LOCAL, PEER, Station, sll, tll } from './station.ts';

const known = ns({ options: sll(MAC_A) });

describe('answers', () => {
  test('ND-22 a solicitation is answered from the target, with our address, solicited and override', () => {
    const station = new Station();
    station.receive(known);
    expect(station.sent()).toEqual([`na ${OWN} ${OWN}>${PEER} SO tll=1`]);
  });

  test('ND-22 the router flag follows `forwarding`', () => {
    const station = new Station();
    for (const forwarding of [1, 0]) {
      station.stack.sysctl.ip6.forwarding = forwarding;
      station.receive(known);
      expect(station.sent()).toEqual([`na ${OWN} ${OWN}>${PEER} ${forwarding ? 'R' : ''}SO tll=1`]);
    }
  });

  test("ND-04 another's detection is answered to all nodes, not as solicited", () => {
    const station = new Station();
    station.receive(ns({ from: '::' }));
    expect(station.sent()).toEqual([`na ${OWN} ${OWN}>ff02::1 O tll=1`]);
    expect(station.stack.neighbors.size).toBe(0);
  });

  test('ND-10 on a link without link-layer addresses there is none to tell and none to override', () => {
    const station = new Station({ medium: 'ip' });
    station.receive(ns());
    expect(station.sent()).toEqual([`na ${OWN} ${OWN}>${PEER} S`]);
  });

  test('ND-02 a unicast probe is answered', () => {
    const station = new Station();
    station.receive(ns({ to: OWN, options: sll(MAC_A) }));
    expect(station.sent()).toEqual([`na ${OWN} ${OWN}>${PEER} SO tll=1`]);
  });

  test('ND-01 the address of another interface is not answered for', () => {
    const station = new Station();
    const other = station.stack.addInterface('if1', 'ethernet', new Segment(station.clock).connect(MAC_B));
    station.stack.mld.join(station.ifp, address('ff02::1:ff00:1'));
    removeAddress(station.stack, station.ifp.addresses[1]!);
    expect(other.index).toBeGreaterThan(station.ifp.index);
    station.receive(ns({ target: OWN, from: 'fe80::2', options: sll(MAC_A) }));
    expect(station.sent()).toEqual([]);
  });

  test('ND-22 RQ-03 for an anycast address: without override, after 0..1 s, not from the anycast address', () => {
    const station = new Station();
    const anycast = '2001:db8::aaaa';
    station.address(anycast, 64, { anycast: true });
    station.clock.run(12_000);
    const delays = Array.from({ length: 20 }, () => {
      const begin = station.clock.now;
      station.sent();
      station.receive(ns({ target: anycast, options: sll(MAC_A) }));
      expect(station.frames).toEqual([]);
      while (station.frames.length === 0) station.clock.step();
      expect(station.frames[0]!.text).toBe(`na ${anycast} ${OWN}>${PEER} S tll=1`);
      station.receive(na({ options: tll(MAC_A) }));
      return station.frames[0]!.time - begin;
    });
    expect(Math.max(...delays)).toBeLessThan(1000);
    expect(new Set(delays).size).toBeGreaterThan(10);
  });

  test('ND-22 a flood of anycast solicitations does not queue without bound', () => {
    const station = new Station();
    station.address('2001:db8::aaaa', 64, { anycast: true });
    for (let count = 0; count < 1000; count++) station.receive(ns({ target: '2001:db8::aaaa', options: sll(MAC_A) }));
    expect(station.sent().length).toBe(1000 - 64);
    station.clock.run(1000);
    expect(station.sent().filter((line) => line.startsWith('na')).length).toBe(64);
  });
});

describe('proxy', () => {
  const TARGET = '2001:db8::99';
  const GROUP = 'ff02::1:ff00:99';
  function proxying(forwarding: 0 | 1 = 0): Station {
    const station = new Station();
    station.stack.sysctl.ip6.forwarding = forwarding;
    const result = setNeighbor(station.stack, address(TARGET), undefined, MAC_B, { temporary: false, proxy: true });
    expect(result).toBeUndefined();
    return station;
  }

  test('ND-13 nothing is announced at set-up but the group membership', () => {
    const station = proxying();
    station.clock.run(10_000);
    expect(station.sent()).toEqual([]);
    expect(station.stack.mld.isMember(station.ifp, viewOf(address(GROUP)), 0)).toBe(true);
  });

  test.each([0, 1] as const)(
    'ND-13 answers at once with the given MAC, without override, forwarding %d',
    (forwarding) => {
      const station = proxying(forwarding);
      station.receive(ns({ target: TARGET, options: sll(MAC_A) }));
      expect(station.sent()).toEqual([`na ${TARGET} ${OWN}>${PEER} ${forwarding ? 'R' : ''}S tll=b`]);
      expect(station.neighbor(PEER)).toBeDefined();
    },
  );

  test.each([0, 1] as const)('ND-13 a unicast probe for the target is answered, too, forwarding %d', (forwarding) => {
    const station = proxying(forwarding);
    station.receive(ns({ target: TARGET, to: TARGET, options: sll(MAC_A) }));
    expect(station.sent()).toEqual([`na ${TARGET} ${OWN}>${PEER} ${forwarding ? 'R' : ''}S tll=b`]);
  });

  test('ND-13 detection of the target by another is answered to all nodes', () => {
    const station = proxying();
    station.receive(ns({ target: TARGET, from: '::' }));
    expect(station.sent()).toEqual([`na ${TARGET} ${OWN}>ff02::1  tll=b`]);
  });

  test.each([
    ['off-link', '2001:db8:77::1', 'EINVAL'],
    ['our own', OWN, 'EINVAL'],
    ['a group', 'ff02::99', 'EINVAL'],
    ['link-local without a zone', 'fe80::99', 'EINVAL'],
    ['in a prefix of ours', '2001:db8::1234', undefined],
  ])('ND-13 a target that is %s', (_, target, error) => {
    const { stack } = new Station();
    expect(setNeighbor(stack, address(target), undefined, MAC_B, { temporary: false, proxy: true })).toBe(error);
  });

  test('ND-13 a link-local target with a zone, as in `ndp -s fe80::1234%if0 ... proxy`', () => {
    const station = new Station();
    const options = { temporary: false, proxy: true };
    expect(setNeighbor(station.stack, address('fe80::1234'), station.ifp, MAC_B, options)).toBeUndefined();
    station.receive(ns({ target: 'fe80::1234', from: 'fe80::2', options: sll(MAC_A) }));
    expect(station.sent()).toEqual([`na fe80::1234 ${OWN_LINK_LOCAL}>fe80::2 S tll=b`]);
  });

  test('ND-14 deleting the entry ends it all', () => {
    const station = proxying();
    expect(deleteNeighbor(station.stack, address(TARGET), undefined)).toBeUndefined();
    expect(deleteNeighbor(station.stack, address(TARGET), undefined)).toBe('ESRCH');
    expect(station.stack.mld.isMember(station.ifp, viewOf(address(GROUP)), 0)).toBe(false);
    station.receive(ns({ target: TARGET, options: sll(MAC_A) }));
    expect(station.sent()).toEqual([]);
  });
});

describe('static entries', () => {
  test('ND-14 packets go to the given MAC, no solicitation ever, `ndp -c` leaves it', () => {
    const station = new Station();
    setNeighbor(station.stack, address(PEER), undefined, MAC_B, { temporary: false, proxy: false });
    station.clock.run(30 * 86_400_000);
    station.send(PEER);
    expect(station.frames.at(-1)!.bytes[5]).toBe(0xb);
    station.send('2001:db8::3');
    expect(station.stack.neighbors.flush()).toBe(1);
    expect([...station.stack.neighbors.all()].map(({ state }) => state)).toEqual(['static']);
    expect(station.stack.held).toBe(0);
  });

  test('ND-14 `temp`: twenty minutes', () => {
    const station = new Station();
    setNeighbor(station.stack, address(PEER), undefined, MAC_B, { temporary: true, proxy: false });
    station.clock.run(20 * 60_000 - 1);
    expect(station.neighbor(PEER)?.state).toBe('static');
    station.clock.run(1);
    expect(station.neighbor(PEER)).toBeUndefined();
  });

  test('ND-14 setting one for a neighbor under resolution sends what waits', () => {
    const station = new Station();
    station.send(PEER);
    setNeighbor(station.stack, address(PEER), undefined, MAC_B, { temporary: false, proxy: false });
    expect(station.sent().at(-1)).toBe(`data >${PEER}`);
    expect(station.stack.held).toBe(0);
  });
});

describe('unsolicited advertisements', () => {
  test('ND-21 three, a retransmission time apart, override set, to all nodes', () => {
    const station = new Station();
    const begin = station.clock.now;
    expect(advertiseUnsolicited(station.stack, station.ifp, address(OWN), 3)).toBeUndefined();
    station.clock.run(10_000);
    const line = `na ${OWN} ${OWN}>ff02::1 O tll=1`;
    expect(station.frames.map(({ time, text }) => [time - begin, text])).toEqual([
      [0, line],
      [1000, line],
      [2000, line],
    ]);
  });

  // prettier-ignore
  test.each([
    ['4 times', OWN, 4, 'EINVAL'],
    ['0 times', OWN, 0, 'EINVAL'],
    ["another's address", PEER, 1, 'EADDRNOTAVAIL'],
  ])('ND-21 %s is refused', (_, what, count, error) => {
    const { stack, ifp } = new Station();
    expect(advertiseUnsolicited(stack, ifp, address(what), count)).toBe(error);
  });

  test('ND-21 not on an interface that is down', () => {
    const { stack, ifp } = new Station();
    ifp.setUp(false);
    expect(advertiseUnsolicited(stack, ifp, address(OWN), 1)).not.toBeUndefined();
  });
});

describe('the default interface', () => {
  const AWAY = '2001:db8:ffff::1';
  const send = (station: Station): unknown => station.send(AWAY, OWN, {});

  test('ND-12 without one, a destination without a route fails at once', () => {
    const station = new Station();
    expect(send(station)).toBe('EHOSTUNREACH');
    expect(station.sent()).toEqual([]);
  });

  test('ND-12 with one, every destination is on-link there', () => {
    const station = new Station();
    setDefaultInterface(station.stack, station.ifp);
    expect(send(station)).toBeUndefined();
    expect(station.sent()).toEqual([`ns ${AWAY} ${OWN}>ff02::1:ff00:1 sll=1`]);
  });

  test('ND-12 it is ignored while forwarding', () => {
    const station = new Station();
    setDefaultInterface(station.stack, station.ifp);
    station.stack.sysctl.ip6.forwarding = 1;
    nd6ForwardingChanged(station.stack);
    expect(send(station)).toBe('EHOSTUNREACH');
    station.stack.sysctl.ip6.forwarding = 0;
    nd6ForwardingChanged(station.stack);
    expect(send(station)).toBeUndefined();
    setDefaultInterface(station.stack, undefined);
    expect(send(station)).toBe('EHOSTUNREACH');
  });
});
