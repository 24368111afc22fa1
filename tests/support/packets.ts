/** Building packets for tests, layer by layer; right by default, and wrong in any one field on demand. */
import { address } from '#stack/wire/address.ts';
import { transport6, udp as udpChecksum } from '#stack/wire/checksum.ts';
import * as Fragment from '#stack/wire/fragment.ts';
import * as Icmp6 from '#stack/wire/icmp6.ts';
import * as Ip6 from '#stack/wire/ip6.ts';
import { NextHeader } from '#stack/wire/next-header.ts';
import * as Udp from '#stack/wire/udp.ts';

export interface Layer {
  /** Its next header number. */
  readonly protocol: number;
  build(next: number): Uint8Array;
  /** Where its checksum goes, of an upper layer. */
  readonly checksumAt?: number;
}

export interface Header {
  readonly src: string;
  readonly dst: string;
  readonly hops?: number;
  readonly version?: number;
  /** Instead of the real one. */
  readonly payloadLength?: number;
  /** Instead of the first layer's. */
  readonly next?: number;
  /** The destination of the pseudo-header, with a routing header. */
  readonly final?: string;
}

export function packet(header: Header, ...layers: Layer[]): Uint8Array {
  let next: number = NextHeader.none;
  let payload = new Uint8Array(0);
  for (const layer of layers.toReversed()) {
    const bytes = layer.build(next);
    if (layer.checksumAt !== undefined) {
      const whole = concat(new Uint8Array(40), bytes, payload);
      const view = new DataView(whole.buffer);
      whole.set(address(header.src), Ip6.SOURCE);
      whole.set(address(header.final ?? header.dst), Ip6.DESTINATION);
      const sum = transport6(view, 0, 40, whole.length - 40, layer.protocol);
      view.setUint16(40 + layer.checksumAt, layer.protocol === NextHeader.udp ? udpChecksum(sum) : sum);
      bytes.set(whole.subarray(40, 40 + bytes.length));
    }
    payload = concat(bytes, payload);
    next = layer.protocol;
  }
  const head = new Uint8Array(40);
  const view = new DataView(head.buffer);
  const length = header.payloadLength ?? payload.length;
  Ip6.write(view, 0, length & 0xffff, header.next ?? next, header.hops ?? 64);
  if (header.version !== undefined) head[0] = header.version << 4;
  head.set(address(header.src), Ip6.SOURCE);
  head.set(address(header.dst), Ip6.DESTINATION);
  return concat(head, payload);
}

/** An ICMPv6 message of `type`: 4 bytes behind the checksum from `word`, then `data`. */
export const icmp6 = (type: number, code = 0, word = 0, data: Uint8Array = new Uint8Array(0)): Layer => ({
  protocol: NextHeader.icmp6,
  checksumAt: Icmp6.CHECKSUM,
  build() {
    const bytes = concat(new Uint8Array(8), data);
    Icmp6.write(new DataView(bytes.buffer), 0, type, code, word);
    return bytes;
  },
});

export const echoRequest = (size = 8, id = 0x1234, seq = 1): Layer =>
  icmp6(Icmp6.Type.echoRequest, 0, ((id << 16) | seq) >>> 0, pattern(size));

export const udp = (source: number, destination: number, size = 8): Layer => ({
  protocol: NextHeader.udp,
  checksumAt: Udp.CHECKSUM,
  build() {
    const bytes = concat(new Uint8Array(8), pattern(size));
    Udp.write(new DataView(bytes.buffer), 0, source, destination, bytes.length);
    return bytes;
  },
});

/** Options header with the given bytes of options, padded to a multiple of 8. */
export const options = (protocol: number, ...bytes: number[]): Layer => ({
  protocol,
  build(next) {
    const length = Math.ceil((2 + bytes.length) / 8) * 8;
    const header = new Uint8Array(length);
    header.set([next, length / 8 - 1, ...bytes]);
    const left = length - 2 - bytes.length;
    if (left > 1) header.set([1, left - 2], 2 + bytes.length);
    return header;
  },
});
export const hopByHop = (...bytes: number[]): Layer => options(NextHeader.hopByHop, ...bytes);
export const destinationOptions = (...bytes: number[]): Layer => options(NextHeader.destinationOptions, ...bytes);

export const routing = (type: number, left: number, ...hops: string[]): Layer => ({
  protocol: NextHeader.routing,
  build(next) {
    const header = new Uint8Array(8 + 16 * hops.length);
    header.set([next, hops.length * 2, type, left]);
    for (const [index, hop] of hops.entries()) header.set(address(hop), 8 + 16 * index);
    return header;
  },
});

export const fragment = (offset: number, more: boolean, id = 1, next?: number): Layer => ({
  protocol: NextHeader.fragment,
  build(following) {
    const header = new Uint8Array(8);
    Fragment.write(new DataView(header.buffer), 0, next ?? following, offset, more, id);
    return header;
  },
});

/** Bytes as they are, under any next header number. */
export const raw = (protocol: number, bytes: Uint8Array | readonly number[] = []): Layer => ({
  protocol,
  build: () => Uint8Array.from(bytes),
});

/** Bytes that differ from their neighbors, so that a shift shows. */
export const pattern = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, at) => (at * 7 + 3) & 0xff);

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
