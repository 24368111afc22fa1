/** The lab: a host, a proxy, and behind it a target that has an address of the host's link. See README.md. */
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import type { Sender } from '../frames.ts';
import { WITHOUT_DAD } from '../settled.ts';

/** Of the near link's prefix, though it lives on the far one. */
export const TARGET = '2001:db8:1::d';
export const A: Sender & { mac: string } = { address: '2001:db8:1::a', mac: '02:00:00:00:00:0a' };
export const T: Sender & { mac: string } = { address: TARGET, mac: '02:00:00:00:00:0d' };
/** The proxy's two ends. */
export const NEAR: Sender & { mac: string } = { address: '2001:db8:1::1', mac: '02:00:00:00:00:01' };
export const FAR: Sender & { mac: string } = { address: '2001:db8:2::1', mac: '02:00:00:00:00:02' };

type Link = NonNullable<TopologySource['links']>[string];

const near: Link = {
  type: 'lan',
  ends: {
    a: { addresses: [`${A.address}/64`], mac: A.mac },
    p: { addresses: [`${NEAR.address}/64`], mac: NEAR.mac },
  },
};

const far: Link = {
  type: 'p2p',
  ends: {
    p: { addresses: [`${FAR.address}/64`], mac: FAR.mac },
    t: { addresses: [`${TARGET}/128`, '2001:db8:2::d/64'], mac: T.mac },
  },
};

/** The proxy is a router between two links. */
export const routed: TopologySource = {
  name: 'proxy',
  defaults: WITHOUT_DAD,
  nodes: {
    a: null,
    p: { forwarding: true, routes: [{ to: `${TARGET}/128`, dev: 'far' }] },
    t: { routes: [{ to: 'default', via: FAR.address }] },
  },
  links: { near, far },
};

/** The proxy is a host on one link, and the target is not there at all. */
export const alone: TopologySource = {
  name: 'proxy',
  defaults: WITHOUT_DAD,
  nodes: { a: null, p: null },
  links: { near },
};
