import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dump } from '#stack/wire/dump.ts';
import { frames } from './vectors/frames.ts';

/** tcpdump's output by frame: `-#` puts a number in front of each. */
function golden(name: string): string[] {
  const text = readFileSync(new URL(`./vectors/frames.${name}.txt`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split(/^ {1,4}\d+ {2}/m)
    .slice(1)
    .map((frame) => frame.replace(/\n$/, ''));
}

/** Where we leave tcpdump, and why; what is compared is the text before the place named here. */
const differs: Readonly<Record<string, readonly [before: string, why: string]>> = {
  'unreachable, source policy': ['unknown unreach', 'it has no name for code 5 of RFC 4443'],
  'unreachable, reject route': ['unknown unreach', 'it has no name for code 6 of RFC 4443'],
  'unreachable, unknown code': [' (9)', 'it adds a hexadecimal dump'],
  'unreachable, port of ICMPv6': [' [|icmp6]', 'it takes a whole quotation for a cut one'],
  redirect: ['0x0000:', 'its hexadecimal dump starts in the option before'],
  'cut solicitation': [', length 24', 'it prints the length that is claimed'],
  'home address': ['[bad icmp6', 'the checksum is over the home address, RFC 6275 11.3.1'],
  'routing header, no segments left': ['[bad icmp6', 'the checksum is over the destination there is, RFC 8200 8.1'],
};

const forms = [
  ['plain', {}],
  ['link', { link: true }],
  ['verbose', { verbose: true }],
] as const;

describe.each(forms)('IP-17 the %s dump of a frame is what tcpdump prints', (name, options) => {
  const expected = golden(name);

  test('there is one for each frame', () => expect(expected.length).toBe(frames.length));

  test.each(frames.map((frame, index) => [frame.name, frame.bytes, expected[index]!] as const))(
    '%s',
    (frame, bytes, text) => {
      const [before] = differs[frame] ?? [''];
      const end = before === '' ? -1 : text.indexOf(before);
      const ours = dump(bytes, 'ethernet', options);
      if (end < 0) expect(ours).toBe(text);
      else expect(ours.slice(0, end)).toBe(text.slice(0, end));
    },
  );
});

test.each(['home address', 'routing header, no segments left'])('the checksum behind a %s is right', (name) => {
  const { bytes } = frames.find((frame) => frame.name === name)!;
  expect(dump(bytes, 'ethernet', { verbose: true })).toContain('[icmp6 sum ok]');
});

test('a raw IP packet is dumped as the same packet on Ethernet', () => {
  for (const { name, bytes } of frames) {
    if (!/^(echo|solicitation|MLD|UDP|TCP|IPv4 echo)/.test(name)) continue;
    expect(dump(bytes.subarray(14), 'raw')).toBe(dump(bytes, 'ethernet'));
  }
});

test('codes that tcpdump does not know are named by RFC 4443', () => {
  const text = (name: string): string => dump(frames.find((frame) => frame.name === name)!.bytes);
  expect(text('unreachable, source policy')).toContain('source address failed policy 2001:db8::1, length 112');
  expect(text('unreachable, reject route')).toContain('reject route 2001:db8::2, length 112');
  expect(text('unreachable, unknown code')).toContain('unknown unreach code (9), length 112');
  expect(text('unreachable, port of ICMPv6')).toContain('unreachable port, 2001:db8::2 protocol 58, length 112');
});
