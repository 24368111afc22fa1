/**
 * What a link that is a wire carries, and how well it keeps time: two TAPs, frames of 64 bytes from another process.
 *
 *   node tests/bench/wire.ts
 */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { createNamespace, deleteNamespace, FrameBatch, link, PacketSocket, writeSysctl } from 'tun-tap';
import { LinkRecord } from '#orchestrator/capture.ts';
import { WireLink } from '#orchestrator/drivers/wire-link.ts';
import type { FaultSource } from '#orchestrator/faults/fault-schema.ts';
import { topology } from '#orchestrator/topology.ts';
import { concat, packet, udp } from '#tests/support/packets.ts';

const NAMES = ['a', 'b'].map((node) => `wire-bench-${process.pid}-${node}`) as [string, string];
const MACS = [Uint8Array.of(2, 0, 0, 0, 0, 0x0a), Uint8Array.of(2, 0, 0, 0, 0, 0x0b)] as const;
const FRAME = concat(
  MACS[1],
  MACS[0],
  Uint8Array.of(0x86, 0xdd),
  packet({ src: '2001:db8::a', dst: '2001:db8::b' }, udp(1000, 9, 2)),
);
const SECONDS = 2;

const [, , role, namespace] = process.argv;
if (role === 'flood') flood(namespace!);
else await measure();

/** As many frames as the device takes, from a process of its own. */
function flood(namespace: string): void {
  const socket = PacketSocket.open({ device: 'ab', namespace });
  const batch = new FrameBatch(64, 128);
  for (let slot = 0; slot < 64; slot++) batch.set(slot, FRAME);
  const more = (): void => {
    for (let round = 0; round < 16; round++) socket.write(batch, 0, 64);
    setImmediate(more);
  };
  more();
}

function connect(faults: FaultSource[], recorded: boolean): WireLink {
  const ends = { a: { mac: '02:00:00:00:00:0a' }, b: { mac: '02:00:00:00:00:0b' } };
  const plan = topology({
    name: 'bench',
    defaults: { kind: 'linux' },
    nodes: { a: null, b: null },
    links: { ab: { type: 'p2p', wire: true, faults, ends } },
  }).links[0]!;
  const places = plan.ends.map((end, at) => ({ end, namespace: NAMES[at]!, attachment: 'kernel' as const }));
  const wire = new WireLink(plan, 0, places, NAMES[0], {
    seed: 1,
    record: recorded ? new LinkRecord(plan, () => {}) : undefined,
    now: () => performance.now(),
    tell: () => {},
  });
  for (const name of NAMES) link.setUp('ab', name);
  return wire;
}

async function throughput(what: string, faults: FaultSource[], recorded = false): Promise<void> {
  const wire = connect(faults, recorded);
  const flooder = spawn(process.execPath, [import.meta.filename, 'flood', NAMES[0]], { stdio: 'inherit' });
  await pause(1000);
  const before = link.statistics('ab', NAMES[1]).receivedPackets;
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await pause(SECONDS * 1000);
  const took = (performance.now() - start) / 1000;
  const carried = Number(link.statistics('ab', NAMES[1]).receivedPackets - before);
  const { user, system } = process.cpuUsage(cpu);
  flooder.kill();
  await new Promise((ended) => flooder.once('exit', ended));
  wire.close();
  const each = (user + system) / carried;
  console.log(
    `${what.padEnd(48)} ${(carried / took / 1000).toFixed(0).padStart(6)} k frames/s  ${each.toFixed(2)} us each`,
  );
}

/** One frame every 7 ms with a delay of 10 ms: how late it comes out. */
async function precision(): Promise<void> {
  const wire = connect([{ delay: '10ms' }], false);
  const socket = PacketSocket.open({ device: 'ab', namespace: NAMES[0] });
  const listener = PacketSocket.open({ device: 'ab', namespace: NAMES[1], ignoreOutgoing: true });
  const [batch, heard] = [new FrameBatch(1, 128), new FrameBatch(64, 256)];
  batch.set(0, FRAME);
  const late: number[] = [];
  let entered = 0;
  const transmit = wire.line.transmit.bind(wire.line);
  wire.line.transmit = (bytes, from) => {
    entered = performance.timeOrigin + performance.now();
    return transmit(bytes, from);
  };
  for (let count = 0; count < 500; count++) {
    socket.write(batch, 0, 1);
    await pause(30);
    const seen = listener.read(heard);
    if (seen === 1) late.push(Number(heard.timestamps[0]!) / 1e6 - entered - 10);
  }
  wire.close();
  socket.close();
  listener.close();
  late.sort((a, b) => a - b);
  const at = (share: number): string => late[Math.floor(late.length * share)]!.toFixed(3);
  console.log(
    `late by, ms: median ${at(0.5)}, 90 % ${at(0.9)}, 99 % ${at(0.99)}, most ${late.at(-1)!.toFixed(3)} (${late.length} frames)`,
  );
}

async function measure(): Promise<void> {
  for (const name of NAMES) {
    createNamespace(name);
    for (const key of ['all', 'default']) writeSysctl(name, `net.ipv6.conf.${key}.disable_ipv6`, 1);
  }
  try {
    await throughput('no fault', []);
    await throughput('one that asks for the direction only', [{ drop: 'all', from: 'b', optional: true }]);
    await throughput('one that decodes every frame', [{ drop: { icmp6: 'redirect' }, optional: true }]);
    await throughput('delay of 5 ms for every frame', [{ delay: '5ms' }]);
    await throughput('no fault, all frames recorded', [], true);
    await precision();
  } finally {
    for (const name of NAMES) deleteNamespace(name);
  }
}
