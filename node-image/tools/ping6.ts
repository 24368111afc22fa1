/** Sends echo requests and prints the replies. KAME: ping6(8), without node information queries. */
import { Timer } from '#stack/env/clock.ts';
import { equal } from '#stack/wire/address.ts';
import * as Icmp6 from '#stack/wire/icmp6.ts';
import * as Ip6 from '#stack/wire/ip6.ts';
import { NextHeader } from '#stack/wire/next-header.ts';
import {
  type Kernel,
  type RawSocket,
  type Received,
  type ScopedAddress,
  type SendOptions,
  type System,
  SystemError,
} from '../system.ts';
import { formatAddress, isZoned, parseAddress } from './address-text.ts';
import { icmp6ErrorText } from './icmp6-text.ts';
import { getopt, integer, type Options, seconds, ToolError, UsageError } from './options.ts';
import { later, tool } from './tool.ts';

const USAGE = `usage: ping6 [-DfHmnoqv] [-b bufsiz] [-c count] [-h hoplimit] [-I interface] [-i wait]
             [-p pattern] [-S sourceaddr] [-s packetsize] [-W wait] [-X timeout] host
`;

const DEFAULT_SIZE = 8;
/** The largest whose checksum and length one packet or jumbogram of lo0 can hold. */
const LARGEST = 131_000;
/** Wait for the last replies, in milliseconds, when none has come so far. KAME: MAXWAIT. */
const MAXIMUM_WAIT = 10_000;
const FLOOD_INTERVAL = 10;
const SEQUENCES = 0x1_0000;

export const ping6 = tool('ping6', USAGE, (system, argv) => {
  const options = getopt(argv, 'b:c:DfHh:I:i:mnop:qS:s:vW:X:');
  if (options.operands.length !== 1) throw new UsageError('');
  new Ping(system, options).start();
  return undefined;
});

class Ping {
  readonly #system: System;
  readonly #socket: RawSocket;
  readonly #to: ScopedAddress;
  readonly #send: SendOptions;
  readonly #count: number;
  readonly #interval: number;
  readonly #flood: boolean;
  readonly #quiet: boolean;
  readonly #verbose: boolean;
  readonly #one: boolean;
  /** For the last replies; undefined: as long as the round trips so far tell. */
  readonly #lastWait: number | undefined;
  readonly #identifier: number;
  readonly #message: Uint8Array;
  readonly #view: DataView;
  readonly #header: string;

  #transmitted = 0;
  #received = 0;
  #duplicates = 0;
  readonly #sentAt = new Float64Array(SEQUENCES).fill(Number.NaN);
  readonly #seen = new Uint8Array(SEQUENCES);
  #least = Number.POSITIVE_INFINITY;
  #most = 0;
  #sum = 0;
  #squares = 0;
  readonly #next = new Timer(() => later(this.#system, 'ping6', () => this.#tick()));
  readonly #end: Timer;

  constructor(system: System, options: Options) {
    const kernel = system.kernel;
    this.#system = system;
    const out = options.value('I');
    if (out !== undefined) kernel.interface(out);
    const to = parseAddress(kernel, options.operands[0]!);
    this.#to = out !== undefined && to.zone === '' && isZoned(to.address) ? { ...to, zone: out } : to;
    const source = options.has('S') ? ownAddress(kernel, options.value('S')!) : kernel.sourceFor(this.#to);
    if (source === undefined) throw new ToolError(`${formatAddress(this.#to)}: No route to host`);
    const size = integer(options.value('s') ?? String(DEFAULT_SIZE), 'packet size', 0, LARGEST);
    const hops = options.value('h');
    this.#send = {
      ...(hops === undefined ? {} : { hopLimit: integer(hops, 'hop limit', 0, 255) }),
      ...(options.has('S') ? { source: source.address } : {}),
      ...(out === undefined ? {} : { interface: out }),
      // KAME fragments at 1280 unless told -m
      ...(options.has('m') || options.has('D') ? {} : { minMtu: true }),
      ...(options.has('D') ? { dontFragment: true } : {}),
    };
    this.#count = options.has('c') ? integer(options.value('c')!, 'count', 1) : Number.POSITIVE_INFINITY;
    this.#flood = options.has('f');
    this.#interval = this.#flood ? FLOOD_INTERVAL : seconds(options.value('i') ?? '1', 'interval');
    if (!this.#flood && this.#interval < 1) throw new ToolError('interval must be a millisecond or more');
    this.#quiet = options.has('q');
    this.#verbose = options.has('v');
    this.#one = options.has('o');
    const lastWait = options.value('W');
    this.#lastWait = lastWait === undefined ? undefined : seconds(lastWait, 'wait');
    this.#identifier = system.random.u32() & 0xffff;
    this.#message = new Uint8Array(Icmp6.HEADER + size);
    this.#view = new DataView(this.#message.buffer);
    this.#fill(options.value('p'));
    this.#header = `PING6(${Ip6.LENGTH + Icmp6.HEADER + size}=40+8+${size} bytes) ${formatAddress(source)} --> ${formatAddress(this.#to)}\n`;
    this.#end = new Timer(() => this.#finish());
    this.#socket = kernel.openRaw(NextHeader.icmp6);
    const { echoReply, unreachable, packetTooBig, timeExceeded, parameterProblem } = Icmp6.Type;
    if (!this.#verbose) this.#socket.filter([echoReply, unreachable, packetTooBig, timeExceeded, parameterProblem]);
    const timeout = options.value('X');
    if (timeout !== undefined) system.clock.arm(new Timer(() => this.#finish()), seconds(timeout, 'timeout'));
  }

  start(): void {
    this.#system.out(this.#header);
    this.#socket.onReceive((message) => later(this.#system, 'ping6', () => this.#receive(message)));
    this.#system.onInterrupt(() => this.#finish());
    this.#tick();
  }

  /** A hex pattern, or counting bytes. The first 8 are KAME's time stamp, and hold ours. */
  #fill(pattern: string | undefined): void {
    const message = this.#message;
    if (pattern === undefined) {
      for (let at = Icmp6.HEADER + 8; at < message.length; at++) message[at] = at - Icmp6.HEADER;
      return;
    }
    if (!/^([0-9a-f]{2}){1,16}$/i.test(pattern))
      throw new ToolError('patterns must be specified as hex digits, two a byte');
    const bytes = pattern.match(/../g)!.map((pair) => Number.parseInt(pair, 16));
    for (let at = Icmp6.HEADER; at < message.length; at++) message[at] = bytes[(at - Icmp6.HEADER) % bytes.length]!;
  }

  #tick(): undefined {
    const clock = this.#system.clock;
    this.#transmit();
    if (this.#transmitted < this.#count) {
      clock.arm(this.#next, this.#interval);
      return;
    }
    // the last has gone: wait for its reply, twice as long as the slowest so far
    const guess = this.#received > 0 ? Math.max(1000, 2 * this.#most) : MAXIMUM_WAIT;
    clock.arm(this.#end, this.#lastWait ?? guess);
  }

  #transmit(): void {
    const sequence = this.#transmitted++ % SEQUENCES;
    const now = this.#system.clock.now;
    this.#sentAt[sequence] = now;
    this.#seen[sequence] = 0;
    Icmp6.writeEcho(this.#view, 0, Icmp6.Type.echoRequest, this.#identifier, sequence);
    if (this.#message.length >= Icmp6.HEADER + 8) this.#view.setFloat64(Icmp6.HEADER, now);
    try {
      this.#socket.send(this.#message, this.#to, this.#send);
      if (this.#flood && !this.#quiet) this.#system.out('.');
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#system.error(`ping6: sendmsg: ${error.message}\n`);
      if (!this.#quiet)
        this.#system.out(`ping6: wrote ${formatAddress(this.#to)} ${this.#message.length} chars, ret=-1\n`);
    }
  }

  #receive(message: Received): undefined {
    const { bytes } = message;
    if (bytes.length < Icmp6.HEADER) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const type = Icmp6.type(view, 0);
    if (type === Icmp6.Type.echoReply && Icmp6.identifier(view, 0) === this.#identifier)
      this.#reply(message, Icmp6.sequence(view, 0));
    else if (this.#verbose || (Icmp6.isErrorType(type) && this.#isOurs(view, bytes.length))) {
      if (this.#quiet || type === Icmp6.Type.echoRequest || type === Icmp6.Type.echoReply) return;
      const text = Icmp6.isErrorType(type)
        ? icmp6ErrorText(type, Icmp6.code(view, 0), view.getUint32(4))
        : `ICMPv6 type ${type} code ${Icmp6.code(view, 0)}`;
      this.#system.out(`${bytes.length} bytes from ${formatAddress(message.from)}: ${text}\n`);
    }
  }

  #reply(message: Received, sequence: number): void {
    const sent = this.#sentAt[sequence]!;
    if (Number.isNaN(sent)) return;
    const trip = this.#system.clock.now - sent;
    const again = this.#seen[sequence] !== 0;
    this.#seen[sequence] = 1;
    if (again) this.#duplicates++;
    else this.#received++;
    this.#sum += trip;
    this.#squares += trip * trip;
    this.#least = Math.min(this.#least, trip);
    this.#most = Math.max(this.#most, trip);
    if (!this.#quiet) {
      if (this.#flood) this.#system.out('\b \b');
      else {
        this.#system.out(
          `${message.bytes.length} bytes from ${formatAddress(message.from)}, icmp_seq=${sequence} ` +
            `hlim=${message.hopLimit}${this.#verbose ? ` dst=${formatAddress(message.to)}` : ''} time=${trip.toFixed(3)} ms${again ? '(DUP!)' : ''}\n`,
        );
      }
    }
    if (this.#one || this.#received >= this.#count) this.#finish();
    else if (this.#flood && this.#transmitted < this.#count) this.#tick();
  }

  /** Whether the packet that an error carries is an echo request of this process. */
  #isOurs(view: DataView, length: number): boolean {
    const quoted = Icmp6.HEADER;
    if (length < quoted + Ip6.LENGTH + Icmp6.HEADER) return false;
    for (let byte = 0; byte < 16; byte++) {
      if (view.getUint8(quoted + Ip6.DESTINATION + byte) !== this.#to.address[byte]) return false;
    }
    let at = quoted + Ip6.LENGTH;
    if (Ip6.nextHeader(view, quoted) === NextHeader.fragment) {
      if (view.getUint16(at + 2) >> 3 !== 0) return true;
      at += 8;
    } else if (Ip6.nextHeader(view, quoted) !== NextHeader.icmp6) return false;
    return at + Icmp6.HEADER <= length && Icmp6.identifier(view, at) === this.#identifier;
  }

  #finish(): void {
    const system = this.#system;
    system.out(`\n--- ${formatAddress(this.#to)} ping6 statistics ---\n`);
    const loss =
      this.#transmitted === 0 ? 0 : (100 * Math.max(0, this.#transmitted - this.#received)) / this.#transmitted;
    system.out(
      `${this.#transmitted} packets transmitted, ${this.#received} packets received, ` +
        `${this.#duplicates > 0 ? `+${this.#duplicates} duplicates, ` : ''}${loss.toFixed(1)}% packet loss\n`,
    );
    const trips = this.#received + this.#duplicates;
    if (trips > 0) {
      const mean = this.#sum / trips;
      const deviation = Math.sqrt(Math.max(0, this.#squares / trips - mean * mean));
      const figures = [this.#least, mean, this.#most, deviation].map((figure) => figure.toFixed(3)).join('/');
      system.out(`round-trip min/avg/max/std-dev = ${figures} ms\n`);
    }
    system.exit(this.#received > 0 ? 0 : 2);
  }
}

/** An address that a socket may be bound to. */
function ownAddress(kernel: Kernel, text: string): ScopedAddress {
  const source = parseAddress(kernel, text);
  const own = kernel
    .interfaces()
    .filter(({ name }) => source.zone === '' || source.zone === name)
    .flatMap(({ addresses }) => addresses)
    .find((entry) => equal(entry.address, source.address));
  const usable = own !== undefined && !own.anycast && (own.state === 'preferred' || own.state === 'deprecated');
  if (!usable) throw new ToolError(`bind: ${formatAddress(source)}: Can't assign requested address`);
  return source;
}
