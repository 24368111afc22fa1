import { describe, expect, test } from 'vitest';
import { SeededRandom } from '#stack/env/random.ts';
import * as Address from '#stack/wire/address.ts';

const { address, formatAddress, parseAddress } = Address;
const hex = (bytes: Uint8Array | undefined): string => (bytes ? Buffer.from(bytes).toString('hex') : 'none');
const view = (text: string): DataView => Address.viewOf(address(text));

describe('IP-17 address text', () => {
  test.each([
    ['2001:DB8:0:0:8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
    ['ff01::101', 'ff010000000000000000000000000101'],
    ['::1', '00000000000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['1::', '00010000000000000000000000000000'],
    ['::13.1.68.3', '0000000000000000000000000d014403'],
    ['0:0:0:0:0:ffff:129.144.52.38', '00000000000000000000ffff81903426'],
    ['64:ff9b::198.51.100.1', '0064ff9b0000000000000000c6336401'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304'],
  ])('%s is read as RFC 4291 §2.2 says', (text, bytes) => expect(hex(parseAddress(text))).toBe(bytes));

  test.each([
    '',
    ':',
    ':::',
    '1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '1:2:3:4::5:6:7:8',
    '1::2::3',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '12345::',
    '0001:00002::',
    'g::',
    '::1 ',
    ' ::1',
    '::-1',
    '::+1',
    '::0x1',
    '::1%lo0',
    '::1/128',
    '1.2.3.4',
    '::1.2.3',
    '::1.2.3.4.5',
    '::256.1.1.1',
    '::01.2.3.4',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::ffff:1.2.3.',
    `${'0'.repeat(100)}::1`,
  ])("'%s' is no address", (text) => expect(parseAddress(text)).toBeUndefined());

  test.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 'the first of two equal runs is shortened (RFC 5952 §4.2.3)'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1', 'the longest run is shortened'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1', 'a single zero group is not (§4.2.2)'],
    ['2001:0DB8::00aA', '2001:db8::aa', 'no leading zeros, small letters (§4.1, §4.3)'],
    ['0:0:0:0:0:0:0:0', '::', 'all zero'],
    ['0:0:0:0:0:0:0:1', '::1', 'loopback'],
    ['1:0:0:0:0:0:0:0', '1::', 'a run at the end'],
    ['::ffff:c633:6401', '::ffff:198.51.100.1', 'mapped (§5)'],
    ['::c633:6401', '::198.51.100.1', 'compatible, as inet_ntop does'],
    ['::ffff:0:0', '::ffff:0.0.0.0', 'mapped zero'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8', 'nothing to shorten'],
    ['0:1:2:3:4:5:6:7', '0:1:2:3:4:5:6:7', 'a leading zero group'],
  ])('%s is written %s: %s', (text, canonical) => expect(formatAddress(address(text))).toBe(canonical));

  test('what is written is read again (seed 4291)', () => {
    const random = new SeededRandom(4291);
    for (let round = 0; round < 5000; round++) {
      const bytes = new Uint8Array(20);
      for (let group = 2; group < 18; group += 2) {
        if (random.u32() & 1) bytes.set([random.u32() & 0xff & random.u32(), random.u32() & 0xff], group);
      }
      const text = formatAddress(bytes, 2);
      expect(hex(parseAddress(text)), text).toBe(hex(bytes.subarray(2, 18)));
      // the platform's own opinion, in the one form that both have
      if (!text.includes('.')) expect(new URL(`http://[${text}]`).hostname).toBe(`[${text}]`);
    }
  });
});

describe('SC-14 zones in text', () => {
  test.each([
    ['fe80::1%tap0', 'fe80::1', 'tap0'],
    ['fe80::1%2', 'fe80::1', '2'],
    ['ff02::1%eth0.100', 'ff02::1', 'eth0.100'],
    ['2001:db8::1', '2001:db8::1', undefined],
  ])('%s', (text, where, zone) => {
    const scoped = Address.parseScoped(text)!;
    expect([formatAddress(scoped.address), scoped.zone]).toEqual([where, zone]);
    expect(Address.formatScoped(scoped.address, scoped.zone)).toBe(text);
  });

  test.each(['fe80::1%', '%tap0', 'fe80::1%ta p', 'fe80::1%a%b', 'fe80::1%a/64'])("'%s' is none", (text) =>
    expect(Address.parseScoped(text)).toBeUndefined(),
  );
});

describe('prefixes', () => {
  test.each(['2001:db8::/64', '::/0', '::1/128', '2001:db8::1/48'])('%s is read and written', (text) =>
    expect(Address.formatPrefix(Address.parsePrefix(text)!)).toBe(text),
  );
  test.each(['2001:db8::', '::/129', '::/-1', '::/064', '::/', '/64', '::/64/64', '::/6 4'])("'%s' is none", (text) =>
    expect(Address.parsePrefix(text)).toBeUndefined(),
  );

  test('matched length and prefix match agree bit by bit', () => {
    const base = new Uint8Array(20).fill(0xa5);
    const a = new DataView(base.buffer);
    for (let bit = 0; bit <= 128; bit++) {
      const other = new Uint8Array(17).fill(0xa5);
      if (bit < 128) other[1 + (bit >> 3)]! ^= 0x80 >> (bit & 7);
      const b = new DataView(other.buffer);
      expect(Address.matchedLength(a, 3, b, 1)).toBe(bit);
      for (let length = 0; length <= 128; length++) {
        expect(Address.prefixMatches(a, 3, b, 1, length)).toBe(length <= bit);
      }
      expect(Address.equals(a, 3, b, 1)).toBe(bit === 128);
      expect(Address.same(a, 3, other.subarray(1))).toBe(bit === 128);
      expect(Address.equal(base.subarray(0, 16), other.subarray(1))).toBe(bit === 128);
    }
  });

  test.each([
    [0, '::'],
    [1, '8000::'],
    [10, 'ffc0::'],
    [31, 'ffff:fffe::'],
    [32, 'ffff:ffff::'],
    [64, 'ffff:ffff:ffff:ffff::'],
    [127, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe'],
    [128, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ])('all ones cut to %d bits are %s', (length, text) => {
    const ones = new Uint8Array(16).fill(0xff);
    expect(formatAddress(Address.masked(ones, length))).toBe(text);
    expect(ones.every((byte) => byte === 0xff)).toBe(true);
  });
});

describe('kinds of addresses', () => {
  test.each([
    ['::', ['isUnspecified']],
    ['::1', ['isLoopback']],
    ['::2', ['isV4Compatible']],
    ['::198.51.100.1', ['isV4Compatible']],
    ['::ffff:198.51.100.1', ['isV4Mapped']],
    ['fe80::1', ['isLinkLocal', 'isLinkScoped']],
    ['febf:ffff::1', ['isLinkLocal', 'isLinkScoped', 'hasEmbeddedZone']],
    ['fe80:1::1', ['isLinkLocal', 'isLinkScoped', 'hasEmbeddedZone']],
    ['fec0::1', ['isSiteLocal']],
    ['feff::1', ['isSiteLocal']],
    ['2001:db8::1', []],
    ['ff01::1', ['isMulticast', 'isInterfaceLocalMulticast', 'isLinkScoped']],
    ['ff02::1', ['isMulticast', 'isLinkLocalMulticast', 'isLinkScoped']],
    ['ff02:3::1', ['isMulticast', 'isLinkLocalMulticast', 'isLinkScoped', 'hasEmbeddedZone']],
    ['ff02::1:ff12:3456', ['isMulticast', 'isLinkLocalMulticast', 'isLinkScoped', 'isSolicitedNode']],
    ['ff02::1:fe12:3456', ['isMulticast', 'isLinkLocalMulticast', 'isLinkScoped']],
    ['ff05::2', ['isMulticast']],
    ['ff1e::1', ['isMulticast']],
  ])('%s', (text, kinds) => {
    const questions = {
      isUnspecified: Address.isUnspecified,
      isLoopback: Address.isLoopback,
      isMulticast: Address.isMulticast,
      isLinkLocal: Address.isLinkLocal,
      isSiteLocal: Address.isSiteLocal,
      isV4Mapped: Address.isV4Mapped,
      isV4Compatible: Address.isV4Compatible,
      isSolicitedNode: Address.isSolicitedNode,
      isInterfaceLocalMulticast: Address.isInterfaceLocalMulticast,
      isLinkLocalMulticast: Address.isLinkLocalMulticast,
      isLinkScoped: Address.isLinkScoped,
      hasEmbeddedZone: Address.hasEmbeddedZone,
    };
    const yes = Object.entries(questions).flatMap(([name, ask]) => (ask(view(text), 0) ? [name] : []));
    expect(yes.sort()).toEqual([...kinds].sort());
  });

  test.each([
    ['::1', 2],
    ['::', 14],
    ['fe80::1', 2],
    ['fec0::1', 5],
    ['2001:db8::1', 14],
    ['ff01::1', 1],
    ['ff02::1', 2],
    ['ff18::1', 8],
    ['ff0e::1', 14],
  ])('the scope of %s is %d (RFC 4007 §4)', (text, scope) => expect(Address.scope(view(text), 0)).toBe(scope));
});

describe('addresses made of others', () => {
  test('PP-01 a MAC gives the modified EUI-64', () => {
    expect(formatAddress(Address.linkLocal(Uint8Array.of(2, 0, 0, 0, 2, 2)))).toBe('fe80::ff:fe00:202');
    expect(hex(Address.interfaceId(Uint8Array.of(0x00, 0x00, 0x5e, 0x00, 0x53, 0x01)))).toBe('02005efffe005301');
  });

  test('the solicited-node group of RFC 4291 §2.7.1', () => {
    expect(formatAddress(Address.solicitedNode(address('4037::01:800:200e:8c6c')))).toBe('ff02::1:ff0e:8c6c');
    expect(formatAddress(Address.solicitedNode(address('::')))).toBe('ff02::1:ff00:0');
  });

  test('copies and writers leave the bytes around them alone', () => {
    const bytes = new Uint8Array(24).fill(0xa5);
    const v = new DataView(bytes.buffer);
    Address.copy(view('2001:db8::7'), 0, v, 3);
    expect(hex(bytes)).toBe(`a5a5a5${hex(address('2001:db8::7'))}a5a5a5a5a5`);
    Address.set(v, 4, address('fe80::1'));
    expect(formatAddress(Address.get(v, 4))).toBe('fe80::1');
    Address.setSolicitedNode(v, 5, view('2001:db8::12:3456'), 0);
    expect(hex(bytes)).toBe(`a5a5a520fe${hex(address('ff02::1:ff12:3456'))}a5a5a5`);
  });
});
