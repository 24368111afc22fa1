/** Finds the way of packets by the errors of routers that a growing hop limit provokes. traceroute6(8), with UDP probes. */
import { Timer } from '#stack/env/clock.ts';
import { equal } from '#stack/wire/address.ts';
import { TimeExceeded, Type, Unreachable } from '#stack/wire/icmp6.ts';
import { type ScopedAddress, type SocketError, type System, SystemError, type UdpSocket } from '../system.ts';
import { formatAddress, parseAddress } from './address-text.ts';
import { getopt, integer, type Options, seconds, ToolError, UsageError } from './options.ts';
import { later, tool } from './tool.ts';

const USAGE = `usage: traceroute6 [-n] [-f firsthop] [-m hoplimit] [-p port] [-q probes] [-s src] [-w waittime] target [datalen]
`;

const PORT = 33_434;
const DEFAULT_LENGTH = 12;
/** Gap between probes, in milliseconds: routers limit the rate of errors. */
const PACE = 1;

export const traceroute6 = tool('traceroute6', USAGE, (system, argv) => {
  const options = getopt(argv, 'f:m:nlp:q:s:vw:');
  if (options.operands.length < 1 || options.operands.length > 2) throw new UsageError('');
  new Traceroute(system, options).start();
  return undefined;
});

class Traceroute {
  readonly #system: System;
  readonly #socket: UdpSocket;
  readonly #to: ScopedAddress;
  readonly #source: Uint8Array;
  readonly #fixedSource: boolean;
  readonly #maximum: number;
  readonly #probes: number;
  readonly #wait: number;
  readonly #payload: Uint8Array;
  #port: number;
  #hops: number;
  #probe = 0;
  #sentAt = 0;
  #lastFrom: Uint8Array | undefined;
  #arrived = false;
  #unreachable = 0;
  readonly #next = new Timer(() => later(this.#system, 'traceroute6', () => this.#send()));
  readonly #timeout = new Timer(() => later(this.#system, 'traceroute6', () => this.#answered(' *')));

  constructor(system: System, options: Options) {
    const kernel = system.kernel;
    this.#system = system;
    this.#to = parseAddress(kernel, options.operands[0]!);
    const source = options.has('s') ? parseAddress(kernel, options.value('s')!) : kernel.sourceFor(this.#to);
    if (source === undefined) throw new ToolError(`${formatAddress(this.#to)}: No route to host`);
    this.#source = source.address;
    this.#fixedSource = options.has('s');
    this.#maximum = integer(options.value('m') ?? '64', 'hop limit', 1, 255);
    this.#hops = integer(options.value('f') ?? '1', 'first hop', 1, this.#maximum);
    this.#probes = integer(options.value('q') ?? '3', 'probes', 1, 100);
    this.#wait = seconds(options.value('w') ?? '5', 'wait time');
    this.#port = integer(options.value('p') ?? String(PORT), 'port', 1, 65_535);
    this.#payload = new Uint8Array(integer(options.operands[1] ?? String(DEFAULT_LENGTH), 'datalen', 0, 65_000));
    this.#socket = kernel.openUdp();
    this.#socket.bind({ address: this.#fixedSource ? this.#source : new Uint8Array(16), zone: source.zone }, 0);
  }

  start(): void {
    const to = formatAddress(this.#to);
    this.#system.out(
      `traceroute6 to ${to} (${to}) from ${formatAddress({ address: this.#source, zone: this.#to.zone })}, ` +
        `${this.#maximum} hops max, ${this.#payload.length} byte packets\n`,
    );
    this.#socket.onError((error) => later(this.#system, 'traceroute6', () => this.#error(error)));
    this.#socket.onReceive(() => later(this.#system, 'traceroute6', () => this.#final(this.#to, '')));
    this.#send();
  }

  #send(): undefined {
    if (this.#probe === 0) this.#system.out(String(this.#hops).padStart(2));
    this.#sentAt = this.#system.clock.now;
    this.#port = this.#port >= 65_535 ? PORT : this.#port + 1;
    const options = { hopLimit: this.#hops, ...(this.#fixedSource ? { source: this.#source } : {}) };
    this.#system.clock.arm(this.#timeout, this.#wait);
    try {
      this.#socket.send(this.#payload, this.#to, this.#port, options);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new ToolError(`sendto: ${error.message}`);
    }
  }

  #error(error: SocketError): undefined {
    // answers that come late are about another port
    if (!this.#timeout.armed || portOf(error.quoted) !== this.#port) return;
    if (error.type === Type.timeExceeded && error.icmpCode === TimeExceeded.hopLimit) this.#from(error.from, '');
    else if (error.type === Type.unreachable)
      this.#final(error.from, UNREACHABLE_MARKS[error.icmpCode] ?? ` !<${error.icmpCode}>`);
    else if (error.type === Type.packetTooBig) this.#final(error.from, ` !F-${error.parameter}`);
  }

  /** The end of the way: the target itself, or a router that knows no further. */
  #final(from: ScopedAddress, mark: string): undefined {
    if (!this.#timeout.armed) return;
    if (mark === '') this.#arrived = true;
    else this.#unreachable++;
    this.#from(from, mark);
  }

  #from(from: ScopedAddress, mark: string): void {
    const trip = (this.#system.clock.now - this.#sentAt).toFixed(3);
    const known = this.#lastFrom !== undefined && equal(this.#lastFrom, from.address);
    this.#lastFrom = from.address;
    this.#answered(`${known ? '' : `  ${formatAddress(from)}`}  ${trip} ms${mark}`);
  }

  #answered(text: string): undefined {
    const { clock } = this.#system;
    clock.disarm(this.#timeout);
    this.#system.out(text);
    this.#probe++;
    if (this.#probe === this.#probes) {
      this.#system.out('\n');
      if (
        this.#arrived ||
        (this.#unreachable >= this.#probes - 1 && this.#unreachable > 0) ||
        this.#hops >= this.#maximum
      ) {
        return this.#system.exit(0) as undefined;
      }
      this.#hops++;
      this.#probe = 0;
      this.#unreachable = 0;
      this.#lastFrom = undefined;
    }
    clock.arm(this.#next, PACE);
  }
}

/** Port unreachable is how the target answers. */
const UNREACHABLE_MARKS: Readonly<Record<number, string>> = {
  [Unreachable.noRoute]: ' !N',
  [Unreachable.prohibited]: ' !P',
  [Unreachable.beyondScope]: ' !S',
  [Unreachable.address]: ' !A',
  [Unreachable.port]: '',
};

/** The destination port of a quoted UDP packet: probes have no extension headers. */
function portOf(quoted: Uint8Array): number | undefined {
  const at = 40;
  return quoted.length >= at + 4 ? (quoted[at + 2]! << 8) | quoted[at + 3]! : undefined;
}
