/**
 * Work that the stack may leave to a link: a transport checksum, and cutting one large packet into the segments that its
 * sender meant. Whatever the link at hand does not take is done here, just before the packet is sent. KAME: in6_delayed_cksum.
 */
import { HEADROOM, type Packet } from '../packet/packet.ts';
import { add, complement, sum, udp } from '../wire/checksum.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as Tcp from '../wire/tcp.ts';
import * as Udp from '../wire/udp.ts';
import type { Interface } from './interface.ts';
import type { Offload } from './link.ts';

/**
 * A link passes on what the sending station said of its packet. Believed is what lies within the upper layer alone: a checksum
 * "to be stored" in the IPv6 header would change it behind all checks.
 */
export function checkOffload(pkt: Packet): void {
  const { ip, checksumStart, checksumAt } = pkt;
  if (pkt.checksum === 'unfinished') {
    const within = checksumStart >= ip + Ip6.LENGTH && checksumAt >= checksumStart && checksumAt + 2 <= pkt.tail;
    if (!within) pkt.checksum = 'unknown';
  }
  if (pkt.checksum === 'unknown' || pkt.segmentSize <= 0) pkt.segmentKind = 'none';
}

/** Do here what the link can't: finish a transport checksum, cut a large packet into segments; then send. */
export function finish(ifp: Interface, pkt: Packet): void {
  if (pkt.segmentKind !== 'none' && !takesSegments(ifp.offload, pkt)) return cut(ifp, pkt);
  if (pkt.checksum === 'unfinished' && !ifp.offload.checksum) finishChecksum(pkt);
  ifp.link.send(pkt);
}

/** The field holds the sum of the pseudo-header (as in Linux's virtio_net_hdr); what follows is added and complemented. */
export function finishChecksum(pkt: Packet): void {
  if (pkt.checksum !== 'unfinished') return;
  const { view, checksumStart, checksumAt } = pkt;
  const checksum = complement(sum(view, checksumStart, pkt.tail - checksumStart));
  view.setUint16(checksumAt, checksumAt - checksumStart === Udp.CHECKSUM ? udp(checksum) : checksum);
  pkt.checksum = 'good';
}

/** Bytes of the largest IP packet that this one will be on the wire: its own, or those of one of its segments. */
export function segmentLength(pkt: Packet): number {
  if (pkt.segmentKind === 'none') return pkt.tail - pkt.ip;
  return payloadStart(pkt) + pkt.segmentSize - pkt.ip;
}

function takesSegments(offload: Offload, pkt: Packet): boolean {
  switch (pkt.segmentKind) {
    case 'tcp6':
      return offload.tso6;
    case 'tcp4':
      return offload.tso4;
    case 'udp':
      return offload.uso;
    case 'none':
      return true;
  }
}

function payloadStart(pkt: Packet): number {
  const { checksumStart } = pkt;
  return checksumStart + (pkt.segmentKind === 'udp' ? Udp.LENGTH : Tcp.headerLength(pkt.view, checksumStart));
}

/** One frame per segment, each with its own lengths, sequence number and checksum (RFC 9293 3.7, Linux's UDP_SEGMENT). */
function cut(ifp: Interface, pkt: Packet): void {
  const { view, head, ip, checksumStart: transport, segmentSize } = pkt;
  const payload = payloadStart(pkt);
  const sane = transport > ip && payload <= pkt.tail && segmentSize > 0 && Ip6.version(view, ip) === 6;
  if (!sane || pkt.segmentKind === 'tcp4') {
    ifp.outErrors++;
    return pkt.give();
  }
  const tcp = pkt.segmentKind === 'tcp6';
  const checksumAt = transport + (tcp ? Tcp.CHECKSUM : Udp.CHECKSUM);
  // the pseudo-header's sum without the length, which is each segment's own
  const pseudo = add(view.getUint16(checksumAt), complement(pkt.tail - transport));
  for (let at = payload; at < pkt.tail; at += segmentSize) {
    const size = Math.min(segmentSize, pkt.tail - at);
    const last = at + size === pkt.tail;
    const segment = pkt.pool.take(payload + size - HEADROOM);
    segment.head = head;
    segment.ip = ip;
    segment.tail = payload + size;
    segment.bytes.set(pkt.bytes.subarray(head, payload), head);
    segment.bytes.set(pkt.bytes.subarray(at, at + size), payload);
    Ip6.setPayloadLength(segment.view, ip, segment.tail - ip - Ip6.LENGTH);
    if (tcp) {
      Tcp.setSequence(segment.view, transport, (Tcp.sequence(view, transport) + at - payload) >>> 0);
      let flags = Tcp.flags(view, transport);
      if (at !== payload) flags &= ~Tcp.Flag.cwr;
      if (!last) flags &= ~(Tcp.Flag.fin | Tcp.Flag.psh);
      Tcp.setFlags(segment.view, transport, flags);
    } else {
      Udp.setLength(segment.view, transport, segment.tail - transport);
    }
    segment.view.setUint16(checksumAt, add(pseudo, segment.tail - transport));
    segment.checksum = 'unfinished';
    segment.checksumStart = transport;
    segment.checksumAt = checksumAt;
    if (!ifp.offload.checksum) finishChecksum(segment);
    ifp.link.send(segment);
  }
  pkt.give();
}
