/**
 * Forwarding and echo, the kame stack beside the Linux kernel, on the same kind of links (TAP) in one run.
 *
 *   sudo node tests/bench/forward.ts [--seconds 2] [--json] [--profile FOLDER]
 *
 * `--json` also adds the run to results/bench/history.jsonl, which reports plot.
 *
 *   kame    generator, packet socket on the TAP's kernel side -> kame-node on two TAPs -> sink, kernel side of the other
 *   linux   generator holds the TAP and writes to it -> kernel forwards between two TAPs -> sink holds the other TAP
 *
 * Generator and sink are this process on one processor, the kame node another on the other one. The kernel forwards in the
 * generator's own context, so its figure holds the cost of generating; the ratio is in the kernel's disfavour by that much.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  createNamespace,
  deleteNamespace,
  FrameBatch,
  type FrameDevice,
  link,
  PacketSocket,
  TunTap,
  withNamespace,
  writeSysctl,
} from 'tun-tap';
import { appendHistory, type BenchRow, benchRun, historyFile } from '#orchestrator/bench-history.ts';
import * as Address from '#stack/wire/address.ts';
import * as Checksum from '#stack/wire/checksum.ts';
import { parseMac } from '#stack/wire/ethernet.ts';
import * as Ip6 from '#stack/wire/ip6.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const SECONDS = Number(options.seconds);
const ROUND_TRIPS = 5000;
const BATCH = 64;

const MAC = {
  left: '02:00:5e:00:00:01',
  right: '02:00:5e:00:00:02',
  routerLeft: '02:00:5e:00:01:01',
  routerRight: '02:00:5e:00:01:02',
};
const LEFT = '2001:db8:1::2';
const RIGHT = '2001:db8:2::2';
const ROUTER_LEFT = '2001:db8:1::1';
const ROUTER_RIGHT = '2001:db8:2::1';

/** One device under test, seen from its left and right. */
interface Subject {
  readonly name: string;
  readonly left: FrameDevice;
  readonly right: FrameDevice;
  /** Processor seconds that the subject's own process has used; 0 for the kernel. */
  cpu(): number;
  end(): Promise<void>;
}

/** An Ethernet frame of `bytes` in all: UDP to the far side, or an echo request to the router. */
function frame(bytes: number, kind: 'udp' | 'echo'): Uint8Array {
  const packet = new Uint8Array(bytes);
  const view = new DataView(packet.buffer);
  packet.set(parseMac(MAC.routerLeft)!, 0);
  packet.set(parseMac(MAC.left)!, 6);
  view.setUint16(12, 0x86dd);
  const payload = bytes - 14 - Ip6.LENGTH;
  view.setUint32(14, 6 << 28);
  view.setUint16(14 + 4, payload);
  packet[14 + 6] = kind === 'udp' ? 17 : 58;
  packet[14 + 7] = 64;
  packet.set(Address.parseAddress(LEFT)!, 14 + 8);
  packet.set(Address.parseAddress(kind === 'udp' ? RIGHT : ROUTER_LEFT)!, 14 + 24);
  const at = 14 + Ip6.LENGTH;
  if (kind === 'udp') {
    view.setUint16(at, 4000);
    view.setUint16(at + 2, 9);
    view.setUint16(at + 4, payload);
  } else packet[at] = 128;
  const sum = Checksum.transport6(view, 14, at, payload, kind === 'udp' ? 17 : 58);
  view.setUint16(at + (kind === 'udp' ? 6 : 2), sum);
  return packet;
}

const EtherIp6 = (bytes: Uint8Array, at: number): boolean => bytes[at + 12] === 0x86 && bytes[at + 13] === 0xdd;

/** Send as fast as the device takes for some seconds; how many of the sent kind came out on `to`. */
async function flood(
  from: FrameDevice,
  to: FrameDevice,
  sent: Uint8Array,
  isOurs: (bytes: Uint8Array, at: number) => boolean,
): Promise<number> {
  const out = new FrameBatch(BATCH, 2048);
  for (let slot = 0; slot < BATCH; slot++) out.set(slot, sent);
  const into = new FrameBatch(256, 2048);
  let received = 0;
  const drain = (): number => {
    const count = to.read(into);
    for (let slot = 0; slot < count; slot++) if (isOurs(into.bytes, slot * into.slotSize)) received++;
    return count;
  };
  while (drain() > 0);
  received = 0;
  const start = performance.now();
  const end = start + SECONDS * 1000;
  for (let round = 0; performance.now() < end; round++) {
    from.write(out, 0, BATCH);
    drain();
    // let the other processor's node be read, and this one's loop live
    if (round % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const seconds = (performance.now() - start) / 1000;
  const inTime = received;
  await pause(50);
  while (drain() > 0);
  return inTime / seconds;
}

/** One at a time; microseconds at the given quantiles. */
function roundTrips(
  device: FrameDevice,
  request: Uint8Array,
  isReply: (bytes: Uint8Array, at: number) => boolean,
): { p50: number; p99: number } {
  const out = new FrameBatch(1, 2048);
  out.set(0, request);
  const into = new FrameBatch(16, 2048);
  while (device.read(into) > 0);
  const times: number[] = [];
  for (let trip = 0; trip < ROUND_TRIPS; trip++) {
    const start = process.hrtime.bigint();
    device.write(out, 0, 1);
    const limit = performance.now() + 100;
    for (let found = false; !found && performance.now() < limit; ) {
      const count = device.read(into);
      for (let slot = 0; slot < count; slot++) found ||= isReply(into.bytes, slot * into.slotSize);
    }
    times.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  times.sort((a, b) => a - b);
  return { p50: times[ROUND_TRIPS / 2]!, p99: times[Math.floor(ROUND_TRIPS * 0.99)]! };
}

const namespaces: string[] = [];
function namespace(name: string): string {
  const full = `kamelab-bench-${process.pid}.${name}`;
  createNamespace(full);
  namespaces.push(full);
  return full;
}

/** A kernel host that takes what is sent to it and says nothing. */
function quietHost(name: string): string {
  const made = namespace(name);
  writeSysctl(made, 'net.ipv6.conf.all.disable_ipv6', 1);
  writeSysctl(made, 'net.ipv6.conf.default.disable_ipv6', 1);
  return made;
}

async function kame(): Promise<Subject> {
  const [router, left, right] = [namespace('kame'), quietHost('left'), quietHost('right')];
  const folder = mkdtempSync(join(tmpdir(), 'kamelab-bench-'));
  const control = join(folder, 'control');
  const config = {
    sysctls: { 'net.inet6.ip6.forwarding': 1, 'net.inet6.ip6.dad_count': 0, 'net.inet6.icmp6.nd6_gctimer': 86400 },
    interfaces: [
      { name: 'left', mac: MAC.routerLeft, addresses: [`${ROUTER_LEFT}/64`] },
      { name: 'right', mac: MAC.routerRight, addresses: [`${ROUTER_RIGHT}/64`] },
    ],
    commands: [`ndp -s ${LEFT} ${MAC.left}`, `ndp -s ${RIGHT} ${MAC.right}`],
  };
  writeFileSync(join(folder, 'node.yaml'), JSON.stringify(config));
  const profile = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`];
  const main = join(import.meta.dirname, '../../node-image/main.ts');
  const child: ChildProcess = withNamespace(router, () =>
    spawn(
      process.execPath,
      [...profile, main, '--control', control, '--config', join(folder, 'node.yaml'), '--die-with-stdin', '--hold'],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, KAMELAB_LAB: 'bench' },
      },
    ),
  );
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  link.move('left', router, left);
  link.move('right', router, right);
  for (const [name, where] of [
    ['left', left],
    ['right', right],
  ] as const) {
    link.setMac(name, MAC[name], where);
    link.setUp(name, where);
  }
  const { KameControl } = await import('#orchestrator/drivers/kame-node.ts');
  const node = await KameControl.connect(control);
  await node.connected();
  pin(child.pid!, 1);
  await pause(1500);
  return {
    name: 'kame',
    left: PacketSocket.open({ device: 'left', namespace: left, ignoreOutgoing: true }),
    right: PacketSocket.open({ device: 'right', namespace: right, ignoreOutgoing: true }),
    cpu: () => processorSeconds(child.pid!),
    async end() {
      node.close();
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

async function linux(): Promise<Subject> {
  const router = namespace('linux');
  writeSysctl(router, 'net.ipv6.conf.all.forwarding', 1);
  writeSysctl(router, 'net.ipv6.conf.default.accept_dad', 0);
  const open = (name: 'left' | 'right', mac: string, address: string): TunTap => {
    const tap = TunTap.open({ name, mode: 'tap', namespace: router });
    link.setMac(name, mac, router);
    link.addAddress({ device: name, namespace: router, address: `${address}/64`, noDad: true });
    link.setUp(name, router);
    return tap;
  };
  const left = open('left', MAC.routerLeft, ROUTER_LEFT);
  const right = open('right', MAC.routerRight, ROUTER_RIGHT);
  const neighbor = (address: string, mac: string, device: string): void => {
    execFileSync('ip', [
      '-n',
      router,
      '-6',
      'neigh',
      'replace',
      address,
      'lladdr',
      mac,
      'dev',
      device,
      'nud',
      'permanent',
    ]);
  };
  neighbor(LEFT, MAC.left, 'left');
  neighbor(RIGHT, MAC.right, 'right');
  await pause(1500);
  return { name: 'linux', left, right, cpu: () => 0, async end() {} };
}

function pin(pid: number, processor: number): void {
  if (cpus().length > processor)
    execFileSync('taskset', ['-a', '-p', '-c', `${processor}`, `${pid}`], { stdio: 'ignore' });
}

function processorSeconds(pid: number): number {
  const fields = execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' })
    .split(') ')[1]!
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const isUdp = (bytes: Uint8Array, at: number): boolean => EtherIp6(bytes, at) && bytes[at + 14 + 6] === 17;
const isEchoReply = (bytes: Uint8Array, at: number): boolean =>
  EtherIp6(bytes, at) && bytes[at + 14 + 6] === 58 && bytes[at + 14 + Ip6.LENGTH] === 129;

async function measure(subject: Subject): Promise<Map<string, number>> {
  const figures = new Map<string, number>();
  for (const bytes of [64, 1294]) {
    const before = subject.cpu();
    const rate = await flood(subject.left, subject.right, frame(bytes, 'udp'), isUdp);
    figures.set(`forward ${bytes}`, rate);
    const spent = subject.cpu() - before;
    if (spent > 0) figures.set(`forward-cpu ${bytes}`, (spent / (rate * SECONDS)) * 1e6);
  }
  figures.set('echo 64', await flood(subject.left, subject.left, frame(64, 'echo'), isEchoReply));
  const { p50, p99 } = roundTrips(subject.left, frame(64, 'echo'), isEchoReply);
  figures.set('rtt-p50 64', p50);
  figures.set('rtt-p99 64', p99);
  return figures;
}

if (process.getuid?.() !== 0 || !existsSync('/dev/net/tun')) {
  console.error('needs root and /dev/net/tun');
  process.exit(3);
}
try {
  pin(process.pid, 0);
  const results = new Map<string, Map<string, number>>();
  for (const make of [linux, kame]) {
    const subject = await make();
    try {
      results.set(subject.name, await measure(subject));
    } finally {
      subject.left.close();
      subject.right.close();
      await subject.end();
    }
  }
  const of = (name: string, figure: string): number => results.get(name)!.get(figure)!;
  const rows: BenchRow[] = [
    ...[64, 1294].map((bytes) => ({
      test: 'forward',
      bytes,
      kame: of('kame', `forward ${bytes}`),
      linux: of('linux', `forward ${bytes}`),
      unit: 'packets/s',
    })),
    { test: 'echo', bytes: 64, kame: of('kame', 'echo 64'), linux: of('linux', 'echo 64'), unit: 'replies/s' },
    { test: 'round trip p50', bytes: 64, kame: of('kame', 'rtt-p50 64'), linux: of('linux', 'rtt-p50 64'), unit: 'µs' },
    { test: 'round trip p99', bytes: 64, kame: of('kame', 'rtt-p99 64'), linux: of('linux', 'rtt-p99 64'), unit: 'µs' },
  ];
  const cpuPerPacket = of('kame', 'forward-cpu 64');
  if (options.json) {
    const run = { ...benchRun('forward', rows), seconds: SECONDS, cpuPerPacket };
    appendHistory(historyFile(join(import.meta.dirname, '../../results')), run);
    console.log(JSON.stringify(run, undefined, 2));
  } else {
    console.log(
      `${release()}, node ${process.version}, ${cpus()[0]?.model}, ${cpus().length} processors, ${SECONDS} s a test`,
    );
    console.log('test             bytes         kame        linux   kame/linux');
    for (const { test, bytes, kame: ours, linux: theirs, unit } of rows) {
      console.log(
        `${test.padEnd(16)} ${`${bytes}`.padStart(5)} ${figure(ours)} ${figure(theirs)}   ${(ours / theirs).toFixed(2).padStart(6)}  ${unit}`,
      );
    }
    console.log(`kame: ${cpuPerPacket.toFixed(2)} µs of processor for each forwarded 64-byte packet`);
  }
} finally {
  for (const name of namespaces) deleteNamespace(name);
}

function figure(value: number): string {
  return value.toFixed(value < 1000 ? 1 : 0).padStart(12);
}
