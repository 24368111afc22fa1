import { describe, expect, test } from 'vitest';
import type { Interface } from '#stack/link/interface.ts';
import type { Stack } from '#stack/stack.ts';
import { address, viewOf } from '#stack/wire/address.ts';
import { Type } from '#stack/wire/icmp6.ts';
import { concat, hopByHop, icmp6, type Layer, packet } from '#tests/support/packets.ts';
import { expectConserved, type Tester, type Wire, World } from '#tests/support/world.ts';

const GROUP = address('ff15::1234');
const ALERT = hopByHop(5, 2, 0, 0);

interface Bench {
  readonly world: World;
  readonly wire: Wire;
  readonly node: Stack;
  readonly ifp: Interface;
  readonly tester: Tester;
}

/** A listener on a link whose start-up reports are over. */
function settled(): Bench {
  const world = new World(7);
  const wire = world.p2p();
  const node = world.node('listener');
  const ifp = world.attach(node, wire);
  const tester = wire.tester();
  world.run(60_000);
  tester.heard.length = 0;
  return { world, wire, node, ifp, tester };
}

const message = (type: number, group: string, delay = 0): Layer => icmp6(type, 0, (delay << 16) >>> 0, address(group));

const query = (group: string, delay: number, header: { src?: string; dst?: string; hops?: number } = {}): Uint8Array =>
  packet(
    { src: 'fe80::99', dst: group === '::' ? 'ff02::1' : group, hops: 1, ...header },
    ALERT,
    message(Type.mldQuery, group, delay),
  );

const report = (group: string, header: { src?: string; dst?: string; hops?: number } = {}): Uint8Array =>
  packet({ src: 'fe80::99', dst: group, hops: 1, ...header }, ALERT, message(Type.mldReport, group));

const reports = (tester: Tester, group: string) => tester.captured({ icmp6: { type: Type.mldReport, mld: { group } } });
const dones = (tester: Tester, group: string) => tester.captured({ icmp6: { type: Type.mldDone, mld: { group } } });

describe('joining and leaving', () => {
  test('IP-11 a join is reported at once and once more within 10 s: hop limit 1, router alert, link-local source', () => {
    const { world, node, ifp, tester } = settled();
    const start = world.clock.now;
    node.mld.join(ifp, GROUP);
    world.run(10_001);
    const sent = reports(tester, 'ff15::1234');
    expect(sent).toHaveLength(2);
    expect(sent[0]!.time - start).toBeLessThan(1);
    expect(sent[1]!.time - start).toBeLessThanOrEqual(10_000);
    const [source] = ifp.addresses.filter(({ view }) => view.getUint16(0) === 0xfe80);
    expect(source).toBeDefined();
    for (const { decoded } of sent) {
      expect(decoded).toMatchObject({
        ip6: { dst: 'ff15::1234', hopLimit: 1 },
        hopByHop: { options: [{ type: 5, value: 0 }, { name: 'padN' }] },
        icmp6: { code: 0, checksumOk: true, mld: { version: 1 } },
      });
      expect(decoded.ip6!.src).toMatch(/^fe80::/);
      expect(decoded.malformed).toBeUndefined();
    }
    world.run(60_000);
    expect(reports(tester, 'ff15::1234')).toHaveLength(2);
    expectConserved(world);
  });

  test('IP-11 joins are counted: only the last leave ends the membership, with one Done to ff02::2', () => {
    const { world, node, ifp, tester } = settled();
    node.mld.join(ifp, GROUP);
    node.mld.join(ifp, GROUP);
    world.run(20_000);
    node.mld.leave(ifp, GROUP);
    world.run(1000);
    expect(dones(tester, 'ff15::1234')).toHaveLength(0);
    expect(node.mld.isMember(ifp, viewOf(GROUP), 0)).toBe(true);
    node.mld.leave(ifp, GROUP);
    world.run(1000);
    expect(dones(tester, 'ff15::1234')).toHaveLength(1);
    expect(dones(tester, 'ff15::1234')[0]!.decoded).toMatchObject({ ip6: { dst: 'ff02::2', hopLimit: 1 } });
    expect(node.mld.isMember(ifp, viewOf(GROUP), 0)).toBe(false);
    expect(node.counters.mld6).toMatchObject({ donesSent: 1 });
    expectConserved(world);
  });

  test('IP-11 a leave before the second report ends that report too', () => {
    const { world, node, ifp, tester } = settled();
    node.mld.join(ifp, GROUP);
    node.mld.leave(ifp, GROUP);
    world.run(20_000);
    expect(reports(tester, 'ff15::1234')).toHaveLength(1);
    expect(dones(tester, 'ff15::1234')).toHaveLength(1);
  });

  test.each([
    ['all nodes', 'ff02::1'],
    ['an interface-local group', 'ff01::1234'],
    ['a group of the reserved scope', 'ff00::1234'],
  ])('IP-11 %s is joined without a word (RFC 2710 5)', (_, text) => {
    const { world, node, ifp, tester } = settled();
    node.mld.join(ifp, address(text));
    world.run(20_000);
    tester.send(query('::', 0));
    world.run(1000);
    expect(reports(tester, text)).toHaveLength(0);
    expect(node.mld.isMember(ifp, viewOf(address(text)), 0)).toBe(true);
    node.mld.leave(ifp, address(text));
    world.run(1000);
    expect(dones(tester, text)).toHaveLength(0);
  });

  test('IP-11 membership is of one interface, not of the node', () => {
    const { world, node, ifp } = settled();
    const other = world.attach(node, world.p2p());
    node.mld.join(ifp, GROUP);
    expect(node.mld.isMember(other, viewOf(GROUP), 0)).toBe(false);
    expect(node.mld.groups(other).map(({ group }) => group)).not.toContainEqual(GROUP);
    expect(node.mld.groups(ifp).find(({ group }) => group[14] === 0x12)).toMatchObject({ joins: 1 });
  });

  test('PP-05 RQ-02 an interface that is up listens to ff02::1 and to the solicited-node group of its address', () => {
    const { node, ifp, world } = settled();
    const id = ifp.addresses[0]!.address.slice(13);
    const groups = node.mld.groups(ifp).map(({ group }) => group);
    expect(groups).toContainEqual(address('ff02::1'));
    expect(groups).toContainEqual(Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...id));
    expect(node.mld.isMember(node.loopback, viewOf(address('ff01::1')), 0)).toBe(true);
    expectConserved(world);
  });
});

describe('without a valid address, and without a link', () => {
  test('IP-11 the first reports come from ::, and again from the link-local address once it is valid (RFC 3590 4)', () => {
    const world = new World(3);
    const wire = world.lan();
    const node = world.node('listener');
    const ifp = world.attach(node, wire, { up: false });
    node.mld.join(ifp, GROUP);
    world.run(30_000);
    expect(wire.frames).toHaveLength(0);
    ifp.setUp(true);
    world.run(30_000);
    const sources = wire
      .captured({ icmp6: { type: Type.mldReport, mld: { group: 'ff15::1234' } } })
      .map(({ decoded }) => decoded.ip6!.src);
    expect(sources[0]).toBe('::');
    expect(sources.at(-1)).toMatch(/^fe80::/);
    expect(sources.filter((source) => source !== '::').length).toBeGreaterThanOrEqual(2);
    const [frame] = wire.captured({ icmp6: { type: Type.mldReport, mld: { group: 'ff15::1234' } } });
    expect(frame!.decoded.eth!.dst).toBe('33:33:00:00:12:34');
    expectConserved(world);
  });

  test('IN-05 groups outlive the loss of all addresses and of the link, and are reported as it comes back', () => {
    const { world, node, ifp, tester } = settled();
    node.mld.join(ifp, GROUP);
    world.run(20_000);
    ifp.setUp(false);
    world.run(20_000);
    tester.heard.length = 0;
    expect(node.mld.isMember(ifp, viewOf(GROUP), 0)).toBe(true);
    ifp.setUp(true);
    world.run(20_000);
    expect(reports(tester, 'ff15::1234').length).toBeGreaterThanOrEqual(2);
    expectConserved(world);
  });

  test('IP-11 leaving while the interface is down says nothing, then or later', () => {
    const { world, node, ifp, tester } = settled();
    node.mld.join(ifp, GROUP);
    world.run(20_000);
    ifp.setUp(false);
    node.mld.leave(ifp, GROUP);
    ifp.setUp(true);
    tester.heard.length = 0;
    world.run(20_000);
    expect(reports(tester, 'ff15::1234')).toHaveLength(0);
    expect(dones(tester, 'ff15::1234')).toHaveLength(0);
  });
});

describe('answering', () => {
  function joined(): Bench {
    const bench = settled();
    bench.node.mld.join(bench.ifp, GROUP);
    bench.world.run(20_000);
    bench.tester.heard.length = 0;
    return bench;
  }

  test.each([
    ['for all groups', '::'],
    ['for the group', 'ff15::1234'],
  ])('IP-11 a Query %s is answered once, within its Maximum Response Delay', (_, group) => {
    const { world, node, tester } = joined();
    const start = world.clock.now;
    tester.send(query(group, 500));
    world.run(5000);
    const sent = reports(tester, 'ff15::1234');
    expect(sent).toHaveLength(1);
    expect(sent[0]!.time - start).toBeLessThanOrEqual(501);
    expect(node.counters.mld6).toMatchObject({ queriesReceived: 1, badQueries: 0 });
    expectConserved(world);
  });

  test('IP-11 a querier of version 2 is answered, too (RFC 3810 8.2.1)', () => {
    const { world, tester } = joined();
    const data = concat(address('::'), Uint8Array.of(2, 125, 0, 0));
    // 0x9000: (0x1000 | 0x000) << 4 ms, which a version 1 query would say with 36,864
    const bytes = packet(
      { src: 'fe80::99', dst: 'ff02::1', hops: 1 },
      ALERT,
      icmp6(Type.mldQuery, 0, 0x9000_0000, data),
    );
    const times: number[] = [];
    for (let run = 0; run < 40; run++) {
      tester.heard.length = 0;
      const asked = world.clock.now;
      tester.send(bytes);
      world.run(66_000);
      const sent = reports(tester, 'ff15::1234');
      expect(sent).toHaveLength(1);
      times.push(sent[0]!.time - asked);
    }
    expect(Math.max(...times)).toBeGreaterThan(37_000);
    expect(Math.max(...times)).toBeLessThan(65_537);
  });

  test('IP-11 a Query for another group asks nothing of us', () => {
    const { world, tester } = joined();
    tester.send(query('ff15::99', 500));
    world.run(5000);
    expect(reports(tester, 'ff15::1234')).toHaveLength(0);
  });

  test('IP-11 with an answer due a Query only hastens it (RFC 2710 4)', () => {
    const { world, tester } = joined();
    tester.send(query('::', 60_000));
    world.run(1);
    const start = world.clock.now;
    tester.send(query('ff15::1234', 0));
    world.run(60_000);
    const sent = reports(tester, 'ff15::1234');
    expect(sent).toHaveLength(1);
    expect(sent[0]!.time - start).toBeLessThan(1);
  });

  test("IP-11 another's Report makes ours needless, and a Done too", () => {
    const { world, node, ifp, tester } = joined();
    tester.send(query('ff15::1234', 30_000));
    world.run(1);
    tester.send(report('ff15::1234'));
    world.run(60_000);
    expect(reports(tester, 'ff15::1234')).toHaveLength(0);
    node.mld.leave(ifp, GROUP);
    world.run(1000);
    expect(dones(tester, 'ff15::1234')).toHaveLength(0);
    expect(node.counters.mld6).toMatchObject({ reportsReceived: 1, badReports: 0 });
  });

  test.each<[string, Uint8Array]>([
    ['with a hop limit other than 1', query('::', 500, { hops: 64 })],
    ['from a global address', query('::', 500, { src: '2001:db8::9' })],
    ['for all groups, sent to a group', query('::', 500, { dst: 'ff15::1234' })],
    ['for a unicast address', query('2001:db8::1', 500, { dst: 'ff02::1' })],
    ['for a group, sent to another', query('ff15::1234', 500, { dst: 'ff02::1' })],
  ])('IP-11 a Query %s is counted as bad and not answered', (_, bytes) => {
    const { world, node, tester } = joined();
    tester.send(bytes);
    world.run(5000);
    expect(reports(tester, 'ff15::1234')).toHaveLength(0);
    expect(node.counters.mld6).toMatchObject({ queriesReceived: 1, badQueries: 1 });
    expect(world.told(node).drops).toContainEqual({ protocol: 'mld6', counter: 'badQueries' });
    expectConserved(world);
  });

  test('IP-11 a Query that is too short is counted as bad', () => {
    const { world, node, tester } = joined();
    tester.send(packet({ src: 'fe80::99', dst: 'ff02::1', hops: 1 }, ALERT, icmp6(Type.mldQuery, 0, 500 << 16)));
    world.run(5000);
    expect(node.counters.mld6).toMatchObject({ queriesReceived: 1, badQueries: 1 });
  });

  test.each<[string, Uint8Array]>([
    ['with a hop limit other than 1', report('ff15::1234', { hops: 255 })],
    ['from a global address', report('ff15::1234', { src: '2001:db8::9' })],
    ['from the unspecified address', report('ff15::1234', { src: '::' })],
  ])('IP-11 a Report %s is counted as bad and does not silence us', (_, bytes) => {
    const { world, node, tester } = joined();
    tester.send(query('ff15::1234', 1000));
    world.run(0.2);
    tester.send(bytes);
    world.run(5000);
    expect(reports(tester, 'ff15::1234')).toHaveLength(1);
    expect(node.counters.mld6).toMatchObject({ reportsReceived: 1, badReports: 1 });
  });

  test('IP-11 a message with a bad checksum is dropped before it is looked at', () => {
    const { world, node, tester } = joined();
    const bytes = query('::', 500);
    bytes[bytes.length - 1] = bytes[bytes.length - 1]! ^ 1;
    tester.send(bytes);
    world.run(5000);
    expect(node.counters.icmp6.badChecksum).toBe(1);
    expect(node.counters.mld6.queriesReceived).toBe(0);
  });

  test('IP-11 a Done is for routers: nothing happens', () => {
    const { world, node, tester } = joined();
    tester.send(packet({ src: 'fe80::99', dst: 'ff15::1234', hops: 1 }, ALERT, message(Type.mldDone, 'ff15::1234')));
    world.run(5000);
    expect(tester.heard).toHaveLength(0);
    expect(node.counters.mld6).toMatchObject({ reportsReceived: 0, queriesReceived: 0 });
    expectConserved(world);
  });
});
