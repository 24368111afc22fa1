import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as Pcapng from '#stack/wire/pcapng.ts';
import { frames } from './vectors/frames.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** 2001-09-09 01:46:40 and a bit that only nanoseconds hold. */
const TIME = 1_000_000_000_123_456_789n;

describe('pcapng blocks', () => {
  test('a section header without options', () =>
    expect(hex(Pcapng.sectionHeader())).toBe('0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000'));

  test('an interface with its name and resolution, padded to words', () =>
    expect(hex(Pcapng.interfaceDescription({ linkType: 'raw', name: 'tun0', resolution: 6 }))).toBe(
      '01000000' +
        '28000000' +
        '65000000' +
        '00000000' +
        '02000400' +
        '74756e30' +
        '09000100' +
        '06000000' +
        '00000000' +
        '28000000',
    ));

  test('a packet with an odd length and a comment', () =>
    expect(
      hex(Pcapng.enhancedPacket({ interface: 2, time: TIME, bytes: Uint8Array.of(1, 2, 3, 4, 5), comments: ['x'] })),
    ).toBe(
      '06000000' +
        '34000000' +
        '02000000' +
        'b3b6e00d' +
        '15cdbfae' +
        '05000000' +
        '05000000' +
        '0102030405000000' +
        '01000100' +
        '78000000' +
        '00000000' +
        '34000000',
    ));

  test('milliseconds become nanoseconds without loss', () => {
    expect(Pcapng.nanoseconds(0)).toBe(0n);
    expect(Pcapng.nanoseconds(1.5)).toBe(1_500_000n);
    expect(Pcapng.nanoseconds(1_700_000_000_000)).toBe(1_700_000_000_000_000_000n);
  });

  test('every block is whole words and says its length twice', () => {
    for (const { bytes, name } of frames) {
      const block = Pcapng.enhancedPacket({ interface: 0, time: TIME, bytes, comments: [name, 'again'] });
      const v = new DataView(block.buffer);
      expect(block.length % 4).toBe(0);
      expect(v.getUint32(4, true)).toBe(block.length);
      expect(v.getUint32(block.length - 4, true)).toBe(block.length);
    }
  });
});

/** Sections as a run writes them: two interfaces, every vector, what was lost. */
function capture(): Uint8Array {
  const blocks = [
    Pcapng.sectionHeader({ comments: ['seed 42', 'cell nud'], hardware: 'x', os: 'none', application: 'kamelab' }),
    Pcapng.interfaceDescription({ linkType: 'ethernet', name: 'lan0', description: 'hosts' }),
    Pcapng.interfaceDescription({ linkType: 'raw', name: 'tun0', resolution: 6 }),
    ...frames.map(({ bytes, name }, index) =>
      Pcapng.enhancedPacket({ interface: 0, time: TIME + BigInt(index), bytes, comments: [name] }),
    ),
    Pcapng.enhancedPacket({ interface: 1, time: TIME, resolution: 6, bytes: frames[0]!.bytes.subarray(14) }),
    Pcapng.interfaceStatistics({ interface: 0, time: TIME, received: BigInt(frames.length), dropped: 0n }),
    Pcapng.interfaceStatistics({ interface: 1, time: TIME, resolution: 6, received: 1n, dropped: 7n }),
  ];
  return new Uint8Array(Buffer.concat(blocks));
}

test('the same frames give the same file', () => expect(hex(capture())).toBe(hex(capture())));

const missing = spawnSync('tshark', ['--version']).error !== undefined;

describe.skipIf(missing)(
  `Wireshark reads what is written${missing ? ' (skipped: tshark is not installed)' : ''}`,
  () => {
    let folder = '';
    let file = '';
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'pcapng-'));
      file = join(folder, 'capture.pcapng');
      writeFileSync(file, capture());
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const run = (command: string, ...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${command}: ${stderr}`);
      return stdout;
    };

    test('capinfos finds the comments, both interfaces and nothing lost on the way', () => {
      const text = run('capinfos', file);
      expect(text).toContain(`Number of packets:   ${frames.length + 1}`);
      expect(text).toContain('seed 42');
      expect(text).toContain('kamelab');
      expect(text).toMatch(/Number of interfaces in file: 2/);
      expect(text).toMatch(/Name = lan0[\s\S]*Encapsulation = Ethernet[\s\S]*Time precision = nanoseconds \(9\)/);
      expect(text).toMatch(/Name = tun0[\s\S]*Encapsulation = Raw IP[\s\S]*Time precision = microseconds \(6\)/);
    });

    test('tshark shows times to the nanosecond, interface names and comments', () => {
      const fields = ['frame.time_epoch', 'frame.interface_name', 'frame.comment', 'frame.protocols'];
      const lines = run('tshark', '-r', file, '-T', 'fields', ...fields.flatMap((field) => ['-e', field]))
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
      expect(lines.length).toBe(frames.length + 1);
      expect(lines[0]!.slice(0, 3)).toEqual(['1000000000.123456789', 'lan0', 'echo request']);
      expect(lines[5]!.slice(0, 3)).toEqual(['1000000000.123456794', 'lan0', 'solicitation']);
      expect(lines.at(-1)).toEqual(['1000000000.123456000', 'tun0', '', 'raw:ipv6:icmpv6:data']);
    });
  },
);
