import { describe, expect, test } from 'vitest';
import { SeededRandom } from '#stack/env/random.ts';
import * as Address from '#stack/wire/address.ts';
import * as Arp from '#stack/wire/arp.ts';
import * as Checksum from '#stack/wire/checksum.ts';
import * as Ethernet from '#stack/wire/ethernet.ts';
import * as Fragment from '#stack/wire/fragment.ts';
import * as Icmp6 from '#stack/wire/icmp6.ts';
import * as Ip4 from '#stack/wire/ip4.ts';
import * as Ip6 from '#stack/wire/ip6.ts';
import * as Mld from '#stack/wire/mld.ts';
import * as Nd from '#stack/wire/nd.ts';
import { NextHeader } from '#stack/wire/next-header.ts';
import * as Options from '#stack/wire/options.ts';
import * as Routing from '#stack/wire/routing.ts';
import * as Tcp from '#stack/wire/tcp.ts';
import * as Udp from '#stack/wire/udp.ts';
import { frames } from './vectors/frames.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const vector = (name: string): string => hex(frames.find((frame) => frame.name === name)!.bytes);
const address = Address.address;
const [A, B, LLA, LLB] = [
  address('2001:db8::1'),
  address('2001:db8::2'),
  address('fe80::ff:fe00:1'),
  address('fe80::ff:fe00:2'),
];
const SOLICITED = Address.solicitedNode(B);
const mac = (last: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, last);
const DATA = Uint8Array.from({ length: 56 }, (_, index) => 48 + index);

/** A frame built by our writers, over bytes that are all a5: what nobody writes shows. */
class Dirty {
  readonly bytes = new Uint8Array(2048).fill(0xa5);
  readonly v = new DataView(this.bytes.buffer);
  at = 0;

  put(data: Uint8Array): this {
    this.bytes.set(data, this.at);
    this.at += data.length;
    return this;
  }

  header(length: number, write: (v: DataView, at: number) => void): this {
    write(this.v, this.at);
    this.at += length;
    return this;
  }

  get hex(): string {
    expect(this.bytes.subarray(this.at).every((byte) => byte === 0xa5)).toBe(true);
    return hex(this.bytes.subarray(0, this.at));
  }
}

interface Packet {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly next?: number;
  readonly hops?: number;
  readonly traffic?: number;
  readonly flow?: number;
  readonly from?: number;
  readonly to?: number;
  /** Bytes in front of the upper layer, and the upper layer's own number and checksum field. */
  readonly extension?: (frame: Dirty) => void;
  readonly protocol?: number;
  readonly checksumAt?: number;
}

/** Ethernet, IPv6, what `body` writes, lengths and the checksum. */
function packet(ip: Packet, body: (frame: Dirty) => void): string {
  const frame = new Dirty();
  const { protocol = NextHeader.icmp6 } = ip;
  frame.header(Ethernet.LENGTH, (v, at) => {
    Ethernet.write(v, at, mac(ip.to ?? 2), mac(ip.from ?? 1), Ethernet.EtherType.ip6);
    const group = Address.viewOf(ip.destination);
    if (Address.isMulticast(group, 0)) Ethernet.setMulticast(v, at, group, 0);
  });
  const start = frame.at;
  frame.header(Ip6.LENGTH, (v, at) => {
    Ip6.write(v, at, 0, ip.next ?? protocol, ip.hops ?? 64, ip.traffic, ip.flow);
    Address.set(v, at + Ip6.SOURCE, ip.source);
    Address.set(v, at + Ip6.DESTINATION, ip.destination);
  });
  ip.extension?.(frame);
  const upper = frame.at;
  body(frame);
  Ip6.setPayloadLength(frame.v, start, frame.at - start - Ip6.LENGTH);
  if (ip.checksumAt !== -1) {
    const checksum = Checksum.transport6(frame.v, start, upper, frame.at - upper, protocol);
    frame.v.setUint16(upper + (ip.checksumAt ?? Icmp6.CHECKSUM), checksum);
  }
  return frame.hex;
}

const routerAlert = {
  hops: 1,
  next: NextHeader.hopByHop,
  extension: (frame: Dirty) =>
    frame.header(Options.ROUTER_ALERT_HEADER, (v, at) =>
      Options.writeRouterAlert(v, at, NextHeader.icmp6, Options.RouterAlert.mld),
    ),
};

describe('what is written into dirty bytes is what scapy makes', () => {
  test('echo request and reply', () => {
    const echo = (type: number) => (frame: Dirty) =>
      frame.header(Icmp6.HEADER, (v, at) => Icmp6.writeEcho(v, at, type, 0x1234, 1)).put(DATA);
    expect(packet({ source: A, destination: B }, echo(Icmp6.Type.echoRequest))).toBe(vector('echo request'));
    expect(packet({ source: B, destination: A, from: 2, to: 1 }, echo(Icmp6.Type.echoReply))).toBe(
      vector('echo reply'),
    );
  });

  test('traffic class, flow label and hop limit', () => {
    const ip = { source: A, destination: B, traffic: 0xb8, flow: 0x12345, hops: 7 };
    const frame = packet(ip, (frame) =>
      frame
        .header(Icmp6.HEADER, (v, at) => Icmp6.writeEcho(v, at, Icmp6.Type.echoRequest, 7, 65535))
        .put(Buffer.from('odd')),
    );
    expect(frame).toBe(vector('echo with flow label and traffic class'));
  });

  test('a solicitation with its option', () => {
    const frame = packet({ source: LLA, destination: SOLICITED, hops: Nd.HOP_LIMIT }, (frame) =>
      frame
        .header(Nd.SOLICITATION_LENGTH, (v, at) => {
          Nd.writeSolicitation(v, at);
          Address.set(v, at + Nd.TARGET, B);
        })
        .header(8, (v, at) => expect(Nd.writeLinkLayer(v, at, Nd.OptionType.sourceLinkLayer, mac(1))).toBe(8)),
    );
    expect(frame).toBe(vector('solicitation'));
  });

  test('a solicitation of enhanced DAD with its nonce', () => {
    const ip = { source: Address.UNSPECIFIED, destination: Address.solicitedNode(LLB), hops: 255 };
    const frame = packet(ip, (frame) =>
      frame
        .header(Nd.SOLICITATION_LENGTH, (v, at) => {
          Nd.writeSolicitation(v, at);
          Address.set(v, at + Nd.TARGET, LLB);
        })
        .header(8, (v, at) => Nd.writeNonce(v, at, Uint8Array.of(1, 2, 3, 4, 5, 6))),
    );
    expect(frame).toBe(vector('solicitation of enhanced DAD'));
  });

  test.each([
    ['advertisement, solicited', LLA, B, [false, true, true], { from: 2, to: 1 }],
    ['advertisement, unsolicited', Address.ALL_NODES, LLB, [true, false, true], { from: 2 }],
    ['advertisement of a proxy', LLA, B, [false, true, false], {}],
  ] as const)('%s', (name, destination, target, [router, solicited, override], ends) => {
    const frame = packet({ source: LLB, destination, hops: 255, ...ends }, (frame) =>
      frame
        .header(Nd.ADVERTISEMENT_LENGTH, (v, at) => {
          Nd.writeAdvertisement(v, at, router, solicited, override);
          Address.set(v, at + Nd.TARGET, target);
        })
        .header(8, (v, at) => Nd.writeLinkLayer(v, at, Nd.OptionType.targetLinkLayer, mac(2))),
    );
    expect(frame).toBe(vector(name));
  });

  test('a router solicitation', () => {
    const frame = packet({ source: LLA, destination: Address.ALL_ROUTERS, hops: 255 }, (frame) =>
      frame
        .header(Nd.ROUTER_SOLICITATION_LENGTH, Nd.writeRouterSolicitation)
        .header(8, (v, at) => Nd.writeLinkLayer(v, at, Nd.OptionType.sourceLinkLayer, mac(1))),
    );
    expect(frame).toBe(vector('router solicitation'));
  });

  test('a router advertisement with every option', () => {
    const prefix = (text: string, autonomous: boolean, valid: number, preferred: number): Nd.Option => ({
      type: 'prefixInformation',
      prefix: address(text),
      length: 64,
      onLink: true,
      autonomous,
      validLifetime: valid,
      preferredLifetime: preferred,
    });
    const options: Nd.Option[] = [
      { type: 'sourceLinkLayer', address: mac(2) },
      { type: 'mtu', mtu: 1400 },
      prefix('2001:db8:1::', true, 2592000, 604800),
      prefix('2001:db8:2::', false, 0xffffffff, 0xffffffff),
      { type: 'routeInformation', prefix: address('2001:db8:ff::'), length: 48, preference: -1, lifetime: 600 },
      { type: 'rdnss', lifetime: 1200, servers: [address('2001:db8::53'), address('2001:db8::54')] },
      { type: 'dnssl', lifetime: 1200, domains: ['example.com', 'lab.example'] },
    ];
    const frame = packet({ source: LLB, destination: Address.ALL_NODES, hops: 255, from: 2 }, (frame) => {
      frame.header(Nd.ROUTER_ADVERTISEMENT_LENGTH, (v, at) =>
        Nd.writeRouterAdvertisement(v, at, {
          hopLimit: 64,
          managed: false,
          otherConfiguration: true,
          homeAgent: false,
          preference: 1,
          routerLifetime: 1800,
          reachableTime: 30000,
          retransTimer: 1000,
        }),
      );
      for (const option of options) {
        frame.header(Nd.lengthOf(option), (v, at) => expect(Nd.writeOption(v, at, option)).toBe(Nd.lengthOf(option)));
      }
    });
    expect(frame).toBe(vector('router advertisement'));
  });

  test('a redirect', () => {
    const quoted = Buffer.from(vector('echo request'), 'hex').subarray(14, 14 + 96);
    const frame = packet({ source: LLB, destination: A, hops: 255 }, (frame) =>
      frame
        .header(Nd.REDIRECT_LENGTH, (v, at) => {
          Nd.writeRedirect(v, at);
          Address.set(v, at + Nd.TARGET, address('fe80::3'));
          Address.set(v, at + Nd.REDIRECT_DESTINATION, address('2001:db8:2::9'));
        })
        .header(8, (v, at) => Nd.writeLinkLayer(v, at, Nd.OptionType.targetLinkLayer, mac(3)))
        .header(8, (v, at) => Nd.writeRedirectedHeader(v, at, quoted.length))
        .put(quoted),
    );
    expect(frame).toBe(vector('redirect'));
  });

  test('errors', () => {
    const quoted = Buffer.from(vector('echo request'), 'hex').subarray(14);
    const error = (type: number, code: number, parameter?: number): string =>
      packet({ source: B, destination: A }, (frame) =>
        frame.header(Icmp6.HEADER, (v, at) => Icmp6.write(v, at, type, code, parameter)).put(quoted),
      );
    expect(error(Icmp6.Type.unreachable, Icmp6.Unreachable.address)).toBe(vector('unreachable, address'));
    expect(error(Icmp6.Type.timeExceeded, Icmp6.TimeExceeded.hopLimit)).toBe(vector('time exceeded in transit'));
    expect(error(Icmp6.Type.parameterProblem, Icmp6.ParameterProblem.option, 42)).toBe(
      vector('parameter problem, option'),
    );
  });

  test('MLD behind a router alert', () => {
    const message = (type: number, group: Uint8Array, delay?: number) => (frame: Dirty) =>
      frame.header(Mld.LENGTH, (v, at) => {
        Mld.write(v, at, type, delay);
        Address.set(v, at + Mld.GROUP, group);
      });
    const { mldReport, mldDone, mldQuery } = Icmp6.Type;
    expect(packet({ source: LLA, destination: SOLICITED, ...routerAlert }, message(mldReport, SOLICITED))).toBe(
      vector('MLD report'),
    );
    expect(packet({ source: LLA, destination: Address.ALL_ROUTERS, ...routerAlert }, message(mldDone, SOLICITED))).toBe(
      vector('MLD done'),
    );
    const query = message(mldQuery, Address.UNSPECIFIED, 10_000);
    expect(packet({ source: LLB, destination: Address.ALL_NODES, ...routerAlert }, query)).toBe(
      vector('MLD query, general'),
    );
    const group = address('ff15::7');
    const query2 = packet({ source: LLB, destination: group, ...routerAlert }, (frame) => {
      message(mldQuery, group, 1000)(frame);
      Mld.writeQuery2(frame.v, frame.at - Mld.LENGTH, true, 7, 20, 2);
      frame.at += Mld.QUERY2_LENGTH - Mld.LENGTH;
      frame.put(A).put(B);
    });
    expect(query2).toBe(vector('MLDv2 query with sources'));
  });

  test('a version 2 report', () => {
    const records: [number, string, Uint8Array[]][] = [
      [Mld.RecordType.toExclude, 'ff02::1:ff00:2', []],
      [Mld.RecordType.isExclude, 'ff02::fb', []],
      [Mld.RecordType.isInclude, 'ff15::7', [A, B]],
      [Mld.RecordType.toInclude, 'ff15::8', []],
      [Mld.RecordType.allowNewSources, 'ff15::9', [A]],
      [Mld.RecordType.blockOldSources, 'ff15::a', [B]],
    ];
    const frame = packet({ source: LLA, destination: Address.ALL_MLDV2_ROUTERS, ...routerAlert }, (frame) => {
      frame.header(Mld.REPORT2_LENGTH, (v, at) => Mld.writeReport2(v, at, records.length));
      for (const [type, group, sources] of records) {
        frame.header(Mld.RECORD_LENGTH, (v, at) => {
          Mld.writeRecord(v, at, type, sources.length);
          Address.set(v, at + Mld.RECORD_GROUP, address(group));
        });
        for (const source of sources) frame.put(source);
      }
    });
    expect(frame).toBe(vector('MLDv2 report'));
  });

  test('UDP, TCP, a fragment and a routing header', () => {
    const udp = packet({ source: A, destination: B, protocol: NextHeader.udp, checksumAt: Udp.CHECKSUM }, (frame) =>
      frame.header(Udp.LENGTH, (v, at) => Udp.write(v, at, 4000, 4001, Udp.LENGTH + DATA.length)).put(DATA),
    );
    expect(udp).toBe(vector('UDP'));
    const tcp = packet({ source: A, destination: B, protocol: NextHeader.tcp, checksumAt: Tcp.CHECKSUM }, (frame) =>
      frame
        .header(Tcp.LENGTH, (v, at) => Tcp.write(v, at, 40000, 5001, 1001, 5001, Tcp.Flag.psh | Tcp.Flag.ack, 512))
        .put(Buffer.from('hello')),
    );
    expect(tcp).toBe(vector('TCP data'));
    const last = Buffer.from(vector('last fragment'), 'hex').subarray(62);
    const fragment = packet({ source: A, destination: B, next: NextHeader.fragment, checksumAt: -1 }, (frame) =>
      frame.header(Fragment.LENGTH, (v, at) => Fragment.write(v, at, 17, 640, false, 0xdeadbeef)).put(last),
    );
    expect(fragment).toBe(vector('last fragment'));
    const routing = packet(
      {
        source: A,
        destination: B,
        next: NextHeader.routing,
        extension: (frame) =>
          frame
            .header(Routing.LENGTH, (v, at) => Routing.write(v, at, NextHeader.icmp6, Routing.Type.source, 0, 1))
            .put(address('2001:db8::b')),
      },
      (frame) => frame.header(Icmp6.HEADER, (v, at) => Icmp6.writeEcho(v, at, Icmp6.Type.echoRequest, 1, 1)),
    );
    expect(routing).toBe(vector('routing header, no segments left'));
  });

  test('ARP and an IPv4 header', () => {
    const [one, two] = [Uint8Array.of(198, 51, 100, 1), Uint8Array.of(198, 51, 100, 2)];
    const arp = new Dirty()
      .header(Ethernet.LENGTH, (v, at) => Ethernet.write(v, at, Ethernet.BROADCAST, mac(1), Ethernet.EtherType.arp))
      .header(Arp.SENDER_MAC, (v, at) => Arp.write(v, at, Arp.Operation.request))
      .put(mac(1))
      .put(one)
      .put(new Uint8Array(6))
      .put(two);
    expect(arp.hex).toBe(vector('ARP request'));
    const ip4 = new Dirty();
    ip4.at = Ip4.SOURCE;
    ip4.put(one).put(two);
    Ip4.write(ip4.v, 0, 124, NextHeader.ip6, 30, 0, 1);
    expect(ip4.hex).toBe(vector('IPv6 in IPv4').slice(28, 28 + 40));
    expect(Ip4.checksumOk(ip4.v, 0)).toBe(true);
  });
});

describe('header fields', () => {
  test('IPv6 setters change their own bits only (seed 6)', () => {
    const random = new SeededRandom(6);
    for (let round = 0; round < 200; round++) {
      const bytes = new Uint8Array(44);
      random.bytes(bytes);
      const v = new DataView(bytes.buffer);
      const before = [Ip6.version(v, 3), Ip6.trafficClass(v, 3), Ip6.flowLabel(v, 3), Ip6.payloadLength(v, 3)];
      const traffic = random.u32() & 0xff;
      Ip6.setTrafficClass(v, 3, traffic);
      expect([Ip6.version(v, 3), Ip6.trafficClass(v, 3), Ip6.flowLabel(v, 3)]).toEqual([before[0], traffic, before[2]]);
      const flow = random.u32() & 0xfffff;
      Ip6.setFlowLabel(v, 3, flow);
      expect([Ip6.version(v, 3), Ip6.trafficClass(v, 3), Ip6.flowLabel(v, 3)]).toEqual([before[0], traffic, flow]);
      Ip6.setHopLimit(v, 3, 9);
      Ip6.setNextHeader(v, 3, 58);
      expect([Ip6.hopLimit(v, 3), Ip6.nextHeader(v, 3), Ip6.payloadLength(v, 3)]).toEqual([9, 58, before[3]]);
    }
  });

  test.each([
    [0, true],
    [8, false],
    [65528, true],
  ])('a fragment at %d, more %s', (offset, more) => {
    const v = new DataView(new Uint8Array(12).fill(0xa5).buffer);
    Fragment.write(v, 2, 6, offset, more, 0x89abcdef);
    expect([Fragment.nextHeader(v, 2), Fragment.offset(v, 2), Fragment.more(v, 2)]).toEqual([6, offset, more]);
    expect(Fragment.identification(v, 2)).toBe(0x89abcdef);
    expect(Fragment.atomic(v, 2)).toBe(false);
  });

  test('an atomic fragment is one with offset 0 and none to follow (RFC 6946)', () => {
    const v = new DataView(new Uint8Array(8).fill(0xff).buffer);
    Fragment.write(v, 0, 58, 0, false, 1);
    expect(Fragment.atomic(v, 0)).toBe(true);
    v.setUint8(3, 0x06);
    expect(Fragment.atomic(v, 0)).toBe(true);
  });

  test.each([
    [0, 0],
    [0x7fff, 32767],
    [0x8000, 0x1000 << 3],
    [0xffff, 0x1fff << 10],
  ])('MLDv2 maximum response code %i is %i ms (RFC 3810 §5.1.3)', (code, delay) => {
    const v = new DataView(new ArrayBuffer(28));
    v.setUint16(4, code);
    expect(Mld.maxResponseDelay2(v, 0)).toBe(delay);
  });

  test.each([
    [125, 125],
    [0x80, 128],
    [0xff, 0x1f << 10],
  ])('MLDv2 query interval code %i is %i s (RFC 3810 §5.1.9)', (code, interval) => {
    const v = new DataView(new ArrayBuffer(28));
    v.setUint8(25, code);
    expect(Mld.queryInterval(v, 0)).toBe(interval);
  });
});

describe('IP-06 options', () => {
  test.each([
    [0x1e, Options.Action.skip],
    [0x5e, Options.Action.discard],
    [0x9e, Options.Action.problem],
    [0xde, Options.Action.problemUnlessMulticast],
  ])('the top two bits of %i say what to do', (type, action) =>
    expect(Options.action(new DataView(Uint8Array.of(type).buffer), 0)).toBe(action),
  );

  test('are walked by their lengths, and one that overruns has none', () => {
    const v = new DataView(Uint8Array.of(58, 0, 0, 1, 0, 5, 2, 0).buffer);
    expect(Options.headerLength(v, 0)).toBe(8);
    expect([
      Options.length(v, 2, 8),
      Options.length(v, 3, 8),
      Options.length(v, 5, 8),
      Options.length(v, 5, 9),
    ]).toEqual([1, 2, 0, 4]);
    expect(Options.length(v, 7, 8)).toBe(1);
    expect(Options.length(new DataView(Uint8Array.of(5).buffer), 0, 1)).toBe(0);
  });

  test.each([0, 1, 2, 5, 7])('%d bytes of padding are all written', (length) => {
    const bytes = new Uint8Array(8).fill(0xa5);
    Options.writePad(new DataView(bytes.buffer), 0, length);
    expect(hex(bytes)).toBe(
      (length === 0 ? '' : length === 1 ? '00' : `01${hex(Uint8Array.of(length - 2))}`)
        .padEnd(2 * length, '0')
        .padEnd(16, 'a5'),
    );
  });
});

describe('ND-11 Neighbor Discovery options', () => {
  const view = (...bytes: number[]): DataView => new DataView(Uint8Array.from(bytes).buffer);

  test.each<[string, number[], boolean]>([
    ['none', [], true],
    ['one', [1, 1, 2, 0, 0, 0, 0, 1], true],
    ['one of length 0', [1, 0, 0, 0, 0, 0, 0, 0], false],
    ['one that overruns', [1, 2, 0, 0, 0, 0, 0, 0], false],
    ['half of a header', [1], false],
    ['a good and a cut one', [1, 1, 2, 0, 0, 0, 0, 1, 5, 1, 0, 0], false],
  ])('%s', (_, bytes, valid) => {
    const v = view(...bytes);
    expect(Nd.optionsValid(v, 0, bytes.length)).toBe(valid);
    expect(Nd.parseOptions(v, 0, bytes.length) !== undefined).toBe(valid);
  });

  test('the first of a type is found, but not behind the limit', () => {
    const v = view(5, 1, 0, 0, 0, 0, 5, 0, 1, 1, 2, 0, 0, 0, 0, 1, 1, 1, 2, 0, 0, 0, 0, 2);
    expect(Nd.findOption(v, 0, 24, Nd.OptionType.sourceLinkLayer)).toBe(8);
    expect(Nd.findOption(v, 0, 24, Nd.OptionType.sourceLinkLayer, 1)).toBe(-1);
    expect(Nd.findOption(v, 0, 24, Nd.OptionType.targetLinkLayer)).toBe(-1);
    expect(Nd.optionMtu(v, 0)).toBe(1280);
  });

  test.each<[string, number[]]>([
    ['a prefix of 16 bytes', [3, 2, ...new Array(14).fill(0)]],
    ['an MTU of 16 bytes', [5, 2, ...new Array(14).fill(0)]],
    ['a route longer than its prefix', [24, 1, 64, 0, 0, 0, 0, 0]],
    ['a route of more than 128 bits', [24, 3, 129, ...new Array(21).fill(0)]],
    ['servers without an address', [25, 1, 0, 0, 0, 0, 0, 0]],
    ['half a server', [25, 2, ...new Array(14).fill(0)]],
    ['a search list with a label that overruns', [31, 2, 0, 0, 0, 0, 0, 0, 40, 1, 1, 1, 1, 1, 1, 1]],
    ['a search list without an end', [31, 2, 0, 0, 0, 0, 0, 0, 7, 97, 97, 97, 97, 97, 97, 97]],
  ])('%s is malformed, not an error', (_, bytes) =>
    expect(Nd.parseOption(view(...bytes), 0)).toMatchObject({ type: 'malformed', number: bytes[0] }),
  );

  test.each<[string, Nd.Option]>([
    ['a link-layer address of 8 bytes', { type: 'targetLinkLayer', address: new Uint8Array(14).fill(7) }],
    [
      'a default route',
      { type: 'routeInformation', prefix: new Uint8Array(16), length: 0, preference: 0, lifetime: 9 },
    ],
    ['a host route', { type: 'routeInformation', prefix: B, length: 128, preference: 1, lifetime: 0xffffffff }],
    ['an unknown one', { type: 'unknown', number: 200, bytes: new Uint8Array(6).fill(1) }],
    ['a redirected header', { type: 'redirectedHeader', packet: new Uint8Array(48).fill(0x60) }],
  ])('%s is written and read again', (_, option) => {
    const frame = new Dirty().header(Nd.lengthOf(option), (v, at) => Nd.writeOption(v, at, option));
    expect(Nd.parseOptions(frame.v, 0, frame.at)).toEqual([option]);
    expect(frame.hex.length).toBe(2 * Nd.lengthOf(option));
  });
});
