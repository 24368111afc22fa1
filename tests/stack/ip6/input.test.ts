import { describe, expect, test } from 'vitest';
import type { Counters } from '#stack/counters.ts';
import { address } from '#stack/wire/address.ts';
import { linked, NODE, PEER, summary } from '#tests/support/linked.ts';
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
import { ping as pingFrom } from '#tests/support/ping.ts';
import { addressOn, expectConserved } from '#tests/support/world.ts';

type Ip6Counter = keyof Counters['ip6'];

const ping = (dst: string, src = PEER, ...between: Layer[]) => packet({ src, dst }, ...between, echoRequest());

describe('what is dropped without a word', () => {
  test.each<[title: string, bytes: Uint8Array, counter: Ip6Counter]>([
    ['IP-01 version 0', packet({ src: PEER, dst: NODE, version: 0 }, echoRequest()), 'badVersion'],
    ['IP-01 version 4', packet({ src: PEER, dst: NODE, version: 4 }, echoRequest()), 'badVersion'],
    ['IP-01 version 5', packet({ src: PEER, dst: NODE, version: 5 }, echoRequest()), 'badVersion'],
    ['IP-01 version 7', packet({ src: PEER, dst: NODE, version: 7 }, echoRequest()), 'badVersion'],
    ['IP-01 version 15', packet({ src: PEER, dst: NODE, version: 15 }, echoRequest()), 'badVersion'],
    ['IP-01 a frame shorter than the header', ping(NODE).slice(0, 39), 'tooSmall'],
    ['IP-01 a frame shorter than its payload length', ping(NODE).slice(0, 55), 'tooShort'],
    [
      'IP-01 a payload length beyond the frame',
      packet({ src: PEER, dst: NODE, payloadLength: 17 }, echoRequest()),
      'tooShort',
    ],
    [
      'IP-01 an extension header beyond the packet',
      packet({ src: PEER, dst: NODE }, raw(60, [58, 9, 1, 4, 0, 0, 0, 0])),
      'tooShort',
    ],
    [
      'IP-01 an option beyond its header',
      packet({ src: PEER, dst: NODE }, raw(60, [58, 0, 1, 5, 0, 0, 0, 0])),
      'badOptions',
    ],
    ['IV-01 an IPv4-mapped source', ping(NODE, '::ffff:127.0.0.1'), 'badScope'],
    ['IV-01 an IPv4-mapped destination', ping('::ffff:192.0.2.1'), 'badScope'],
    ['IV-02 an IPv4-compatible source', ping(NODE, '::192.0.2.1'), 'badAddress'],
    ['IV-02 an IPv4-compatible destination', ping('::192.0.2.1'), 'badAddress'],
    ['IV-04 an unspecified source outside Neighbor Discovery and MLD', ping(NODE, '::'), 'badAddress'],
    ['IV-04 an unspecified source of UDP', packet({ src: '::', dst: NODE }, udp(1, 2)), 'badAddress'],
    ['IV-05 an unspecified source of TCP', packet({ src: '::', dst: NODE }, raw(6, new Uint8Array(20))), 'badAddress'],
    ['IV-06 a multicast source', ping(NODE, 'ff02::1'), 'badAddress'],
    ['IV-06 an unspecified destination', ping('::'), 'badAddress'],
    ['IV-06 a loopback source from outside', ping(NODE, '::1'), 'badAddress'],
    ['IV-06 a loopback destination from outside', ping('::1'), 'badAddress'],
    ['SC-03 a zone inside a link-local source', ping(NODE, 'fe80:1::2'), 'badScope'],
    ['SC-03 a zone inside a link-local destination', ping('fe80:1::1'), 'badScope'],
    ['SC-03 a zone inside a link-local group', ping('ff02:1::1'), 'badScope'],
    ['SC-10 an interface-local group from outside', ping('ff01::1'), 'badScope'],
    ['SC-10 a group of the reserved scope 0', ping('ff00::1'), 'badScope'],
    ['a group that the node has not joined', ping('ff02::1234'), 'notMember'],
    ['a packet for another node, on a host', ping('2001:db8:9::9'), 'notForUs'],
    ['IP-06 an option of type 01xxxxxx', ping(NODE, PEER, destinationOptions(0x5e, 0)), 'badOptions'],
  ])('%s', (_, bytes, counter) => {
    const { world, node, ask } = linked();
    expect(ask(bytes)).toEqual([]);
    expect(node.counters.ip6[counter]).toBe(1);
    expect(world.told(node).drops).toEqual([{ protocol: 'ip6', counter }]);
    expectConserved(world);
  });

  test('IP-07 no next header (59): whatever follows is ignored', () => {
    const { world, node, ask } = linked();
    expect(ask(packet({ src: PEER, dst: NODE }, raw(59, pattern(16))))).toEqual([]);
    expect(ask(packet({ src: PEER, dst: NODE }, destinationOptions(), raw(59)))).toEqual([]);
    expect(node.counters.ip6.delivered).toBe(2);
    expect(world.told(node).drops).toEqual([]);
    expectConserved(world);
  });
});

const problem = (code: number, pointer: number) => ({ type: 4, code, pointer });

describe('what is answered with Parameter Problem', () => {
  const at = (...layers: Layer[]) => packet({ src: PEER, dst: NODE }, ...layers, echoRequest());
  test.each<[title: string, bytes: Uint8Array, code: number, pointer: number]>([
    ['IP-05 Hop-by-Hop options behind another header: code 1', at(destinationOptions(), hopByHop()), 1, 40],
    ['IP-05 Hop-by-Hop options twice: code 1', at(hopByHop(), hopByHop()), 1, 40],
    ['IP-06 an option of type 10xxxxxx: code 2, pointer at it', at(destinationOptions(0x9e, 0)), 2, 42],
    ['IP-06 an option of type 11xxxxxx: code 2, pointer at it', at(destinationOptions(1, 0, 0xde, 1, 9)), 2, 44],
    ['IP-06 the same among Hop-by-Hop options', at(hopByHop(0, 0x9e, 0)), 2, 43],
    ['IP-06 in the second of two headers', at(hopByHop(), destinationOptions(0x9e, 0)), 2, 50],
    [
      'IP-07 an unknown next header: code 1, pointer at the byte',
      packet({ src: PEER, dst: NODE }, raw(253, [1, 2, 3, 4])),
      1,
      6,
    ],
    ['IP-07 behind an extension header', packet({ src: PEER, dst: NODE }, destinationOptions(), raw(253, [1])), 1, 40],
    ['IP-08 a routing header of unknown type with segments left', at(routing(33, 1)), 0, 42],
    ['IP-08 type 0 is such an unknown type today (RFC 5095)', at(routing(0, 1, '2001:db8:9::9')), 0, 42],
    ['IP-12 a router alert of a length other than 2', at(hopByHop(5, 1, 0)), 0, 43],
    ['JB-04 a jumbo payload option beside a payload length', at(hopByHop(0xc2, 4, 0, 1, 0, 0)), 0, 42],
    [
      'JB-04 a jumbo payload of 65,535 bytes or less',
      packet({ src: PEER, dst: NODE, payloadLength: 0 }, hopByHop(0xc2, 4, 0, 0, 0xff, 0xff), echoRequest()),
      0,
      44,
    ],
    [
      'JB-04 no length at all: zero in the header, no jumbo payload option',
      packet({ src: PEER, dst: NODE, payloadLength: 0 }, hopByHop(), echoRequest()),
      0,
      4,
    ],
    [
      'RFC 7112: a first fragment without the upper-layer header: code 3',
      packet({ src: PEER, dst: NODE }, fragment(0, true, 7, 60), raw(60, [58, 1, 1, 4, 0, 0, 0, 0])),
      3,
      0,
    ],
  ])('%s', (_, bytes, code, pointer) => {
    const { world, ask } = linked();
    const answers = ask(bytes);
    expect(answers.map(summary)).toEqual([problem(code, pointer)]);
    expect(answers[0]!.decoded).toMatchObject({ ip6: { src: NODE, dst: PEER }, icmp6: { checksumOk: true } });
    // IC-01: the quotation is what was sent
    expect(answers[0]!.bytes.slice(48)).toEqual(bytes);
    expectConserved(world);
  });
});

describe('what passes', () => {
  test.each<[title: string, bytes: Uint8Array]>([
    ['IP-06 an unknown option of type 00xxxxxx is skipped', ping(NODE, PEER, destinationOptions(0x1e, 2, 9, 9))],
    ['IP-08 a routing header of type 0 with no segments left', ping(NODE, PEER, routing(0, 0, '2001:db8::7'))],
    ['IP-08 a routing header of unknown type with no segments left', ping(NODE, PEER, routing(33, 0))],
    ['IP-12 a router alert', ping(NODE, PEER, hopByHop(5, 2, 0, 0))],
    ['link padding behind the payload length', concat(ping(NODE), new Uint8Array(7))],
    ['a source of another site', ping(NODE, 'fec0::2')],
  ])('%s', (_, bytes) => {
    const { world, node, ask } = linked();
    // the way back
    expect(ask(bytes).length + node.counters.ip6.noRoute).toBe(1);
    expect(node.counters.icmp6.reflected).toBe(1);
    expectConserved(world);
  });
});

test('IP-06 type 10 is answered even from a group, type 11 is not', () => {
  const { ask } = linked();
  const toGroup = (type: number) => packet({ src: PEER, dst: 'ff02::1' }, destinationOptions(type, 0), echoRequest());
  expect(ask(toGroup(0xde))).toEqual([]);
  expect(ask(toGroup(0x9e)).map(summary)).toEqual([problem(2, 42)]);
});

describe('hdrnestlimit', () => {
  const nested = (count: number) => ping(NODE, PEER, ...Array.from({ length: count }, () => destinationOptions()));

  test('HL-02 49 extension headers and the IPv6 header are 50: answered', () => {
    const { ask } = linked();
    expect(ask(nested(49)).map(summary)).toMatchObject([{ type: 129 }]);
  });

  test('HL-02 51 extension headers are dropped without a word', () => {
    const { world, node, ask } = linked();
    expect(ask(nested(51))).toEqual([]);
    expect(node.counters.ip6.tooManyHeaders).toBe(1);
    expectConserved(world);
  });

  test('HL-02 Hop-by-Hop options count as well', () => {
    const { node, ask } = linked();
    const behind = (count: number) =>
      ping(NODE, PEER, hopByHop(), ...Array.from({ length: count }, () => destinationOptions()));
    expect(ask(behind(48))).toHaveLength(1);
    expect(ask(behind(49))).toEqual([]);
    expect(node.counters.ip6.tooManyHeaders).toBe(1);
  });

  test('HL-02 a limit of 0 is no limit, and HL-01 our own stack does not grow: 8172 headers', () => {
    const { world, node, ask } = linked({ 'ip6.hdrnestlimit': 0 }, { mtu: 65_535 });
    const answers = ask(nested(8172));
    expect(answers).toHaveLength(1);
    expect(node.counters.icmp6.reflected).toBe(1);
    expectConserved(world);
  });
});

describe('addresses that are not ours yet, or not any more', () => {
  test('a tentative address answers nothing but Neighbor Discovery (RFC 4862 5.4)', () => {
    const { world, node, ifp, ask } = linked();
    const entry = addressOn(ifp, '2001:db8::77/64', {});
    expect(entry.state).toBe('tentative');
    expect(ask(ping('2001:db8::77'))).toEqual([]);
    expect(node.counters.ip6.tentative).toBe(1);
    world.run(5000);
    expect(ask(ping('2001:db8::77')).map(summary)).toMatchObject([{ type: 129 }]);
  });

  test('ND-05 a duplicated address receives nothing', () => {
    const { node, ifp, ask } = linked();
    addressOn(ifp, '2001:db8::77/64').state = 'duplicated';
    expect(ask(ping('2001:db8::77'))).toEqual([]);
    expect(node.counters.ip6.tentative).toBe(1);
  });
});

test('ND-06 a disabled interface takes nothing', () => {
  const { world, node, ifp, ask } = linked();
  ifp.nd.disabled = true;
  expect(ask(ping(NODE))).toEqual([]);
  expect(node.counters.ip6.disabled).toBe(1);
  // nor is it an answer that was not sent
  expect(node.histograms.icmp6In[128]).toBe(0);
  expectConserved(world);
});

test('a disabled interface does not keep the node from its own addresses there: nothing crosses the link', () => {
  const { world, node, ifp } = linked();
  ifp.nd.disabled = true;
  expect(pingFrom(node, NODE)).toBeUndefined();
  world.run(100);
  expect(node.histograms.icmp6In[129]).toBe(1);
});

test('IV-04 an MLD report from the unspecified address is no bad packet (RFC 3590 4)', () => {
  const { node, ifp, ask } = linked();
  node.mld.join(ifp, address('ff02::1234'));
  const report = icmp6(131, 0, 0, address('ff02::1234'));
  ask(packet({ src: '::', dst: 'ff02::1234', hops: 1 }, hopByHop(5, 2, 0, 0), report));
  expect(node.counters.ip6.badAddress).toBe(0);
  expect(node.counters.mld6.reportsReceived).toBe(1);
});

test('ST-01 next headers are counted in a histogram', () => {
  const { node, ask } = linked();
  const before = node.histograms.ip6NextHeader[58]!;
  ask(ping(NODE), ping(NODE), ping(NODE, PEER, hopByHop()));
  expect(node.histograms.ip6NextHeader[58]! - before).toBe(2);
  expect(node.histograms.ip6NextHeader[0]).toBe(1);
});

describe('IV-08 a home address option', () => {
  // nobody's home is here: the option is one that this node does not know (RFC 6275 9.3.1 asks no more of it)
  test.each(['::', 'ff02::1', '2001:db8::7'])('with %s is refused: Parameter Problem code 2, pointer at it', (home) => {
    const { ask } = linked();
    const options = destinationOptions(1, 2, 0, 0, 0xc9, 16, ...address(home));
    expect(ask(packet({ src: PEER, dst: NODE }, options, echoRequest())).map(summary)).toEqual([problem(2, 46)]);
  });
});

describe('jumbograms', () => {
  test('JB-02 a jumbo payload longer than its frame is dropped without a word', () => {
    const { node, ask } = linked();
    const claim = packet({ src: PEER, dst: NODE, payloadLength: 0 }, hopByHop(0xc2, 4, 0, 1, 0, 0), echoRequest());
    expect(ask(claim)).toEqual([]);
    expect(node.counters.ip6.tooShort).toBe(1);
  });

  test('JB-06 a length of 2^32-1 overflows nothing', () => {
    const { node, ask } = linked();
    const claim = packet(
      { src: PEER, dst: NODE, payloadLength: 0 },
      hopByHop(0xc2, 4, 255, 255, 255, 255),
      echoRequest(),
    );
    expect(ask(claim)).toEqual([]);
    expect(node.counters.ip6.tooShort).toBe(1);
  });

  const jumbo = (...layers: Layer[]) => {
    const bytes = packet({ src: PEER, dst: NODE, payloadLength: 0 }, hopByHop(0xc2, 4, 0, 0, 0, 0), ...layers);
    new DataView(bytes.buffer).setUint32(44, bytes.length - 40);
    return bytes;
  };

  test('JB-01 a link of more than 65,535 bytes carries a jumbogram, and the answer is one', () => {
    const { world, ask } = linked({}, { mtu: 131_072 });
    const [reply, ...more] = ask(jumbo(echoRequest(68_000)));
    expect(more).toEqual([]);
    expect(reply!.decoded).toMatchObject({ ip6: { payloadLength: 0 }, icmp6: { name: 'echoReply', checksumOk: true } });
    expect(reply!.bytes.length).toBe(40 + 8 + 8 + 68_000);
    // link padding is none of its bytes
    expect(ask(concat(jumbo(echoRequest(68_000)), new Uint8Array(9)))[0]!.bytes).toEqual(reply!.bytes);
    expectConserved(world);
  });

  test('JB-03 a Fragment header in a jumbogram: Parameter Problem code 0, pointer at it', () => {
    const { ask } = linked({}, { mtu: 131_072 });
    const answers = ask(jumbo(fragment(0, true), echoRequest(68_000)));
    expect(answers.map(summary)).toEqual([problem(0, 48)]);
    expect(answers[0]!.bytes.length).toBe(1280);
  });
});

describe('a bug that a packet meets', () => {
  test.each<[what: string, meet: (lent: () => void) => void]>([
    ['while it is ours', () => {}],
    ['after it was given back and taken by another', (giveBack) => giveBack()],
  ])('%s is counted, nothing is lost or given twice, and the node goes on', (_, meet) => {
    const { world, node, ifp } = linked();
    Object.assign(node, { strict: false });
    const bytes = packet({ src: PEER, dst: NODE }, udp(5000, 7, 8));
    const pkt = world.pool.take(bytes.length);
    pkt.bytes.set(bytes, pkt.head);
    pkt.tail = pkt.head + bytes.length;
    const socket = node.udp.open();
    socket.bind({ address: address('::'), zone: 0 }, 7);
    let taken = 0;
    socket.onReceive = () => {
      meet(() => {
        pkt.give();
        expect(world.pool.take(8)).toBe(pkt);
        taken++;
      });
      throw new Error('a bug');
    };
    ifp.receive(pkt);
    expect(pkt.held).toBe(taken === 1);
    expect(node.counters.ip6.internalError).toBe(1);
    if (taken === 1) pkt.give();
    world.run(100);
    expectConserved(world);
  });
});
