import { expect, test } from 'vitest';
import { addressBytes, addressText, macBytes, macText, prefix } from '../address.ts';

test.each([
  ['::', '00000000000000000000000000000000', '::'],
  ['::1', '00000000000000000000000000000001', '::1'],
  ['2001:db8::', '20010db8000000000000000000000000', '2001:db8::'],
  ['2001:DB8:0:0:1:0:0:1', '20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
  ['::ffff:198.51.100.7', '00000000000000000000ffffc6336407', '::ffff:c633:6407'],
  ['198.51.100.7', 'c6336407', '198.51.100.7'],
])('%s is %s, and written as %s (RFC 5952)', (text, bytes, canonical) => {
  expect(Buffer.from(addressBytes(text)).toString('hex')).toBe(bytes);
  expect(addressText(addressBytes(text))).toBe(canonical);
});

test.each(['', '2001:db8', '1.2.3', 'fe80::1%eth0', ':::', '2001:db8::1/64'])("'%s' is not an address", (text) => {
  expect(() => addressBytes(text)).toThrow('is not an IPv4 or IPv6 address');
});

test('a prefix without a length is one address', () => {
  expect(prefix('2001:db8::/32').length).toBe(32);
  expect(prefix('::/0').length).toBe(0);
  expect(prefix('2001:db8::1').length).toBe(128);
  expect(prefix('198.51.100.1').length).toBe(32);
});

test.each(['::/129', '198.51.100.0/33', '::/', '::/-1', '::/1/1', '::/x'])('%s is not a prefix', (text) => {
  expect(() => prefix(text)).toThrow('the prefix length must be');
});

test('MAC addresses have six bytes of two digits', () => {
  expect(macText(macBytes('02:00:00:00:00:AB'))).toBe('02:00:00:00:00:ab');
  for (const text of ['', '02:00:00:00:00', '2:0:0:0:0:1', '02-00-00-00-00-01']) {
    expect(() => macBytes(text)).toThrow('is not a MAC address');
  }
});
