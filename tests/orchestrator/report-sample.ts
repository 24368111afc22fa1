/** A run as it could have been: frames built byte by byte, nodes that say what was put in their mouths. */
import { LinkRecord } from '#orchestrator/capture.ts';
import type { ExecResult, Frame, Lab, LabNode } from '#orchestrator/drivers/driver.ts';
import type { CellResult, Check, Measurement, Outcome } from '#orchestrator/outcome.ts';
import type { RunFolder, RunFolderOptions } from '#orchestrator/results.ts';
import { type Topology, topology } from '#orchestrator/topology.ts';
import { linkLocal, set, solicitedNode } from '#stack/wire/address.ts';
import * as Checksum from '#stack/wire/checksum.ts';
import * as Ethernet from '#stack/wire/ethernet.ts';
import * as Icmp6 from '#stack/wire/icmp6.ts';
import * as Ip6 from '#stack/wire/ip6.ts';
import * as Nd from '#stack/wire/nd.ts';
import { NextHeader } from '#stack/wire/next-header.ts';

export const STARTED = Date.UTC(2026, 0, 31, 12);
export const EPOCH = Date.UTC(2001, 4, 25);

export const MAC = { a: Ethernet.parseMac('02:00:00:00:00:0a')!, b: Ethernet.parseMac('02:00:00:00:00:0b')! };
const ADDRESS = { a: linkLocal(MAC.a), b: linkLocal(MAC.b) };

type Name = 'a' | 'b';

/** Ethernet and IPv6 around an ICMPv6 message, its checksum done. */
function frame(from: Name, to: Uint8Array, destination: Uint8Array, message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Ethernet.LENGTH + Ip6.LENGTH + message.length);
  const v = new DataView(bytes.buffer);
  Ethernet.write(v, 0, to, MAC[from], Ethernet.EtherType.ip6);
  const at = Ethernet.LENGTH;
  Ip6.write(v, at, message.length, NextHeader.icmp6, 255);
  set(v, at + Ip6.SOURCE, ADDRESS[from]);
  set(v, at + Ip6.DESTINATION, destination);
  const body = at + Ip6.LENGTH;
  bytes.set(message, body);
  const pseudo = Checksum.sum(v, at + Ip6.SOURCE, 32, message.length + NextHeader.icmp6);
  v.setUint16(body + Icmp6.CHECKSUM, Checksum.complement(Checksum.sum(v, body, message.length, pseudo)));
  return bytes;
}

const other = (name: Name): Name => (name === 'a' ? 'b' : 'a');

function message(length: number, write: (v: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer), bytes);
  return bytes;
}

export function solicitation(from: Name): Uint8Array {
  const target = ADDRESS[other(from)];
  const group = solicitedNode(target);
  const body = message(32, (v) => {
    Nd.writeSolicitation(v, 0);
    set(v, Nd.TARGET, target);
    Nd.writeLinkLayer(v, 24, Nd.OptionType.sourceLinkLayer, MAC[from]);
  });
  return frame(from, Ethernet.multicastMac(group), group, body);
}

export function advertisement(from: Name): Uint8Array {
  const to = other(from);
  const body = message(32, (v) => {
    v.setUint8(0, Icmp6.Type.neighborAdvertisement);
    v.setUint8(4, 0x60); // solicited, override
    set(v, Nd.TARGET, ADDRESS[from]);
    Nd.writeLinkLayer(v, 24, Nd.OptionType.targetLinkLayer, MAC[from]);
  });
  return frame(from, MAC[to], ADDRESS[to], body);
}

export function echo(from: Name, sequence: number, reply = false): Uint8Array {
  const to = other(from);
  const body = message(64, (v) => {
    v.setUint8(0, reply ? Icmp6.Type.echoReply : Icmp6.Type.echoRequest);
    v.setUint16(4, 0x1234);
    v.setUint16(6, sequence);
  });
  return frame(from, MAC[to], ADDRESS[to], body);
}

export const sampleTopology = (): Topology =>
  topology({
    name: 'sample',
    nodes: { a: { kind: 'kame', sysctls: { 'net.inet6.ip6.hlim': 64 } }, b: { kind: 'linux', forwarding: true } },
    links: {
      ab: {
        type: 'p2p',
        ends: {
          a: { mac: '02:00:00:00:00:0a', addresses: ['2001:db8:1::a/64'] },
          b: { mac: '02:00:00:00:00:0b', addresses: ['2001:db8:1::b/64'] },
        },
      },
      lan0: { type: 'lan', mtu: 1280, nodes: ['a', 'b'] },
    },
  });

/** Resolution, then echoes for some seconds, a silence, and a probe nobody answers. */
export function conversation(record: LinkRecord): void {
  record.add(12.5, solicitation('a'), 'a');
  record.add(12.9, advertisement('b'), 'b');
  for (let sequence = 1; sequence <= 3; sequence++) {
    record.add(sequence * 250, echo('a', sequence), 'a');
    record.add(sequence * 250 + 0.4, echo('b', sequence, true), 'b');
  }
  record.add(31_000, solicitation('a'), 'a');
  record.add(32_000, solicitation('a'));
}

export const HOSTILE = `<script>document.title='taken'</script><img src=x onerror="document.title='taken'"> ]]> & "quotes" \u001b[31m\u0000`;

/** What a node says when it is asked; a number of milliseconds: how long it keeps still. */
export type Answers = (command: string) => string | number | Error;

const sampleNode = (name: string, kind: string, answers: Answers): LabNode =>
  ({
    name,
    kind,
    exec: async (command: string): Promise<ExecResult> => {
      const answer = answers(command);
      if (answer instanceof Error) throw answer;
      if (typeof answer === 'string') return { code: 0, stdout: answer, stderr: '' };
      return new Promise((resolve) => setTimeout(() => resolve({ code: 0, stdout: '', stderr: '' }), answer));
    },
    log: async () => `${name}: up\n${name}: ${HOSTILE}\n`,
  }) as Partial<LabNode> as LabNode;

export function sampleLab(answers: Answers = (command) => `output of ${command}\n`): Lab {
  const nodes = new Map([
    ['a', sampleNode('a', 'kame', answers)],
    ['b', sampleNode('b', 'linux', answers)],
  ]);
  const events = [{ time: 13, node: 'a', type: 'neighbor', address: 'fe80::b', state: 'reachable' }];
  return { nodes, events, epoch: EPOCH } as Partial<Lab> as Lab;
}

export const sampleOptions: RunFolderOptions = {
  kamelab: '0.1.0',
  started: STARTED,
  host: { name: 'bench', kernel: '6.1.0', node: 'v24.0.0', drivers: 'process, sim' },
};

export interface CellSample {
  readonly scenario: string;
  readonly title: string;
  readonly variant: string;
  readonly kinds: readonly [string, string];
  readonly driver: CellResult['driver'];
  readonly outcome?: Outcome;
  readonly reason?: string;
  readonly measurements?: readonly Measurement[];
  readonly references?: readonly string[];
  readonly features?: readonly string[];
}

export function sampleResult(sample: CellSample): CellResult {
  const { scenario, title, variant, kinds, driver, outcome = 'pass', reason = '' } = sample;
  const id = `${scenario}/${variant}/${kinds.join('-')}/${driver}`;
  const checks: Check[] = [
    { time: 13, text: 'ab: a solicits b', ok: true, detail: '' },
    { time: 751, text: 'three echoes are answered', ok: true, detail: '' },
  ];
  if (outcome === 'fail') checks.push({ time: 33_000, text: 'ab: b answers a probe', ok: false, detail: reason });
  return {
    id,
    scenario,
    title,
    description: 'Whether two nodes find each other.',
    variant,
    roles: { a: kinds[0], b: kinds[1] },
    driver,
    outcome,
    reason,
    duration: 1250 + id.length,
    started: STARTED + 1000,
    seed: 7,
    references: sample.references ?? ['RFC 4861 7.2'],
    features: sample.features ?? ['ND-01', 'ND-17'],
    measurements: sample.measurements ?? [],
    checks,
    versions: { kernel: '6.1.0', node: 'v24.0.0' },
    folder: `cells/${id.replaceAll('/', '.')}`,
  };
}

const RESOLVE = { scenario: 'resolve', title: 'Address resolution and ping' };
const NUD = {
  scenario: 'nud-p2p',
  title: 'Neighbor unreachability on point-to-point links',
  references: ['RFC 4861 7.3', 'RFC 4861 10'],
  features: ['ND-02', 'ND-15'],
};
const probes = (delay: number): Measurement[] => [
  { name: 'delay before the first probe', value: delay, unit: 'ms', min: 5000, max: 5000, source: 'RFC 4861 10' },
  { name: 'silence to unreachable', value: delay + 3004, unit: 'ms', max: 9000, source: 'RFC 4861 7.3.3' },
  { name: 'probes', value: 3, unit: 'probes', min: 3, max: 3, source: 'RFC 4861 10' },
  { name: 'echoes answered', value: 3, unit: '' },
];

/** A cell of every outcome, over castings, variants and drivers. */
export const sampleCells: readonly CellResult[] = [
  ...(['p2p', 'lan'] as const).flatMap((variant) => [
    sampleResult({ ...RESOLVE, variant, kinds: ['kame', 'kame'], driver: 'sim' }),
    ...(
      [
        ['kame', 'kame'],
        ['kame', 'linux'],
        ['linux', 'kame'],
        ['linux', 'linux'],
      ] as const
    ).map((kinds) => sampleResult({ ...RESOLVE, variant, kinds, driver: 'process' })),
  ]),
  sampleResult({ ...NUD, variant: 'tap', kinds: ['kame', 'kame'], driver: 'sim', measurements: probes(5000) }),
  sampleResult({ ...NUD, variant: 'tap', kinds: ['kame', 'linux'], driver: 'process', measurements: probes(5012.4) }),
  sampleResult({
    ...NUD,
    variant: 'tap',
    kinds: ['linux', 'kame'],
    driver: 'process',
    outcome: 'fail',
    reason: `ab: b answers a probe: not seen in 3000 ms; last were: ${HOSTILE}`,
    measurements: probes(7800),
  }),
  sampleResult({
    ...NUD,
    variant: 'tun',
    kinds: ['kame', 'linux'],
    driver: 'process',
    outcome: 'inconclusive',
    reason: 'the machine stood still for 612 ms; then: not seen in 3000 ms',
  }),
  sampleResult({
    ...NUD,
    variant: 'tun',
    kinds: ['linux', 'kame'],
    driver: 'process',
    outcome: 'unsupported',
    reason: 'linux has no switch for neighbor unreachability detection on an interface',
  }),
  sampleResult({
    ...NUD,
    variant: 'tun',
    kinds: ['kame', 'kame'],
    driver: 'sim',
    outcome: 'known-fail',
    reason: 'the peer rounds its timers to seconds',
  }),
  sampleResult({
    ...NUD,
    variant: 'tun',
    kinds: ['kame', 'kame'],
    driver: 'process',
    outcome: 'harness-error',
    reason: 'Error: the container of a did not start\n    at up (docker.ts:12:5)\n    at run (cell.ts:40:3)',
  }),
  sampleResult({ ...NUD, variant: 'tun', kinds: ['linux', 'linux'], driver: 'process', outcome: 'now-passing' }),
  sampleResult({
    ...NUD,
    variant: 'tap',
    kinds: ['linux', 'linux'],
    driver: 'process',
    outcome: 'flaky',
    reason: 'failed once, then passed',
  }),
];

/** One cell as `runCell` would have written it. */
export async function writeCell(
  folder: RunFolder,
  result: CellResult,
  { lab = sampleLab(), plan = sampleTopology(), talk = conversation } = {},
): Promise<void> {
  const cell = folder.caseFolder(result);
  await cell.begin(plan);
  const link = plan.links[0]!;
  cell.step(0, 'a pings b');
  talk(new LinkRecord(link, (frame: Frame) => cell.frame(frame, EPOCH)));
  cell.step(30_500, 'b falls silent');
  await cell.evidence(lab);
  await cell.end({ ...result, folder: cell.relative });
}
