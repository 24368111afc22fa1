/** The adapter of each kind of node: static imports, so that a missing one is a type error. */
import { KamePeer } from '#node/peers/kame/adapter.ts';
import { LinuxPeer } from '#node/peers/linux/adapter.ts';
import type { Peer } from '#node/peers/peer.ts';
import type { LabNode } from './drivers/driver.ts';

const adapters: Readonly<Record<string, new (node: LabNode) => Peer>> = { kame: KamePeer, linux: LinuxPeer };

export function adapter(node: LabNode): Peer {
  const Adapter = adapters[node.kind];
  if (Adapter === undefined) throw new Error(`no adapter for nodes of kind '${node.kind}'`);
  return new Adapter(node);
}
