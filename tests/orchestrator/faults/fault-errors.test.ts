/** Every error a fault can have, with its place in the topology; and that editors see the same. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fromJSONSchema } from 'zod';
import { parseFault } from '#orchestrator/faults/fault.ts';
import type { FaultSource } from '#orchestrator/faults/fault-schema.ts';
import { topologyText } from '#orchestrator/report/topology-text.ts';
import { parseTopology } from '#orchestrator/topology.ts';
import { topologySchema } from '#orchestrator/topology-schema.ts';
import { UsageError } from '#orchestrator/usage-error.ts';

const ab = (fault: string, more = '') => `name: t
defaults: { kind: kame }
nodes: { a: , b: }
links:
  ab:
    type: p2p
    nodes: [a, b]
    ${more}
    faults:
      - ${fault}
`;

function errorsOf(text: string): string[] {
  try {
    parseTopology(text, 't.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message.split('\n');
  }
  return [];
}

const AT = 't.yaml:10';
const FIELD = 'links.ab.faults[0]';

test.each<[title: string, fault: string, ...errors: string[]]>([
  [
    'nothing to do',
    '{ from: a }',
    `${AT}:9: ${FIELD}: says nothing to be done; expected one of drop, duplicate, reorder, corrupt, delay, loss, rate, mtu, down, flap`,
  ],
  [
    'two things to do',
    '{ drop: all, delay: 3ms }',
    `${AT}:22: ${FIELD}.delay: one fault does one thing, and this one has drop already; make it a fault of its own`,
  ],
  ['a misspelt action', '{ dorp: all }', `${AT}:11: ${FIELD}.dorp: unknown field; did you mean "drop"?`],
  [
    'a detail of another action',
    '{ drop: all, jitter: 3ms }',
    `${AT}:22: ${FIELD}.jitter: belongs to delay, and this fault is drop`,
  ],
  [
    'a match twice',
    '{ drop: { icmp6: redirect }, match: { udp: 53 } }',
    `${AT}:38: ${FIELD}.match: is written as well as the match of drop; keep one of them`,
  ],
  [
    'a choice twice',
    '{ drop: { nth: 1 }, nth: 2 }',
    `${AT}:29: ${FIELD}.nth: is written in drop as well; keep one of them`,
  ],
  [
    'a node that is not on the link',
    '{ drop: all, from: aa }',
    `${AT}:28: ${FIELD}.from: "aa" is not on this link; its nodes are a, b`,
  ],
  [
    'an end that is not on the link',
    '{ drop: all, to: b:eth0 }',
    `${AT}:26: ${FIELD}.to: "b:eth0" is not on this link; its nodes are a, b`,
  ],
  ['from and to the same', '{ drop: all, from: a, to: a }', `${AT}:35: ${FIELD}.to: frames from a never go back to it`],
  [
    'an end before the beginning',
    '{ drop: all, after: 5s, until: 4000ms }',
    `${AT}:40: ${FIELD}.until: is not later than after, which is 5s`,
  ],
  [
    'a duration without unit',
    '{ delay: 30 }',
    `${AT}:18: ${FIELD}.delay: expected a duration such as 30ms, in us, ms, s, m or h, found 30`,
  ],
  [
    'no duration',
    '{ down: 0s }',
    `${AT}:17: ${FIELD}.down: expected a duration such as 3s, in us, ms, s, m or h, not none, found "0s"`,
  ],
  [
    'a rate in bytes',
    '{ rate: 10MB }',
    `${AT}:17: ${FIELD}.rate: expected a rate such as 10mbit, in bit, kbit, mbit or gbit a second, found "10MB"`,
  ],
  [
    'a probability above 1',
    '{ loss: 110% }',
    `${AT}:17: ${FIELD}.loss: expected a probability such as 1%, or 0.01, found "110%"`,
  ],
  [
    'a burst model without end',
    '{ loss: { enter: 1% } }',
    `${AT}:11: ${FIELD}.loss.leave: missing; expected a probability such as 1%, or 0.01`,
  ],
  [
    'an unknown ICMPv6 message',
    '{ drop: { icmp6: neighbourAdvertisement } }',
    `${AT}:26: ${FIELD}.drop.icmp6: expected one of unreachable, packetTooBig, timeExceeded, parameterProblem, echoRequest, echoReply, mldQuery, mldReport, mldDone, routerSolicitation, routerAdvertisement, neighborSolicitation, neighborAdvertisement, redirect, nodeInformationQuery, nodeInformationReply, mld2Report, any, found "neighbourAdvertisement"; did you mean "neighborAdvertisement"?`,
  ],
  [
    'an unknown protocol',
    '{ drop: { icmpv6: any } }',
    `${AT}:19: ${FIELD}.drop.icmpv6: unknown field; did you mean "icmp6"?`,
  ],
  [
    'an unknown field to spoil',
    '{ corrupt: all, field: icmp6.chksum }',
    `${AT}:32: ${FIELD}.field: expected one of eth.dst, eth.src, eth.type, ip6.payloadLength, ip6.nextHeader, ip6.hopLimit, ip6.src, ip6.dst, fragment.offset, fragment.id, icmp6.type, icmp6.code, icmp6.checksum, icmp6.target, icmp6.data, icmp6.options, udp.srcPort, udp.dstPort, udp.length, udp.checksum, udp.data, tcp.srcPort, tcp.dstPort, tcp.seq, tcp.ack, tcp.flags, tcp.checksum, payload, found "icmp6.chksum"; did you mean "icmp6.checksum"?`,
  ],
  [
    'a zeroth frame',
    '{ drop: { nth: 0 } }',
    `${AT}:24: ${FIELD}.drop.nth: expected a whole number from 1 to 2147483647, found 0`,
  ],
  [
    'a bad address',
    '{ drop: { ip6: { dst: "2001:db8::/200" } } }',
    `${AT}:31: ${FIELD}.drop.ip6.dst: expected an address or prefix such as "2001:db8::1" or "2001:db8::/32", found "2001:db8::/200"`,
  ],
])('%s is an error with its place', (_, fault, ...errors) => expect(errorsOf(ab(fault))).toEqual(errors));

test('only a wire in software has faults', () => {
  expect(errorsOf(ab('{ drop: all }', 'wire: false'))).toEqual([
    't.yaml:8:11: links.ab.wire: only a wire in software can have faults; remove wire, or the faults',
  ]);
});

test('a scenario is told the same, without a place', () => {
  const ends = [{ node: 'a', interface: 'ab' }];
  expect(() => parseFault({ delay: 3 }, ends)).toThrow('fault: delay: expected a duration such as 30ms');
  expect(() => parseFault({ drop: 'all', from: 'x' }, ends)).toThrow('fault: from: "x" is not on this link');
});

describe('what is meant', () => {
  const ends = ['a', 'b'].map((node) => ({ node, interface: 'ab' }));
  test.each<[FaultSource, object]>([
    [
      { delay: '1.5s', jitter: '200us' },
      { type: 'delay', delay: 1500, jitter: 0.2, overtake: false },
    ],
    [{ loss: '0.5%' }, { type: 'loss', enter: 0, leave: 1, bad: 1, good: 0.005 }],
    [
      { rate: '10mbit' },
      { type: 'rate', rate: 10_000, queueBytes: 64_000, queueFrames: Number.POSITIVE_INFINITY, burst: 0 },
    ],
    [{ flap: { down: '1m', up: '1h' } }, { type: 'down', down: 60_000, up: 3_600_000 }],
    [
      { reorder: 'all', by: '20ms' },
      { type: 'reorder', frames: 0, hold: 20 },
    ],
  ])('%j', (source, action) => expect(parseFault(source, ends).action).toEqual(action));

  test.each<[FaultSource, string]>([
    [{ drop: { icmp6: 'neighborAdvertisement', nth: 1 }, from: 'b' }, 'drop icmp6 neighborAdvertisement nth 1 from b'],
    [{ delay: '30ms', jitter: '5ms', optional: true }, 'delay 30ms jitter 5ms'],
    [{ drop: { udp: [53, 5353] } }, 'drop udp 53 or 5353'],
    [{ down: '3s', name: 'the cable is cut' }, 'the cable is cut'],
  ])('%j has a name', (source, name) => expect(parseFault(source, ends).name).toBe(name));
});

const published = JSON.parse(readFileSync('topologies/topology.schema.json', 'utf8'));

test.each<[text: string, accepted: boolean]>([
  [ab('{ drop: { icmp6: { type: [neighborSolicitation, redirect], target: "2001:db8::/32" }, nth: [1, 3] } }'), true],
  [ab('{ drop: { tcp: { dstPort: 22, flags: [syn], without: ack }, length: { min: 60 } }, every: 2, times: 3 }'), true],
  [ab('{ loss: { enter: 1%, leave: 0.25, bad: 100% }, from: a, after: 5s, until: 20s, optional: true }'), true],
  [ab('{ rate: 10mbit, queue: 100, burst: 64kB }'), true],
  [ab('{ drop: some }'), false],
  [ab('{ drop: { udp: 65536 } }'), false],
  [ab('{ rate: 0mbit }'), false],
  [ab('{ loss: 2 }'), false],
  [ab('{ delay: 1 s }'), false],
])('editor and orchestrator agree on %j', (text, accepted) => {
  expect(topologySchema().safeParse(parse(text)).success).toBe(accepted);
  expect(fromJSONSchema(published).safeParse(parse(text)).success).toBe(accepted);
});

test('a link with faults is a wire, and is one when written out again', () => {
  const lab = parseTopology(ab('{ drop: { icmp6: neighborAdvertisement, nth: 1 }, from: b }'), 't.yaml');
  expect(lab.links[0]).toMatchObject({ wire: true, faults: [{ from: 'b', nth: [1] }] });
  const again = parseTopology(topologyText(lab), 't.yaml');
  expect(again.links).toEqual(lab.links);
});
