/** The lab: two nodes and one link, of each kind that there is. See README.md. */

import type { Peer, PeerAddress } from '#node/peers/peer.ts';
import type { LabLink } from '#orchestrator/drivers/driver.ts';
import type { Context } from '#orchestrator/scenario.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import type { Sender } from '../frames.ts';

const ENDS = {
  a: { addresses: ['2001:db8::a/64'], mac: '02:00:00:00:00:0a' },
  b: { addresses: ['2001:db8::b/64'], mac: '02:00:00:00:00:0b' },
};

/** An Ethernet cable. */
export const p2p = (defaults: TopologySource['defaults']): TopologySource => ({
  name: 'pair',
  defaults,
  nodes: { a: null, b: null },
  links: { ab: { type: 'p2p', ends: ENDS } },
});

/** A bridge. */
export const lan = (defaults: TopologySource['defaults']): TopologySource => ({
  ...p2p(defaults),
  links: { ab: { type: 'lan', ends: ENDS } },
});

/** Bare packets: no link-layer addresses, so nothing to resolve. */
export const tun = (defaults: TopologySource['defaults']): TopologySource => ({
  ...p2p(defaults),
  links: {
    ab: {
      type: 'p2p',
      medium: 'tun',
      ends: { a: { addresses: ENDS.a.addresses }, b: { addresses: ENDS.b.addresses } },
    },
  },
});

/** One of the two: what it is asked through, and what its frames carry. */
export interface End extends Sender {
  readonly peer: Peer;
}

export const IF = 'ab';

export function pair({ lab, node, link }: Context): { a: End; b: End; ab: LabLink } {
  const ab = link(IF);
  const end = (name: string): End => {
    const { mac, addresses } = lab.topology.links[0]!.ends.find((each) => each.node === name)!;
    return { peer: node(name), mac: ab.medium === 'tun' ? undefined : mac, address: addresses[0]!.address };
  };
  return { a: end('a'), b: end('b'), ab };
}

/** What the node says of one of its addresses; undefined: that it has none such. */
export async function addressState(end: End, address: string): Promise<PeerAddress['state'] | undefined> {
  return (await end.peer.addresses(IF)).find((each) => each.address === address)?.state;
}
