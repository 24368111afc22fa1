/** Wireshark's dissectors as a judge of captures. */
import { spawnSync } from 'node:child_process';

/** Groups of expert information, as epan/proto.h numbers them. */
const MALFORMED = '0x07000000';
const CHECKSUM = '0x01000000';

const COMPLAINT = [
  '_ws.malformed',
  `_ws.expert.group == ${MALFORMED}`,
  `_ws.expert.group == ${CHECKSUM}`,
  'icmpv6.checksum.status == "Bad"',
  'udp.checksum.status == "Bad"',
].join(' || ');

function tshark(...argv: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('tshark', argv, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`tshark: ${stderr}`);
  return stdout;
}

/**
 * A line for each frame of the capture that is malformed or has a bad checksum; empty for a good one. `among`: a display filter.
 * What is quoted in an ICMPv6 error counts as its sender's.
 */
export function complaints(path: string, among = ''): string {
  const filter = among === '' ? COMPLAINT : `(${among}) && (${COMPLAINT})`;
  return tshark('-r', path, '-o', 'udp.check_checksum:TRUE', '-Y', filter);
}
