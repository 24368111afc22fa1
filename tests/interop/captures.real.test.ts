/** Wireshark reads what runs leave: nothing malformed, no bad checksum, in the kernel's world and in the simulation's. */
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { enhancedPacket, interfaceDescription, sectionHeader } from '#stack/wire/pcapng.ts';
import { concat, echoRequest, icmp6, packet, pattern, udp } from '#tests/support/packets.ts';
import { dissect } from './tshark.ts';

const KAMELAB = join(import.meta.dirname, '../../bin/kamelab.js');
/** tshark processes at once. */
const PARALLEL = 2;

const able = process.getuid?.() === 0 && existsSync('/dev/net/tun');
const folder = mkdtempSync(join(tmpdir(), 'kamelab-captures-'));

afterAll(() => rmSync(folder, { recursive: true }));

const RUNS: [driver: string, cells: string[], least: number][] = [
  [
    'process',
    [
      'resolve/tun/kame-*',
      'resolve/p2p/kame-linux/*',
      'proxy-ndp/lan/linux-kame-linux/*',
      'forward/p2p/linux-kame-linux/*',
    ],
    7,
  ],
  ['sim', [], 16],
];

/** Frames of all captures of a run, and what is wrong with them by capture. */
async function judge(paths: readonly string[]): Promise<{ frames: number; complaints: string[] }> {
  const waiting = [...paths];
  const judged = { frames: 0, complaints: [] as string[] };
  const worker = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const { frames, complaints } = await dissect(path);
      judged.frames += frames;
      const name = `${basename(dirname(path))}/${basename(path)}`;
      judged.complaints.push(...complaints.map((complaint) => `${name}: ${complaint}`));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return judged;
}

describe.runIf(able)('captures of a run', () => {
  test.concurrent.each(RUNS)('tshark finds nothing wrong in what %s cells leave', async (driver, cells, least) => {
    const output = join(folder, driver);
    const child = spawn(process.execPath, [KAMELAB, 'run', '--driver', driver, '--output', output, ...cells]);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
    }
    await new Promise((resolve) => child.once('close', resolve));
    // verdicts are another test's; a cell that failed has captures as well
    const captures = globSync(join(output, 'latest/cells/*/*.pcapng'));
    expect(captures.length, said).toBeGreaterThanOrEqual(least);
    const { frames, complaints } = await judge(captures);
    expect(frames).toBeGreaterThan(captures.length * 2);
    expect(complaints).toEqual([]);
  });
});

describe.runIf(able)('the judge', () => {
  const ends = { src: '2001:db8::1', dst: '2001:db8::2' };
  const altered = (bytes: Uint8Array): Uint8Array => {
    bytes[bytes.length - 1]! ^= 1;
    return bytes;
  };
  const solicitation = (...option: number[]): Uint8Array =>
    packet({ ...ends, hops: 255 }, icmp6(135, 0, 0, concat(pattern(16), Uint8Array.from(option))));
  test.each<[title: string, bytes: Uint8Array, complaints: number]>([
    ['a good echo', packet(ends, echoRequest()), 0],
    ['a bad checksum of ICMPv6', altered(packet(ends, echoRequest())), 1],
    ['a bad checksum of UDP', altered(packet(ends, udp(1, 9))), 1],
    ['an option of length 0', solicitation(1, 0, 2, 0, 0, 0, 0, 1), 1],
    ['an option cut short', solicitation(1, 1, 2), 1],
  ])('sees %s', async (_, bytes, complaints) => {
    const path = join(folder, 'judge.pcapng');
    const blocks = [
      sectionHeader(),
      interfaceDescription({ name: 'tap0', linkType: 'raw' }),
      enhancedPacket({ interface: 0, time: 0n, bytes }),
    ];
    writeFileSync(path, concat(...blocks));
    expect((await dissect(path)).complaints).toHaveLength(complaints);
  });
});
