/** Prints frames as they go in and out. tcpdump(8), without filter expressions. */
import { dump } from '#stack/wire/dump.ts';
import type { CapturedFrame, System } from '../system.ts';
import { getopt, integer, type Options, UsageError } from './options.ts';
import { tool } from './tool.ts';

const USAGE = 'usage: tcpdump [-elnqtvx] [-c count] [-i interface]\n';

export const tcpdump = tool('tcpdump', USAGE, (system, argv) => {
  const options = getopt(argv, 'c:ei:lnqts:vx');
  if (options.operands.length > 0) throw new UsageError('filter expressions are not known');
  capture(system, options);
  return undefined;
});

function capture(system: System, options: Options): void {
  const kernel = system.kernel;
  const name = options.value('i') ?? 'any';
  const limit = options.has('c') ? integer(options.value('c')!, 'count', 1) : Number.POSITIVE_INFINITY;
  const any = name === 'any';
  let captured = 0;
  const end = (): void => {
    system.error(`${captured} packet${captured === 1 ? '' : 's'} captured\n`);
    system.exit(0);
  };
  kernel.openCapture(any ? '' : name, (frame) => {
    if (captured >= limit) return;
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
  let text = `${stamp}${where}${dump(bytes, frame.medium === 'ip' ? 'raw' : 'ethernet', { link, verbose: options.has('v') })}\n`;
  if (options.has('x')) text += hex(bytes);
  return text;
}

/** 16 bytes a line, in pairs. */
function hex(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 16) {
    const line = [...bytes.subarray(at, at + 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    text += `\t0x${at.toString(16).padStart(4, '0')}:  ${line.match(/.{1,4}/g)!.join(' ')}\n`;
  }
  return text;
}
