/**
 * Frames a second that one thread of JavaScript moves over TAPs, a cable of two TAPs, and a veth. Needs root.
 *
 *   node tun-tap/bench/rates.ts [seconds for each row, 1]
 */
import {
  createNamespace,
  deleteNamespace,
  FrameBatch,
  type FrameDevice,
  link,
  PacketSocket,
  TunTap,
  vnet,
  writeSysctl,
} from '../index.ts';

const seconds = Number(process.argv[2] ?? 1);
const namespace = `tun-tap-bench-${process.pid}`;

/** `length` bytes of an EtherType nobody answers, in every slot. */
function filled(slots: number, length: number, header = 0): FrameBatch {
  const batch = new FrameBatch(slots, header + length);
  for (let i = 0; i < slots; i++) {
    const at = i * batch.slotSize + header;
    batch.bytes.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 0xbb, 0x88, 0xb5], at);
  }
  batch.lengths.fill(header + length);
  return batch;
}

/** Best of five rounds, as shared machines want it. */
function measure(title: string, frameLength: number, round: () => number): void {
  let best = 0;
  for (let i = 0; i < 5; i++) {
    const start = process.hrtime.bigint();
    const end = start + BigInt(Math.round((seconds / 5) * 1e9));
    let frames = 0;
    let now = start;
    for (; now < end; now = process.hrtime.bigint()) for (let j = 0; j < 16; j++) frames += round();
    best = Math.max(best, (frames * 1e9) / Number(now - start));
  }
  const gigabits = (best * frameLength * 8) / 1e9;
  console.log(
    `${title.padEnd(52)} ${Math.round(best).toLocaleString('en').padStart(11)} /s ${gigabits.toFixed(2).padStart(7)} Gbit/s`,
  );
}

const passed = (from: FrameDevice, sent: FrameBatch, to: FrameDevice, received: FrameBatch) => (): number => {
  from.write(sent, 0, sent.slots);
  return to.read(received);
};

createNamespace(namespace);
try {
  for (const which of ['all', 'default']) writeSysctl(namespace, `net.ipv6.conf.${which}.disable_ipv6`, 1);
  link.createVeth({ name: 'v0', namespace, peerName: 'v1' });
  for (const name of ['v0', 'v1']) link.setUp(name, namespace);
  for (const name of ['v0', 'v1']) await link.whenUp(name, namespace);
  using a = TunTap.open({ name: 'tap0', mode: 'tap', namespace });
  using b = TunTap.open({ name: 'tap1', mode: 'tap', namespace });
  using lone = TunTap.open({ name: 'tap2', mode: 'tap', namespace });
  const large = { mode: 'tap', namespace, vnetHeader: true, offload: { tso6: true } } as const;
  using c = TunTap.open({ ...large, name: 'tap3' });
  using d = TunTap.open({ ...large, name: 'tap4' });
  link.mirror('tap0', 'tap1', namespace);
  link.mirror('tap3', 'tap4', namespace);
  for (const { name } of [a, b, lone, c, d]) link.setUp(name, namespace);
  using kernelSide = PacketSocket.open({ device: 'tap2', namespace, protocol: 0xffff });
  using left = PacketSocket.open({ device: 'v0', namespace, protocol: 0xffff });
  using right = PacketSocket.open({ device: 'v1', namespace });

  for (const length of [78, 1514]) {
    const sent = filled(64, length);
    const one = filled(1, length);
    const received = new FrameBatch(64, 2048);
    measure(`TAP write, 64 a call, ${length} B (the kernel drops them)`, length, () => lone.write(sent, 0, 64));
    measure(`TAP write, 1 a call, ${length} B`, length, () => lone.write(one, 0, 1));
    measure(`packet socket -> TAP read, 64 a call, ${length} B`, length, passed(kernelSide, sent, lone, received));
    measure(`TAP write -> mirror -> TAP read, 64 a call, ${length} B`, length, passed(a, sent, b, received));
    measure(`packet socket -> veth -> packet socket, 64, ${length} B`, length, passed(left, sent, right, received));
  }
  const segment = 60_054;
  const segments = filled(16, segment, vnet.LENGTH);
  for (let i = 0; i < 16; i++) {
    const at = i * segments.slotSize;
    vnet.writeSegmented(segments.view, at, vnet.TCP6, 74, 1440, 54, 16);
    segments.bytes.set([0x86, 0xdd, 0x60, 0, 0, 0, (segment - 54) >> 8, (segment - 54) & 255, 6, 64], at + 22);
    segments.bytes[at + vnet.LENGTH + 66] = 5 << 4;
  }
  measure(
    'TAP write -> mirror -> TAP read, TSO6, 16 a call',
    segment,
    passed(c, segments, d, new FrameBatch(16, 65_600)),
  );
  const empty = new FrameBatch(64, 2048);
  measure('TAP read of nothing (calls)', 0, () => lone.read(empty) + 1);
} finally {
  deleteNamespace(namespace);
}
