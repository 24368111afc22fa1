import { expect, test } from 'vitest';
import { FrameBatch, Kind, link, PacketSocket } from '../index.ts';
import { batchOf, ETHER_TYPE, frame, hear, OwnNamespace, thrownBy } from './lab.ts';

/** A veth of two namespaces: `left` in one, `right` in the other. */
class Wire {
  static async up(): Promise<Wire> {
    const wire = new Wire();
    for (const { device, namespace } of [wire.here, wire.there]) await link.whenUp(device, namespace);
    return wire;
  }

  readonly #namespaces = [new OwnNamespace(), new OwnNamespace()] as const;
  readonly here = { device: 'left', namespace: this.#namespaces[0].name };
  readonly there = { device: 'right', namespace: this.#namespaces[1].name };

  constructor() {
    const [name, peerName, namespace, peerNamespace] = ['left', 'right', this.here.namespace, this.there.namespace];
    link.createVeth({
      name,
      namespace,
      peerName,
      peerNamespace,
      mac: '02:00:00:00:00:01',
      peerMac: '02:00:00:00:00:02',
    });
    link.setUp(name, namespace);
    link.setUp(peerName, peerNamespace);
  }

  [Symbol.dispose](): void {
    for (const namespace of this.#namespaces) namespace[Symbol.dispose]();
  }
}

test('frames written at one end of a veth are heard at the other, with time and kind', async () => {
  using wire = await Wire.up();
  using a = PacketSocket.open(wire.here);
  using b = PacketSocket.open({ ...wire.there, promiscuous: true });
  const [toAll, toGroup, toIt, toOther] = [frame(1), frame(2), frame(3), frame(4)];
  toGroup.set([0x33, 0x33, 0, 0, 0, 1]);
  toIt.set([2, 0, 0, 0, 0, 2]);
  toOther.set([2, 0, 0, 0, 0, 9]);
  const before = BigInt(Date.now()) * 1_000_000n;
  expect(a.write(batchOf(toAll, toGroup, toIt, toOther), 0, 4)).toBe(4);
  const heard = await hear(b, 4);
  expect(heard.map(({ bytes }) => bytes)).toEqual([toAll, toGroup, toIt, toOther]);
  expect(heard.map(({ kind }) => kind)).toEqual([Kind.broadcast, Kind.multicast, Kind.host, Kind.otherHost]);
  for (const { timestamp } of heard) expect(timestamp - before).toBeLessThan(60_000_000_000n);
  for (let i = 1; i < 4; i++) expect(heard[i]!.timestamp >= heard[i - 1]!.timestamp).toBe(true);
});

test('what the machine itself sends is heard as outgoing, unless that is not wanted', async () => {
  using wire = await Wire.up();
  using sender = PacketSocket.open(wire.here);
  using listener = PacketSocket.open(wire.here);
  using deaf = PacketSocket.open({ ...wire.here, ignoreOutgoing: true });
  sender.write(batchOf(frame(1)), 0, 1);
  expect((await hear(listener, 1))[0]!.kind).toBe(Kind.outgoing);
  expect(deaf.read(new FrameBatch(1, 64))).toBe(0);
});

test('more than 64 frames go in one call each way', async () => {
  using wire = await Wire.up();
  using a = PacketSocket.open(wire.here);
  using b = PacketSocket.open(wire.there);
  const frames = Array.from({ length: 150 }, (_, i) => frame(i));
  expect(a.write(batchOf(...frames), 0, 150)).toBe(150);
  const batch = new FrameBatch(200, 128);
  expect(b.read(batch)).toBe(150);
  expect(Array.from({ length: 150 }, (_, i) => batch.frame(i)[20])).toEqual(frames.map((each) => each[20]));
});

test('a frame longer than the snap length or its slot is cut, and its whole length told', async () => {
  using wire = await Wire.up();
  using a = PacketSocket.open(wire.here);
  using snapping = PacketSocket.open({ ...wire.there, snapLength: 96 });
  using whole = PacketSocket.open(wire.there);
  a.write(batchOf(frame(1, 1000)), 0, 1);
  const [cut] = await hear(snapping, 1);
  expect([cut!.bytes.length, cut!.wireLength]).toEqual([96, 1000]);
  const [small] = await hear(whole, 1, 200);
  expect([small!.bytes.length, small!.wireLength]).toEqual([200, 1000]);
});

test('a socket for one protocol hears no other', async () => {
  using wire = await Wire.up();
  using a = PacketSocket.open(wire.here);
  using b = PacketSocket.open({ ...wire.there, protocol: ETHER_TYPE });
  const other = frame(1);
  other[13] = 0xb6;
  a.write(batchOf(other, frame(2)), 0, 2);
  expect((await hear(b, 1)).map(({ bytes }) => bytes[20])).toEqual([2]);
});

test('frames lost for want of room are counted since the socket was opened', async () => {
  using wire = await Wire.up();
  using a = PacketSocket.open(wire.here);
  using b = PacketSocket.open({ ...wire.there, receiveBuffer: 4096 });
  const frames = batchOf(...Array.from({ length: 100 }, (_, i) => frame(i)));
  a.write(frames, 0, 100);
  const read = b.read(new FrameBatch(200, 64));
  expect(read).toBeLessThan(100);
  expect(b.drops()).toBe(100 - read);
  a.write(frames, 0, 100);
  expect(b.drops()).toBe(2 * (100 - read));
});

test('a socket goes on listening when its device went down and came up', async () => {
  using wire = await Wire.up();
  using a = PacketSocket.open(wire.here);
  using b = PacketSocket.open(wire.there);
  const heard = hear(b, 1);
  link.setDown('right', wire.there.namespace);
  link.setUp('right', wire.there.namespace);
  await link.whenUp('left', wire.here.namespace);
  await new Promise(setImmediate); // lets the loop see the error that the socket then holds
  expect(a.write(batchOf(frame(7)), 0, 1)).toBe(1);
  expect((await heard)[0]!.bytes[20]).toBe(7);
});

test('a device that is down refuses frames, one that was removed is an error', async () => {
  using wire = await Wire.up();
  using a = PacketSocket.open(wire.here);
  const batch = batchOf(frame(1), frame(2));
  link.setDown('left', wire.here.namespace);
  expect(a.write(batch, 0, 2)).toBe(2);
  expect(batch.refused).toBe(2);
  link.remove('left', wire.here.namespace);
  expect(thrownBy(() => a.write(batch, 0, 2)).code).toBe('ENXIO');
  expect(a.read(batch)).toBe(0);
});
