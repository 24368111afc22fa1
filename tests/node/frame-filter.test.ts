import { describe, expect, test } from 'vitest';
import { parseFilter } from '#node/tools/frame-filter.ts';
import type { Decoded } from '#stack/wire/decode.ts';
import { pair } from './nodes.ts';

const frame = {
  length: 0,
  payloadAt: 0,
  payloadLength: 0,
  eth: { src: '02:00:00:00:00:01', dst: '33:33:00:00:00:01', type: 0x86dd },
  ip6: { src: '2001:db8::1', dst: 'ff02::1' },
  udp: { srcPort: 521, dstPort: 53 },
} as unknown as Decoded;

describe('AA-05 filter expressions of tcpdump', () => {
  test.each([
    ['', true],
    ['ip6', true],
    ['icmp6', false],
    ['udp and port 53', true],
    ['src port 53', false],
    ['udp && ! port 53 || icmp6', false],
    ['host 2001:db8::1', true],
    ['2001:db8::1', true],
    ['dst host 2001:db8::1', false],
    ['net 2001:db8::/32', true],
    ['dst net ff00::/8', true],
    ['dst ff02::1', true],
    ['not (icmp6 or tcp)', true],
    ['ether host 2:0:0:0:0:1', true],
    ['ether dst 02:00:00:00:00:01', false],
    ['icmp6 or udp and dst port 54', false],
  ])('%s: %s', (text, matches) => expect(parseFilter(text)(frame)).toBe(matches));

  test.each([
    'bogus',
    'host',
    'host x',
    '(udp',
    'udp)',
    'udp and',
    'port x',
    'ether x',
    'net 2001:db8::/129',
    'constructor',
  ])('%s is refused', (text) => expect(() => parseFilter(text)).toThrow('syntax error in filter expression'));

  test('tcpdump prints what matches', () => {
    const { nodes, a, run } = pair();
    const ran = nodes.start(a, 'tcpdump -nt -i tap0 icmp6 and dst 2001:db8::1');
    run('ping6 -c 1 2001:db8::2');
    ran.program.interrupt();
    expect(ran.out).toMatch(
      /^IP6 2001:db8::2 > 2001:db8::1: ICMP6, neighbor advertisement.*\nIP6 .*: ICMP6, echo reply.*\n$/,
    );
  });
});
