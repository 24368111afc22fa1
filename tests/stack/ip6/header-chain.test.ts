import { describe, expect, test } from 'vitest';
import { holdsAllHeaders, isErrorOrRedirect, upperLayer } from '#stack/ip6/header-chain.ts';
import {
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

const ends = { src: '2001:db8::1', dst: '2001:db8::2' };
const of = (...layers: Layer[]) => {
  const bytes = packet(ends, ...layers);
  return { view: new DataView(bytes.buffer), end: bytes.length };
};

describe('the upper layer', () => {
  test.each<[title: string, layers: Layer[], found: object]>([
    ['right behind the IPv6 header', [udp(1, 2)], { protocol: 17, at: 40, inner: false }],
    [
      'behind every kind of extension header',
      [hopByHop(), destinationOptions(), routing(0, 0, '::1'), fragment(0, true), udp(1, 2)],
      { protocol: 17, at: 88, inner: false },
    ],
    [
      'behind an Authentication Header',
      [raw(51, [17, 4, ...pattern(22)]), udp(1, 2)],
      { protocol: 17, at: 64, inner: false },
    ],
    ['of a later fragment is not there', [fragment(8, false), udp(1, 2)], { protocol: 17, at: 48, inner: true }],
    ['that nobody knows', [raw(253, pattern(4))], { protocol: 253, at: 40, inner: false }],
    ['missing', [destinationOptions(), raw(58)], { protocol: 58, at: 48, inner: false }],
  ])('%s', (_, layers, found) => {
    const { view, end } = of(...layers);
    expect({ ...upperLayer(view, 0, end) }).toEqual(found);
  });

  test('a chain without an end is not followed for ever, and a header beyond the packet not read', () => {
    const { view, end } = of(...Array.from({ length: 4000 }, () => destinationOptions()), udp(1, 2));
    expect(upperLayer(view, 0, end).protocol).toBe(60);
    const cut = of(raw(60, [17, 200, 1, 4, 0, 0, 0, 0]));
    expect(upperLayer(cut.view, 0, cut.end).at).toBeGreaterThan(cut.end);
  });
});

describe('RFC 7112: does a first fragment hold all headers?', () => {
  test.each<[title: string, layers: Layer[], all: boolean]>([
    ['a whole UDP header', [udp(1, 2, 0)], true],
    ['seven bytes of UDP', [raw(17, pattern(7))], false],
    ['a whole TCP header', [raw(6, pattern(20))], true],
    ['19 bytes of TCP', [raw(6, pattern(19))], false],
    ['an ICMPv6 header', [echoRequest(0)], true],
    ['three bytes of ICMPv6', [raw(58, pattern(3))], false],
    ['a byte of an unknown protocol', [raw(253, pattern(1))], true],
    ['nothing of an unknown protocol', [raw(253)], false],
    ['no next header', [raw(59)], true],
    ['options that end in the fragment, and UDP', [destinationOptions(), udp(1, 2, 0)], true],
    ['options that go on behind it', [raw(60, [17, 1, 1, 4, 0, 0, 0, 0])], false],
    ['a later fragment of another packet inside', [fragment(8, false, 2), raw(17, pattern(2))], true],
  ])('%s: %s', (_, layers, all) => {
    const { view, end } = of(fragment(0, true), ...layers);
    expect(holdsAllHeaders(view, 40, end)).toBe(all);
  });
});

test.each<[title: string, layers: Layer[], is: boolean]>([
  ['an error', [icmp6(1)], true],
  ['an unknown error', [hopByHop(), icmp6(127)], true],
  ['a redirect', [icmp6(137)], true],
  ['an echo request', [echoRequest()], false],
  ['UDP', [udp(1, 2)], false],
  ['ICMPv6 whose type is missing', [raw(58)], true],
  ['a later fragment of ICMPv6', [fragment(8, true), raw(58, pattern(8))], false],
  ['a later fragment of UDP', [fragment(8, true), udp(1, 2)], false],
])('IC-02 %s: may it be an error or a redirect? %s', (_, layers, is) => {
  const { view, end } = of(...layers);
  expect(isErrorOrRedirect(view, 0, end)).toBe(is);
});
