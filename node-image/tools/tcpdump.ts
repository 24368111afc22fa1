/** Prints frames as they go in and out. tcpdump(8), with the filter expressions of frame-filter.ts. */
import { decode, type LinkType } from '#stack/wire/decode.ts';
import { dump } from '#stack/wire/dump.ts';
import type { CapturedFrame, System } from '../system.ts';
import { parseFilter } from './frame-filter.ts';
import { getopt, integer, type Options } from './options.ts';
import { tool } from './tool.ts';

const USAGE = 'usage: tcpdump [-elnqtvx] [-c count] [-i interface] [expression]\n';

const ETHERNET_HEADER = 14;

export const tcpdump = tool('tcpdump', USAGE, (system, argv) => {
  const options = getopt(argv, 'c:ei:lnqts:vx');
  capture(system, options);
  return undefined;
});

function capture(system: System, options: Options): void {
  const kernel = system.kernel;
  const name = options.value('i') ?? 'any';
  const wanted = parseFilter(options.operands.join(' '));
  const limit = options.has('c') ? integer(options.value('c')!, 'count', 1) : Number.POSITIVE_INFINITY;
  const any = name === 'any';
  let captured = 0;
  const end = (): void => {
    system.error(`${captured} packet${captured === 1 ? '' : 's'} captured\n`);
    system.exit(0);
  };
  kernel.openCapture(any ? '' : name, (frame) => {
    if (captured >= limit || !wanted(decode(frame.bytes, linkType(frame)))) return;
    captured++;
    system.out(frameLines(system, options, frame, any));
    if (captured === limit) end();
  });
  system.onInterrupt(end);
  const type = any ? 'any' : kernel.interface(name).kind === 'ethernet' ? 'EN10MB (Ethernet)' : 'RAW (Raw IP)';
  system.error(`tcpdump: listening on ${name}, link-type ${type}\n`);
}

function frameLines(system: System, options: Options, frame: CapturedFrame, any: boolean): string {
  const { bytes } = frame;
  const stamp = options.has('t') ? '' : `${new Date(system.date).toISOString().slice(11, 23)} `;
  const where = any ? `${frame.interface} ${frame.outgoing ? 'Out' : 'In '} ` : '';
  const link = options.has('e');
  let text = `${stamp}${where}${dump(bytes, linkType(frame), { link, verbose: options.has('v') })}\n`;
  // -x: the packet, -xx: the link-layer header, too
  if (options.has('x'))
    text += hex(options.count('x') > 1 || frame.medium === 'ip' ? bytes : bytes.subarray(ETHERNET_HEADER));
  return text;
}

const linkType = ({ medium }: CapturedFrame): LinkType => (medium === 'ip' ? 'raw' : 'ethernet');

/** 16 bytes a line, in pairs. */
function hex(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 16) {
    const line = [...bytes.subarray(at, at + 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    text += `\t0x${at.toString(16).padStart(4, '0')}:  ${line.match(/.{1,4}/g)!.join(' ')}\n`;
  }
  return text;
}
