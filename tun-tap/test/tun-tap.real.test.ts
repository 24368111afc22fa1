import { expect, test } from 'vitest';
import { FrameBatch, link, TunTap, vnet } from '../index.ts';
import { batchOf, frame, hear, OwnNamespace, thrownBy } from './lab.ts';

test('what one TAP sends, another on the same bridge reads, many frames a call', async () => {
  using own = new OwnNamespace();
  const namespace = own.name;
  link.createBridge({ name: 'br0', namespace });
  link.setUp('br0', namespace);
  using a = TunTap.open({ name: 'tap0', mode: 'tap', namespace });
  using b = TunTap.open({ name: 'tap1', mode: 'tap', namespace });
  for (const { name } of [a, b]) {
    link.setMaster(name, 'br0', namespace);
    link.setUp(name, namespace);
  }
  const sent = Array.from({ length: 40 }, (_, i) => frame(i, 60 + i));
  expect(a.write(batchOf(...sent), 0, 40)).toBe(40);
  const heard = await hear(b, 40);
  expect(heard.map(({ bytes }) => bytes)).toEqual(sent);
  expect(b.read(new FrameBatch(1, 2048))).toBe(0);
});

test('only the range asked for is written', async () => {
  using own = new OwnNamespace();
  using cable = new Cable(own.name);
  expect(cable.a.write(batchOf(frame(0), frame(1), frame(2), frame(3)), 1, 2)).toBe(2);
  expect((await hear(cable.b, 2)).map(({ bytes }) => bytes[20])).toEqual([1, 2]);
});

test('the kernel names a device whose name ends in %d', () => {
  using own = new OwnNamespace();
  using tap = TunTap.open({ name: 'node%d', mode: 'tap', namespace: own.name });
  using second = TunTap.open({ name: 'node%d', mode: 'tap', namespace: own.name });
  expect([tap.name, second.name]).toEqual(['node0', 'node1']);
});

test('MAC and MTU are those asked for; closing takes the device away', () => {
  using own = new OwnNamespace();
  const tap = TunTap.open({ name: 'tap0', mode: 'tap', namespace: own.name, mac: '02:00:00:00:00:07', mtu: 9000 });
  expect(link.get('tap0', own.name)).toMatchObject({ kind: 'tun', mac: '02:00:00:00:00:07', mtu: 9000, up: false });
  tap.close();
  expect(thrownBy(() => link.get('tap0', own.name)).code).toBe('ENODEV');
});

test('an MTU the kernel refuses leaves no device behind', () => {
  using own = new OwnNamespace();
  expect(() => TunTap.open({ name: 'tap0', mode: 'tap', namespace: own.name, mtu: 70_000 })).toThrow('set MTU 70000');
  expect(link.list(own.name).map(({ name }) => name)).toEqual(['lo']);
});

test('a TUN carries bare IP packets', async () => {
  using own = new OwnNamespace({ ipv6: true });
  const namespace = own.name;
  using tun = TunTap.open({ name: 'tun0', mode: 'tun', namespace });
  link.addAddress({ device: 'tun0', namespace, address: '2001:db8::1/64', noDad: true });
  link.setUp('tun0', namespace);
  // The kernel's own first packets: version 6, no Ethernet header.
  const [packet] = await hear(tun, 1);
  expect(packet!.bytes[0]! >> 4).toBe(6);
});

test('segments of 60,000 bytes pass a cable of two TAPs whole, with their vnet header', async () => {
  using own = new OwnNamespace();
  const offload = { checksum: true, tso4: true, tso6: true, uso4: true, uso6: true };
  using cable = new Cable(own.name, { vnetHeader: true, offload, mtu: 1500 });
  const batch = new FrameBatch(2, 65_600);
  const [headers, payload] = [14 + 40 + 20, 60_000];
  vnet.writeSegmented(batch.view, 0, vnet.TCP6, headers, 1440, 54, 16);
  writeTcp6(batch.bytes.subarray(vnet.LENGTH), payload);
  batch.lengths[0] = vnet.LENGTH + headers + payload;
  expect(cable.a.write(batch, 0, 1)).toBe(1);
  expect(batch.refused).toBe(0);
  const [heard] = await hear(cable.b, 1, 65_600);
  const view = new DataView(heard!.bytes.buffer);
  expect(heard!.bytes.length).toBe(batch.lengths[0]);
  expect(vnet.segmentation(view, 0)).toBe(vnet.TCP6);
  expect(vnet.segmentSize(view, 0)).toBe(1440);
  expect(vnet.flags(view, 0)).toBe(vnet.NEEDS_CHECKSUM);

  // Without the offload the kernel cuts it into segments that fit the MTU.
  cable.b.setOffload({});
  expect(cable.a.write(batch, 0, 1)).toBe(1);
  const segments = await hear(cable.b, 42, 65_600);
  expect(segments.every(({ bytes }) => bytes.length <= vnet.LENGTH + 14 + 1500)).toBe(true);
  expect(segments.reduce((sum, { bytes }) => sum + bytes.length - vnet.LENGTH - headers, 0)).toBe(payload);
});

test('one device with several queues is opened several times; with one queue it is busy', () => {
  using own = new OwnNamespace();
  const options = { name: 'tap0', mode: 'tap', namespace: own.name, multiQueue: true } as const;
  using first = TunTap.open(options);
  using second = TunTap.open(options);
  expect(second.name).toBe(first.name);
  using _single = TunTap.open({ name: 'tap1', mode: 'tap', namespace: own.name });
  const refusal = thrownBy(() => TunTap.open({ name: 'tap1', mode: 'tap', namespace: own.name }));
  expect(refusal.code).toBe('EBUSY');
  expect(refusal.message).toContain('Another descriptor holds the device');
});

test('a device that persists outlives its descriptor and is opened again', () => {
  using own = new OwnNamespace();
  const options = { name: 'tap0', mode: 'tap', namespace: own.name, persist: true, owner: 65534 } as const;
  TunTap.open(options).close();
  expect(link.get('tap0', own.name).carrier).toBe(false);
  TunTap.open(options).close();
  link.remove('tap0', own.name);
});

test('a TAP moved to another namespace stays usable', async () => {
  using here = new OwnNamespace();
  using there = new OwnNamespace();
  using tap = TunTap.open({ name: 'tap0', mode: 'tap', namespace: here.name });
  using far = TunTap.open({ name: 'tap1', mode: 'tap', namespace: there.name });
  link.move('tap0', here.name, there.name, 'eth0');
  expect(link.list(here.name).map(({ name }) => name)).toEqual(['lo']);
  link.mirror('eth0', 'tap1', there.name);
  link.setUp('eth0', there.name);
  link.setUp('tap1', there.name);
  expect(tap.write(batchOf(frame(5)), 0, 1)).toBe(1);
  expect((await hear(far, 1))[0]!.bytes).toEqual(frame(5));
});

test('a frame longer than a slot is counted and dropped, not cut', async () => {
  using own = new OwnNamespace();
  using cable = new Cable(own.name);
  cable.a.write(batchOf(frame(1, 200), frame(2, 100), frame(3, 101)), 0, 3);
  const batch = new FrameBatch(8, 100);
  await readable(cable.b);
  expect(cable.b.read(batch)).toBe(1);
  expect(batch.frame(0)[20]).toBe(2);
  expect(batch.oversized).toBe(2);
});

test('frames the kernel refuses are counted and passed over; the rest goes on', async () => {
  using own = new OwnNamespace();
  using cable = new Cable(own.name);
  const batch = batchOf(frame(1), new Uint8Array(3), new Uint8Array(0), frame(4));
  expect(cable.a.write(batch, 0, 4)).toBe(4);
  expect(batch.refused).toBe(2);
  expect(batch.lastRefusal).toBe(22);
  expect((await hear(cable.b, 2)).map(({ bytes }) => bytes[20])).toEqual([1, 4]);
});

test('a device that is down takes nothing and breaks nothing', () => {
  using own = new OwnNamespace();
  using tap = TunTap.open({ name: 'tap0', mode: 'tap', namespace: own.name });
  const batch = batchOf(frame(1));
  expect(tap.write(batch, 0, 1)).toBe(1);
  expect(batch.refused).toBe(1);
  expect(tap.read(batch)).toBe(0);
});

test('lengths, ranges and buffers that lie are refused before any byte moves', () => {
  using own = new OwnNamespace();
  using tap = TunTap.open({ name: 'tap0', mode: 'tap', namespace: own.name });
  link.setUp('tap0', own.name);
  const batch = batchOf(frame(1), frame(2));
  for (const [first, count] of [
    [0, 3],
    [3, 0],
    [2, 1],
    [-1, 1],
    [0, -1],
    [0, 2 ** 32],
    [0.5, 1],
    [1, 2 ** 32 - 1],
    [Number.NaN, 1],
  ]) {
    expect(() => tap.write(batch, first!, count!), `${first}, ${count}`).toThrow(/first|expected an unsigned/);
  }
  batch.lengths[1] = 65;
  expect(() => tap.write(batch, 0, 2)).toThrow("a frame's length is larger than its slot");
  batch.lengths[1] = 0xffff_ffff;
  expect(() => tap.write(batch, 1, 1)).toThrow("a frame's length is larger than its slot");

  const liar = (changes: object): FrameBatch =>
    Object.create(batch, Object.getOwnPropertyDescriptors(changes)) as FrameBatch;
  for (const changes of [
    { slots: 3 },
    { slots: 65_536, slotSize: 1 << 20 },
    { slotSize: 1 << 16 },
    { slots: 0 },
    { slotSize: 0 },
  ]) {
    expect(() => tap.read(liar(changes)), JSON.stringify(changes)).toThrow(RangeError);
  }
  for (const buffer of [new SharedArrayBuffer(1 << 16), new Uint8Array(1 << 16), undefined]) {
    expect(() => tap.read(liar({ buffer }))).toThrow(TypeError);
  }
  structuredClone(batch.buffer, { transfer: [batch.buffer] });
  expect(() => tap.read(batch)).toThrow('the buffer is smaller than its slots');
  expect(link.statistics('tap0', own.name).receivedPackets).toBe(0);
});

test('closing twice is fine, using a closed device is a clear error', () => {
  using own = new OwnNamespace();
  const tap = TunTap.open({ name: 'tap0', mode: 'tap', namespace: own.name });
  tap.onReadable(() => {});
  tap.close();
  tap.close();
  expect(tap.closed).toBe(true);
  const batch = new FrameBatch(1, 64);
  for (const use of [
    () => tap.read(batch),
    () => tap.write(batch, 0, 1),
    () => tap.onReadable(undefined),
    () => tap.fd,
  ]) {
    expect(use).toThrow('tap0 is closed');
  }
});

/** Two TAPs joined end to end. */
class Cable {
  readonly a: TunTap;
  readonly b: TunTap;

  constructor(namespace: string, options: Partial<Parameters<typeof TunTap.open>[0]> = {}) {
    this.a = TunTap.open({ ...options, name: 'end0', mode: 'tap', namespace });
    this.b = TunTap.open({ ...options, name: 'end1', mode: 'tap', namespace });
    link.mirror('end0', 'end1', namespace);
    link.setUp('end0', namespace);
    link.setUp('end1', namespace);
  }

  [Symbol.dispose](): void {
    this.a.close();
    this.b.close();
  }
}

function readable(tap: TunTap): Promise<void> {
  return new Promise((resolve) => {
    tap.onReadable(() => {
      tap.onReadable(undefined);
      resolve();
    });
  });
}

/** Ethernet, IPv6, TCP with nothing but what segmentation reads. */
function writeTcp6(bytes: Uint8Array, payload: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  bytes.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd]);
  view.setUint32(14, 0x6000_0000);
  view.setUint16(18, 20 + payload);
  bytes.set([6, 64], 20);
  bytes.set([0x20, 0x01, 0x0d, 0xb8], 22);
  bytes.set([0x20, 0x01, 0x0d, 0xb8], 38);
  view.setUint16(54, 1234);
  view.setUint16(56, 5678);
  view.setUint8(66, 5 << 4);
  view.setUint8(67, 0x10);
}
