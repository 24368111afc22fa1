import { expect, test } from 'vitest';
import { address } from '#stack/wire/address.ts';
import * as Ethernet from '#stack/wire/ethernet.ts';

test('IP-14 a header is destination, source, type', () => {
  const bytes = new Uint8Array(20).fill(0xa5);
  const v = new DataView(bytes.buffer);
  const [a, b] = [Ethernet.parseMac('02:00:00:00:00:01')!, Ethernet.parseMac('02:00:00:00:00:02')!];
  Ethernet.write(v, 2, b, a, Ethernet.EtherType.ip6);
  expect(Buffer.from(bytes).toString('hex')).toBe('a5a502000000000202000000000186dda5a5a5a5');
  expect(Ethernet.type(v, 2)).toBe(0x86dd);
  expect(Ethernet.same(v, 2, b)).toBe(true);
  expect(Ethernet.same(v, 8, b)).toBe(false);
  expect(Ethernet.equals(v, 2, v, 8)).toBe(false);
  expect(Ethernet.equals(v, 2, v, 2)).toBe(true);
  expect(Ethernet.isMulticast(v, 2)).toBe(false);
});

test('IP-14 a group maps to 33:33 and its last four bytes (RFC 2464 §7)', () => {
  const group = address('ff02::1:ff12:3456');
  const v = new DataView(new ArrayBuffer(8));
  Ethernet.setMulticast(v, 1, new DataView(group.buffer), 0);
  expect(Ethernet.formatMac(new Uint8Array(v.buffer), 1)).toBe('33:33:ff:12:34:56');
  expect(Ethernet.formatMac(Ethernet.multicastMac(group))).toBe('33:33:ff:12:34:56');
  expect(Ethernet.isMulticast(v, 1)).toBe(true);
  expect(Ethernet.isBroadcast(v, 1)).toBe(false);
  expect(Ethernet.isBroadcast(new DataView(Ethernet.BROADCAST.buffer), 0)).toBe(true);
});

test.each([
  ['02:00:00:00:00:01', '02:00:00:00:00:01'],
  ['2:0:0:0:0:A', '02:00:00:00:00:0a'],
  ['02:00:00:00:00', undefined],
  ['02:00:00:00:00:01:02', undefined],
  ['02-00-00-00-00-01', undefined],
  ['02:00:00:00:00:001', undefined],
  ['02:00:00:00:00:0g', undefined],
  ['', undefined],
])("the MAC text '%s' is read as %s", (text, canonical) => {
  const mac = Ethernet.parseMac(text);
  expect(mac && Ethernet.formatMac(mac)).toBe(canonical);
});
