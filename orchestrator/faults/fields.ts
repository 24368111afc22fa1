/** Where the named fields of a frame lie, for faults that spoil one. */
import * as Ethernet from '#stack/wire/ethernet.ts';
import * as Fragment from '#stack/wire/fragment.ts';
import * as Ip6 from '#stack/wire/ip6.ts';
import { NextHeader } from '#stack/wire/next-header.ts';
import * as Options from '#stack/wire/options.ts';

interface Layout {
  /** Of the layer, as `start` below knows it. */
  readonly layer: 'eth' | 'ip6' | 'fragment' | 'icmp6' | 'udp' | 'tcp' | 'payload';
  readonly at: number;
  /** 0: to the end of the frame. */
  readonly length: number;
}

export const FIELDS = {
  'eth.dst': { layer: 'eth', at: 0, length: 6 },
  'eth.src': { layer: 'eth', at: 6, length: 6 },
  'eth.type': { layer: 'eth', at: 12, length: 2 },
  'ip6.payloadLength': { layer: 'ip6', at: 4, length: 2 },
  'ip6.nextHeader': { layer: 'ip6', at: 6, length: 1 },
  'ip6.hopLimit': { layer: 'ip6', at: 7, length: 1 },
  'ip6.src': { layer: 'ip6', at: 8, length: 16 },
  'ip6.dst': { layer: 'ip6', at: 24, length: 16 },
  'fragment.offset': { layer: 'fragment', at: 2, length: 2 },
  'fragment.id': { layer: 'fragment', at: 4, length: 4 },
  'icmp6.type': { layer: 'icmp6', at: 0, length: 1 },
  'icmp6.code': { layer: 'icmp6', at: 1, length: 1 },
  'icmp6.checksum': { layer: 'icmp6', at: 2, length: 2 },
  'icmp6.target': { layer: 'icmp6', at: 8, length: 16 },
  'icmp6.data': { layer: 'icmp6', at: 8, length: 0 },
  'icmp6.options': { layer: 'icmp6', at: 24, length: 0 },
  'udp.srcPort': { layer: 'udp', at: 0, length: 2 },
  'udp.dstPort': { layer: 'udp', at: 2, length: 2 },
  'udp.length': { layer: 'udp', at: 4, length: 2 },
  'udp.checksum': { layer: 'udp', at: 6, length: 2 },
  'udp.data': { layer: 'udp', at: 8, length: 0 },
  'tcp.srcPort': { layer: 'tcp', at: 0, length: 2 },
  'tcp.dstPort': { layer: 'tcp', at: 2, length: 2 },
  'tcp.seq': { layer: 'tcp', at: 4, length: 4 },
  'tcp.ack': { layer: 'tcp', at: 8, length: 4 },
  'tcp.flags': { layer: 'tcp', at: 13, length: 1 },
  'tcp.checksum': { layer: 'tcp', at: 16, length: 2 },
  /** What follows the IPv6 header and its extension headers. */
  payload: { layer: 'payload', at: 0, length: 0 },
} as const satisfies Record<string, Layout>;
export type Field = keyof typeof FIELDS;

export interface Range {
  readonly at: number;
  readonly length: number;
}

/** Undefined where the frame has no such field, or not the whole of it. */
export function rangeOf(bytes: Uint8Array, medium: 'ethernet' | 'tun', field: Field): Range | undefined {
  const { layer, at, length }: Layout = FIELDS[field];
  const start = startOf(bytes, medium, layer);
  if (start === undefined || start + at + Math.max(1, length) > bytes.length) return undefined;
  return { at: start + at, length: length === 0 ? bytes.length - start - at : length };
}

const UPPER: Readonly<Record<string, number>> = {
  icmp6: NextHeader.icmp6,
  udp: NextHeader.udp,
  tcp: NextHeader.tcp,
};

/** Also in a first fragment; a later one has a payload and no more. */
function startOf(bytes: Uint8Array, medium: 'ethernet' | 'tun', layer: Layout['layer']): number | undefined {
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  if (medium === 'ethernet') {
    if (bytes.length < Ethernet.LENGTH) return undefined;
    if (layer === 'eth') return 0;
    if (Ethernet.type(v, 0) !== Ethernet.EtherType.ip6) return undefined;
    at = Ethernet.LENGTH;
  }
  if (layer === 'eth' || at + Ip6.LENGTH > bytes.length || Ip6.version(v, at) !== 6) return undefined;
  if (layer === 'ip6') return at;
  let header = Ip6.nextHeader(v, at);
  at += Ip6.LENGTH;
  for (;;) {
    const options = header === NextHeader.hopByHop || header === NextHeader.destinationOptions;
    if (!options && header !== NextHeader.routing && header !== NextHeader.fragment) break;
    if (at + 8 > bytes.length) return undefined;
    if (header === NextHeader.fragment) {
      if (layer === 'fragment') return at;
      if (Fragment.offset(v, at) > 0) return layer === 'payload' ? at + Fragment.LENGTH : undefined;
    }
    const length = header === NextHeader.fragment ? Fragment.LENGTH : Options.headerLength(v, at);
    header = v.getUint8(at);
    at += length;
  }
  if (at >= bytes.length) return undefined;
  return layer === 'payload' || UPPER[layer] === header ? at : undefined;
}
