import { describe, expect, test } from 'vitest';
import { SeededRandom } from '#stack/env/random.ts';
import { type Decoded, decode, matches, type Pattern } from '#stack/wire/decode.ts';
import { dump } from '#stack/wire/dump.ts';
import { frames, type ScapyLayer } from './vectors/frames.ts';

const named = (name: string): Uint8Array => frames.find((frame) => frame.name === name)!.bytes;
const frame = (name: string): Decoded => decode(named(name));

/** What scapy's layer says, in our words; the option or record at `index` for those that repeat. */
type Reading = (layer: ScapyLayer, decoded: Decoded, index: number) => readonly (readonly [unknown, unknown])[];

const flag = (value: unknown): boolean => value === 1;
const preference = (value: unknown): number => [0, 1, 0, -1][value as number]!;
const checksum = (layer: ScapyLayer, found: { checksum: number } | undefined) =>
  [layer['cksum'], found?.checksum] as const;

const ip6: Reading = (layer, { ip6 }) => [
  [layer['src'], ip6?.src],
  [layer['dst'], ip6?.dst],
  [layer['hlim'], ip6?.hopLimit],
  [layer['plen'], ip6?.payloadLength],
  [layer['nh'], ip6?.nextHeader],
  [layer['fl'], ip6?.flowLabel],
  [layer['tc'], ip6?.trafficClass],
];
const ip4: Reading = (layer, { ip4 }) => [
  [layer['src'], ip4?.src],
  [layer['dst'], ip4?.dst],
  [layer['ttl'], ip4?.ttl],
  [layer['tos'], ip4?.tos],
  [layer['id'], ip4?.id],
  [layer['len'], ip4?.totalLength],
  [layer['proto'], ip4?.protocol],
  [layer['chksum'], ip4?.checksum],
  [(layer['frag'] as number) * 8, ip4?.offset],
  [String(layer['flags']).includes('DF'), ip4?.dontFragment],
  [String(layer['flags']).includes('MF'), ip4?.more],
];
const udp: Reading = (layer, { udp }) => [
  [layer['sport'], udp?.srcPort],
  [layer['dport'], udp?.dstPort],
  [layer['len'], udp?.length],
  [layer['chksum'], udp?.checksum],
];
const tcp: Reading = (layer, { tcp }) => [
  [layer['sport'], tcp?.srcPort],
  [layer['dport'], tcp?.dstPort],
  [layer['seq'], tcp?.seq],
  [layer['ack'], tcp?.ack],
  [layer['window'], tcp?.window],
  [layer['urgptr'], tcp?.urgent],
  [layer['chksum'], tcp?.checksum],
  [(layer['dataofs'] as number) * 4, tcp?.headerLength],
  [String(layer['flags']), [...'FSRPAUEC'].filter((_, bit) => (tcp!.flags >> bit) & 1).join('')],
];
const icmp6: Reading = (layer, { icmp6 }) => [
  [layer['type'], icmp6?.type],
  [layer['code'] ?? 0, icmp6?.code],
  checksum(layer, icmp6),
];
const echo: Reading = (layer, decoded, index) => [
  ...icmp6(layer, decoded, index),
  [layer['id'], decoded.icmp6?.echo?.id],
  [layer['seq'], decoded.icmp6?.echo?.seq],
  [(layer['data'] as string).length / 2, decoded.icmp6?.echo?.length],
];
const linkLayer: Reading = (layer, { icmp6 }, index) => [
  [layer['type'], icmp6?.options?.[index]?.type],
  [layer['lladdr'], icmp6?.options?.[index]?.address],
];
const mld: Reading = (layer, decoded, index) => [
  ...icmp6(layer, decoded, index),
  [layer['mladdr'], decoded.icmp6?.mld?.group],
];

const readings: Readonly<Record<string, Reading>> = {
  Ether: (layer, { eth }) => [
    [layer['src'], eth?.src],
    [layer['dst'], eth?.dst],
    [layer['type'], eth?.type],
  ],
  ARP: (layer, { arp }) => [
    [layer['op'], arp?.operation],
    [layer['hwsrc'], arp?.senderMac],
    [layer['psrc'], arp?.sender],
    [layer['hwdst'], arp?.targetMac],
    [layer['pdst'], arp?.target],
  ],
  IPv6: ip6,
  IPerror6: ip6,
  IP: ip4,
  IPerror: ip4,
  UDP: udp,
  UDPerror: udp,
  TCP: tcp,
  TCPerror: tcp,
  ICMP: (layer, { icmp4 }) => [
    [layer['type'], icmp4?.type],
    [layer['code'], icmp4?.code],
  ],
  ICMPv6EchoRequest: echo,
  ICMPv6EchoReply: echo,
  ICMPv6DestUnreach: icmp6,
  ICMPv6TimeExceeded: icmp6,
  ICMPv6PacketTooBig: (layer, decoded, index) => [...icmp6(layer, decoded, index), [layer['mtu'], decoded.icmp6?.mtu]],
  ICMPv6ParamProblem: (layer, decoded, index) => [
    ...icmp6(layer, decoded, index),
    [layer['ptr'], decoded.icmp6?.pointer],
  ],
  ICMPv6ND_NS: (layer, decoded, index) => [...icmp6(layer, decoded, index), [layer['tgt'], decoded.icmp6?.target]],
  ICMPv6ND_NA: (layer, decoded, index) => [
    ...icmp6(layer, decoded, index),
    [layer['tgt'], decoded.icmp6?.target],
    [flag(layer['R']), decoded.icmp6?.router],
    [flag(layer['S']), decoded.icmp6?.solicited],
    [flag(layer['O']), decoded.icmp6?.override],
  ],
  ICMPv6ND_RS: icmp6,
  ICMPv6ND_RA: (layer, decoded, index) => [
    ...icmp6(layer, decoded, index),
    [layer['chlim'], decoded.icmp6?.advertisement?.hopLimit],
    [flag(layer['M']), decoded.icmp6?.advertisement?.managed],
    [flag(layer['O']), decoded.icmp6?.advertisement?.otherConfiguration],
    [flag(layer['H']), decoded.icmp6?.advertisement?.homeAgent],
    [preference(layer['prf']), decoded.icmp6?.advertisement?.preference],
    [layer['routerlifetime'], decoded.icmp6?.advertisement?.routerLifetime],
    [layer['reachabletime'], decoded.icmp6?.advertisement?.reachableTime],
    [layer['retranstimer'], decoded.icmp6?.advertisement?.retransTimer],
  ],
  ICMPv6ND_Redirect: (layer, decoded, index) => [
    ...icmp6(layer, decoded, index),
    [layer['tgt'], decoded.icmp6?.target],
    [layer['dst'], decoded.icmp6?.destination],
  ],
  ICMPv6NDOptSrcLLAddr: linkLayer,
  ICMPv6NDOptDstLLAddr: linkLayer,
  ICMPv6NDOptMTU: (layer, { icmp6 }, index) => [[layer['mtu'], icmp6?.options?.[index]?.mtu]],
  ICMPv6NDOptRedirectedHdr: (layer, { icmp6 }, index) => [
    [(layer['len'] as number) * 8, icmp6?.options?.[index]?.length],
    ['2001:db8::2', icmp6?.options?.[index]?.quoted?.ip6?.dst],
  ],
  ICMPv6NDOptPrefixInfo: (layer, { icmp6 }, index) => [
    [layer['prefix'], icmp6?.options?.[index]?.prefix],
    [layer['prefixlen'], icmp6?.options?.[index]?.prefixLength],
    [flag(layer['L']), icmp6?.options?.[index]?.onLink],
    [flag(layer['A']), icmp6?.options?.[index]?.autonomous],
    [layer['validlifetime'], icmp6?.options?.[index]?.validLifetime],
    [layer['preferredlifetime'], icmp6?.options?.[index]?.preferredLifetime],
  ],
  ICMPv6NDOptRouteInfo: (layer, { icmp6 }, index) => [
    [layer['prefix'], icmp6?.options?.[index]?.prefix],
    [layer['plen'], icmp6?.options?.[index]?.prefixLength],
    [preference(layer['prf']), icmp6?.options?.[index]?.preference],
    [layer['rtlifetime'], icmp6?.options?.[index]?.lifetime],
  ],
  ICMPv6NDOptRDNSS: (layer, { icmp6 }, index) => [
    [layer['lifetime'], icmp6?.options?.[index]?.lifetime],
    [layer['dns'], icmp6?.options?.[index]?.servers],
  ],
  ICMPv6NDOptDNSSL: (layer, { icmp6 }, index) => [
    [layer['lifetime'], icmp6?.options?.[index]?.lifetime],
    [layer['searchlist'], icmp6?.options?.[index]?.domains?.map((domain) => `${domain}.`)],
  ],
  ICMPv6MLQuery: (layer, decoded, index) => [
    ...mld(layer, decoded, index),
    [layer['mrd'], decoded.icmp6?.mld?.maxDelay],
  ],
  ICMPv6MLReport: mld,
  ICMPv6MLDone: mld,
  ICMPv6MLQuery2: (layer, decoded, index) => [
    ...mld(layer, decoded, index),
    [layer['mrd'], decoded.icmp6?.mld?.maxDelay],
    [flag(layer['S']), decoded.icmp6?.mld?.suppress],
    [layer['QRV'], decoded.icmp6?.mld?.robustness],
    [layer['QQIC'], decoded.icmp6?.mld?.interval],
    [layer['sources'], decoded.icmp6?.mld?.sources],
  ],
  ICMPv6MLReport2: (layer, decoded, index) => [
    ...icmp6(layer, decoded, index),
    [
      (layer['records'] as ScapyLayer[][]).flat().map((record) => [record['rtype'], record['dst'], record['sources']]),
      decoded.icmp6?.mld?.records?.map(({ type, group, sources }) => [type, group, sources]),
    ],
  ],
  IPv6ExtHdrFragment: (layer, { fragment }) => [
    [(layer['offset'] as number) * 8, fragment?.offset],
    [flag(layer['m']), fragment?.more],
    [layer['id'], fragment?.id],
  ],
  IPv6ExtHdrRouting: (layer, { routing }) => [
    [layer['type'], routing?.type],
    [layer['segleft'], routing?.segmentsLeft],
    [layer['addresses'], routing?.addresses],
    [((layer['len'] as number) + 1) * 8, routing?.length],
  ],
  IPv6ExtHdrHopByHop: (layer, { hopByHop }) => [
    [
      (layer['options'] as ScapyLayer[][]).map(([option]) => option!['otype']),
      hopByHop?.options.map(({ type }) => type),
    ],
  ],
  IPv6ExtHdrDestOpt: (layer, { destinationOptions }) => [
    [
      (layer['options'] as ScapyLayer[][]).map(([option]) => option!['otype']),
      destinationOptions?.options.map(({ type }) => type),
    ],
  ],
};

describe('IP-01 a frame is decoded to the fields that scapy reads', () => {
  test.each(frames.map((vector) => [vector.name, vector] as const))('%s', (_, { bytes, scapy }) => {
    let decoded: Decoded | undefined = decode(bytes);
    let option = -1;
    for (const [position, layer] of scapy.entries()) {
      const { layer: name } = layer;
      if (name.startsWith('ICMPv6NDOpt')) option++;
      if (name === 'IPerror6') decoded = decoded?.icmp6?.quoted;
      else if (name === 'IPerror') decoded = decoded?.icmp4?.quoted;
      else if ((name === 'IPv6' || name === 'IP') && position > 1) decoded = decoded?.inner ?? decoded?.icmp6?.quoted;
      if (decoded === undefined) break;
      for (const [theirs, ours] of readings[name]?.(layer, decoded, option) ?? []) expect(ours, name).toEqual(theirs);
    }
  });

  test('only frames made wrong are called malformed or have a wrong checksum', () => {
    const wrong = frames.filter(({ bytes }) => {
      const { malformed, icmp6, udp, tcp, ip4 } = decode(bytes);
      return malformed !== undefined || [icmp6, udp, tcp, ip4].some((layer) => layer?.checksumOk === false);
    });
    expect(wrong.map(({ name }) => name)).toEqual([
      'echo with a wrong checksum',
      'UDP with a wrong checksum',
      'TCP with a wrong checksum',
      'IPv4 with a wrong header checksum',
      'cut solicitation',
      'cut IPv6 header',
    ]);
  });
});

describe('decoding', () => {
  test('names the layers of a solicitation', () => {
    expect(frame('solicitation')).toEqual({
      length: 86,
      eth: { src: '02:00:00:00:00:01', dst: '33:33:ff:00:00:02', type: 0x86dd },
      ip6: {
        src: 'fe80::ff:fe00:1',
        dst: 'ff02::1:ff00:2',
        hopLimit: 255,
        payloadLength: 32,
        nextHeader: 58,
        flowLabel: 0,
        trafficClass: 0,
      },
      protocol: 58,
      icmp6: {
        type: 135,
        code: 0,
        name: 'neighborSolicitation',
        length: 32,
        checksum: expect.any(Number),
        checksumOk: true,
        target: '2001:db8::2',
        options: [{ name: 'sourceLinkLayer', type: 1, at: 78, length: 8, address: '02:00:00:00:00:01' }],
      },
      payloadAt: 86,
      payloadLength: 0,
    });
  });

  test('of a packet without link-layer header gives the same layers', () => {
    const { eth: _, length: __, payloadAt: ___, ...rest } = frame('echo request');
    expect(decode(named('echo request').subarray(14), 'raw')).toMatchObject(rest);
  });

  test('ignores what pads a short Ethernet frame', () => {
    const padded = new Uint8Array(80).fill(0xa5);
    padded.set(named('echo without data'));
    expect(decode(padded)).toMatchObject({ icmp6: { checksumOk: true, echo: { length: 0 } }, payloadLength: 0 });
  });

  test('gives what an error quotes as a packet of its own, cut short or not', () => {
    const tooBig = frame('packet too big');
    expect(tooBig.malformed).toBeUndefined();
    expect(tooBig.icmp6?.quoted).toMatchObject({
      ip6: { src: '2001:db8::1', dst: '2001:db8::2' },
      udp: { srcPort: 4000, dstPort: 4001 },
    });
    expect(tooBig.icmp6?.quoted?.malformed).toBeUndefined();
    expect(tooBig.icmp6?.quoted?.udp?.checksumOk).toBeUndefined();
  });

  test('keeps the order of extension headers', () => {
    expect(frame('routing header, type 0').headers).toEqual([43]);
    expect(frame('MLD report').headers).toEqual([0]);
    expect(frame('last fragment')).toMatchObject({ headers: [44], protocol: 17, payloadLength: 568 });
  });

  test('sums over the home address and the last hop (RFC 6275, RFC 8200 §8.1)', () => {
    expect(frame('home address').icmp6?.checksumOk).toBe(true);
    expect(frame('routing header, type 0').icmp6?.checksumOk).toBe(true);
    expect(frame('routing header, no segments left').icmp6?.checksumOk).toBe(true);
  });

  test('says what is wrong', () => {
    expect(frame('cut IPv6 header').malformed).toBe('IPv6 header cut short');
    expect(decode(new Uint8Array(5)).malformed).toBe('Ethernet header cut short');
    expect(decode(new Uint8Array(0), 'raw').malformed).toBe('IP header cut short');
    const zeroOption = named('solicitation').slice();
    zeroOption[79] = 0;
    expect(decode(zeroOption).malformed).toBe('Neighbor Discovery option of length 0');
    const option = named('MLD report').slice();
    option[14 + 40 + 3] = 9;
    expect(decode(option).malformed).toBe('option runs over its header');
  });
});

describe('hostile bytes', () => {
  const SEED = 8200;

  test(`neither decode nor dump throws on frames with bytes changed, cut or added (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    for (let round = 0; round < 20_000; round++) {
      const vector = frames[random.u32() % frames.length]!;
      let bytes = vector.bytes.slice(0, 200);
      for (let change = random.u32() % 6; change > 0; change--) bytes[random.u32() % bytes.length] = random.u32();
      if (random.u32() % 3 === 0) bytes = bytes.slice(0, random.u32() % (bytes.length + 1));
      for (const linkType of ['ethernet', 'raw'] as const) {
        const at = linkType === 'raw' ? bytes.subarray(Math.min(14, bytes.length)) : bytes;
        const before = Buffer.from(at).toString('hex');
        try {
          const decoded = decode(at, linkType);
          if (decoded.payloadAt + decoded.payloadLength > at.length) throw new Error('payload beyond the frame');
          dump(at, linkType, { verbose: true, link: true });
          dump(at, linkType);
        } catch (error) {
          throw new Error(`round ${round}: ${vector.name} ${before}`, { cause: error });
        }
        if (round % 100 === 0) expect(Buffer.from(at).toString('hex')).toBe(before);
      }
    }
  });

  test(`nor on noise (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    for (let round = 0; round < 20_000; round++) {
      const bytes = new Uint8Array(random.u32() % 120);
      random.bytes(bytes);
      if (bytes.length > 20) bytes.set([0x86, 0xdd, 0x60], 12);
      dump(bytes, round % 2 === 0 ? 'ethernet' : 'raw', { verbose: true });
    }
  });

  test('a packet nested in itself a thousand times ends the walk', () => {
    const bytes = new Uint8Array(40 * 1000);
    for (let at = 0; at < bytes.length; at += 40) {
      bytes.set([0x60, 0, 0, 0, (bytes.length - at - 40) >> 8, (bytes.length - at - 40) & 0xff, 41, 64], at);
    }
    let depth = 0;
    for (let layer: Decoded | undefined = decode(bytes, 'raw'); layer !== undefined; layer = layer.inner) depth++;
    expect(depth).toBeLessThan(16);
  });

  test('eight thousand options headers are walked once', () => {
    const bytes = new Uint8Array(40 + 8 * 8000);
    bytes.set([0x60, 0, 0, 0, (bytes.length - 40) >> 8, (bytes.length - 40) & 0xff, 60, 64]);
    for (let at = 40; at < bytes.length; at += 8) bytes.set([60, 0, 1, 4], at);
    expect(decode(bytes, 'raw').destinationOptions?.options.length).toBe(8000);
  });
});

describe('a pattern', () => {
  const advertisement = frame('advertisement, solicited');
  test.each<[string, Pattern, boolean]>([
    ['matches what it names', { icmp6: { name: 'neighborAdvertisement', solicited: true } }, true],
    ['fails on one other value', { icmp6: { name: 'neighborAdvertisement', solicited: false } }, false],
    ['without fields matches anything', {}, true],
    ['fails on a layer that is not there', { udp: {} }, false],
    ['that says undefined asks for absence', { udp: undefined, fragment: undefined }, true],
    ['that says undefined fails on presence', { icmp6: undefined }, false],
    ['may judge by a function', { ip6: { hopLimit: (hops: number) => hops > 254 } }, true],
    ['may judge by a function that refuses', { ip6: { hopLimit: (hops: number) => hops < 255 } }, false],
    ['does not ask its function about what is not there', { udp: () => true }, false],
    ['finds an option among the options', { icmp6: { options: [{ name: 'targetLinkLayer' }] } }, true],
    ['misses an option', { icmp6: { options: [{ name: 'sourceLinkLayer' }] } }, false],
    ['of an empty list asks for none', { icmp6: { options: [] } }, false],
    ['takes another spelling of an address', { icmp6: { target: '2001:DB8:0::2' } }, true],
    ['is exact about other text', { eth: { dst: '02:00:00:00:00:1' } }, false],
  ])('%s', (_, pattern, expected) => expect(matches(advertisement, pattern)).toBe(expected));
});
