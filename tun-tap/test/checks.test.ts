import { expect, test } from 'vitest';
import { requireDeviceName } from '../device-name.ts';
import { namespacePath, TunTap, vnet, withNamespace } from '../index.ts';
import { sysctlPath } from '../sysctl.ts';
import { offloadFlags } from '../tun-tap.ts';

test('a device name has 1 to 15 bytes and none of the characters the kernel refuses', () => {
  for (const name of ['eth0', 'tap%d', 'a'.repeat(15)]) requireDeviceName(name);
  expect(() => requireDeviceName('a'.repeat(16))).toThrow('has 16 bytes, 15 are allowed');
  expect(() => requireDeviceName('ééééééééé')).toThrow('has 18 bytes');
  for (const name of ['', '.', '..', 'a b', 'a/b', 'a:b', 'a\0b']) expect(() => requireDeviceName(name)).toThrow();
});

test('a namespace is a name below /run/netns, or that of a process', () => {
  expect(namespacePath('lab')).toBe('/run/netns/lab');
  expect(namespacePath(42)).toBe('/proc/42/ns/net');
  for (const name of ['', '.', '..', '../etc', 'a/b', 'a\0b']) expect(() => namespacePath(name)).toThrow(RangeError);
});

test('a sysctl key is separated by dots, or by slashes where a device has a dot', () => {
  expect(sysctlPath('net.ipv6.conf.eth0.forwarding')).toBe('/proc/sys/net/ipv6/conf/eth0/forwarding');
  expect(sysctlPath('net/ipv6/conf/eth0.1/forwarding')).toBe('/proc/sys/net/ipv6/conf/eth0.1/forwarding');
  expect(sysctlPath('net.ipv6.conf.eth0/1.forwarding')).toBe('/proc/sys/net/ipv6/conf/eth0.1/forwarding');
  for (const key of ['kernel.hostname', 'net', 'net..x', 'net/../kernel/hostname', '/net/ipv6', '']) {
    expect(() => sysctlPath(key)).toThrow(RangeError);
  }
});

test('every offload implies checksums, and combinations the kernel lacks are refused', () => {
  expect(offloadFlags({})).toBe(0);
  expect(offloadFlags({ tso6: true })).toBe(0x05);
  expect(offloadFlags({ tso4: true, tso6: true, tsoEcn: true, uso4: true, uso6: true })).toBe(0x6f);
  expect(() => offloadFlags({ uso4: true })).toThrow('together');
  expect(() => offloadFlags({ tsoEcn: true })).toThrow('tso4 or tso6');
});

test('options that contradict each other are refused before the kernel is asked', () => {
  expect(() => TunTap.open({ name: 'x', mode: 'tap', offload: { tso6: true } })).toThrow('offload needs vnetHeader');
  expect(() => TunTap.open({ name: 'x', mode: 'tup' as 'tap' })).toThrow("mode is 'tap' or 'tun'");
});

test('the fields of the vnet header are little endian, at their offsets', () => {
  const view = new DataView(new ArrayBuffer(12));
  vnet.writeSegmented(view, 1, vnet.TCP6 | vnet.ECN, 74, 1440, 54, 16);
  expect(Buffer.from(view.buffer).toString('hex')).toBe('000184' + '4a00' + 'a005' + '3600' + '1000' + '00');
  expect(vnet.flags(view, 1)).toBe(vnet.NEEDS_CHECKSUM);
  expect(vnet.segmentation(view, 1)).toBe(0x84);
  expect([vnet.headerLength(view, 1), vnet.segmentSize(view, 1)]).toEqual([74, 1440]);
  expect([vnet.checksumStart(view, 1), vnet.checksumOffset(view, 1)]).toEqual([54, 16]);
  vnet.writePlain(view, 1);
  expect(new Uint8Array(view.buffer).every((byte) => byte === 0)).toBe(true);
});

test('a namespace that is not there cannot be entered', () => {
  expect(() => withNamespace('/nonexistent/net', () => 1)).toThrow(/enter namespace \/nonexistent\/net: .*ENOENT/);
});
