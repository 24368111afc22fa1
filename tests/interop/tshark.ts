/** Wireshark's dissectors as a judge of captures. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Groups of expert information, as epan/proto.h numbers them. */
const MALFORMED = 0x07000000;
const CHECKSUM = 0x01000000;
/** Of `*.checksum.status`. */
const BAD = '0';

const FIELDS = ['_ws.malformed', '_ws.expert.group', 'icmpv6.checksum.status', 'udp.checksum.status', '_ws.col.Info'];

const run = promisify(execFile);

export interface Verdict {
  readonly frames: number;
  /** A line for each frame that is malformed or has a bad checksum, with its number. */
  readonly complaints: readonly string[];
}

export async function dissect(path: string): Promise<Verdict> {
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const options = ['-o', 'udp.check_checksum:TRUE', '-T', 'fields', '-E', 'occurrence=a', '-E', 'aggregator=;'];
  const { stdout } = await run('tshark', ['-r', path, ...options, ...fields], { maxBuffer: 1 << 26 });
  const lines = stdout.split('\n').slice(0, -1);
  const complaints: string[] = [];
  for (const [index, line] of lines.entries()) {
    const [malformed = '', groups = '', icmp6 = '', udp = '', info = ''] = line.split('\t');
    const bad = groups.split(';').some((group) => Number(group) === MALFORMED || Number(group) === CHECKSUM);
    const sums = [...icmp6.split(';'), ...udp.split(';')];
    if (malformed !== '' || bad || sums.includes(BAD)) complaints.push(`frame ${index + 1}: ${info}`);
  }
  return { frames: lines.length, complaints };
}
