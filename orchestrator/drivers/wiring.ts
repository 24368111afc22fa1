/**
 * Links of the kernel world, made of real devices.
 *
 *   lan               every end is a port of a bridge in the lab's namespace: the outer end of a veth, or a TAP
 *   p2p kernel-kernel a veth with one end in each node (tun: two TUNs, pumped here)
 *   p2p kame-kernel   the TAP's (TUN's) kernel side is the kernel node's interface
 *   p2p kame-kame     two TAPs (TUNs) in the lab's namespace, mirrored into each other
 *
 * A kame end is a device that the node opened in its own namespace; it is moved while the node keeps it open.
 * Devices on the testbed's side are silent: no IPv6, no snooping, no offloads that would leave checksums unfinished.
 */
import { FrameBatch, link, TunTap } from 'tun-tap';
import type { TopologyEnd, TopologyLink } from '../topology.ts';

/** Where one end of a link lives. */
export interface Place {
  readonly end: TopologyEnd;
  readonly namespace: string;
  readonly attachment: 'tap' | 'kernel';
}

/** Where a link is captured: a device that sees every frame once, and who sends what leaves by it (`outgoing`) or comes in. */
export interface Observation {
  readonly device: string;
  readonly namespace: string;
  readonly promiscuous: boolean;
  readonly outgoing: string | undefined;
  readonly incoming: string | undefined;
}

export interface Wired {
  readonly observe: Observation;
  /** Devices to wait for, once all are set up. */
  readonly devices: readonly { readonly device: string; readonly namespace: string }[];
  close(): void;
}

const NOTHING = (): void => {};
/** A checksum must be whole in every capture, so no device may leave it to the next. */
const FINISHED = { tx: false, tso: false, gso: false, gro: false };

/** Make the link; its devices are left down in kernel nodes (their owner sets them up), up in the lab's namespace. */
export function wire(topologyLink: TopologyLink, number: number, places: readonly Place[], lab: string): Wired {
  if (topologyLink.type === 'lan') return lan(topologyLink, number, places, lab);
  const [a, b] = places as [Place, Place];
  if (a.attachment === 'kernel' && b.attachment === 'kernel') {
    return topologyLink.medium === 'tun' ? pumpedTuns(topologyLink, a, b) : veth(topologyLink, a, b);
  }
  if (a.attachment === 'tap' && b.attachment === 'tap') return mirrored(topologyLink, number, a, b, lab);
  return a.attachment === 'tap' ? tapInKernel(topologyLink, a, b) : tapInKernel(topologyLink, b, a);
}

function lan({ mtu }: TopologyLink, number: number, places: readonly Place[], lab: string): Wired {
  const bridge = `l${number}`;
  link.createBridge({ name: bridge, namespace: lab, mtu });
  for (const [at, { end, namespace, attachment }] of places.entries()) {
    const port = `${bridge}p${at}`;
    if (attachment === 'tap') {
      link.move(end.interface, namespace, lab, port);
      link.setMtu(port, mtu, lab);
    } else {
      link.createVeth({
        name: port,
        namespace: lab,
        peerName: end.interface,
        peerNamespace: namespace,
        peerMac: end.mac,
        mtu,
      });
      link.setFeatures(end.interface, FINISHED, namespace);
      link.setFeatures(port, FINISHED, lab);
    }
    link.setMaster(port, bridge, lab);
    link.setUp(port, lab);
  }
  link.setMtu(bridge, mtu, lab);
  link.setUp(bridge, lab);
  const observe = { device: bridge, namespace: lab, promiscuous: true, outgoing: undefined, incoming: undefined };
  const devices = places.flatMap(({ end, namespace, attachment }, at) => [
    { device: `${bridge}p${at}`, namespace: lab },
    ...(attachment === 'kernel' ? [{ device: end.interface, namespace }] : []),
  ]);
  return { observe, devices, close: NOTHING };
}

function veth({ mtu }: TopologyLink, a: Place, b: Place): Wired {
  link.createVeth({
    name: a.end.interface,
    namespace: a.namespace,
    mac: a.end.mac,
    peerName: b.end.interface,
    peerNamespace: b.namespace,
    peerMac: b.end.mac,
    mtu,
  });
  link.setFeatures(a.end.interface, FINISHED, a.namespace);
  link.setFeatures(b.end.interface, FINISHED, b.namespace);
  return { observe: at(a, b), devices: [a, b].map(device), close: NOTHING };
}

function tapInKernel({ mtu, medium }: TopologyLink, tap: Place, kernel: Place): Wired {
  const name = kernel.end.interface;
  link.move(tap.end.interface, tap.namespace, kernel.namespace, name);
  if (medium === 'ethernet') link.setMac(name, kernel.end.mac, kernel.namespace);
  link.setMtu(name, mtu, kernel.namespace);
  return { observe: at(kernel, tap), devices: [device(kernel)], close: NOTHING };
}

function mirrored({ mtu }: TopologyLink, number: number, a: Place, b: Place, lab: string): Wired {
  const names = [`l${number}a`, `l${number}b`] as const;
  link.move(a.end.interface, a.namespace, lab, names[0]);
  link.move(b.end.interface, b.namespace, lab, names[1]);
  for (const name of names) {
    link.setMtu(name, mtu, lab);
    link.setUp(name, lab);
  }
  link.mirror(names[0], names[1], lab);
  return {
    observe: { device: names[0], namespace: lab, promiscuous: false, outgoing: b.end.node, incoming: a.end.node },
    devices: names.map((name) => ({ device: name, namespace: lab })),
    close: NOTHING,
  };
}

/** Two kernels and no tunnel driver between them: each gets a TUN, and what one sends is written to the other. */
function pumpedTuns({ mtu }: TopologyLink, a: Place, b: Place): Wired {
  const tuns: TunTap[] = [];
  const close = (): void => {
    for (const tun of tuns) tun.close();
  };
  try {
    for (const { end, namespace } of [a, b])
      tuns.push(TunTap.open({ name: end.interface, mode: 'tun', namespace, mtu }));
  } catch (error) {
    close();
    throw error;
  }
  const [one, other] = tuns as [TunTap, TunTap];
  const batch = new FrameBatch(64, mtu);
  const pump = (from: TunTap, to: TunTap): void => {
    from.onReadable((gone) => {
      if (gone === undefined) to.write(batch, 0, from.read(batch));
    });
  };
  pump(one, other);
  pump(other, one);
  return { observe: at(a, b), devices: [a, b].map(device), close };
}

/** Seen from a kernel node's own interface: what leaves there is its own, the rest is the other's. */
function at(kernel: Place, other: Place): Observation {
  return {
    device: kernel.end.interface,
    namespace: kernel.namespace,
    promiscuous: true,
    outgoing: kernel.end.node,
    incoming: other.end.node,
  };
}

const device = ({ end, namespace }: Place): { device: string; namespace: string } => ({
  device: end.interface,
  namespace,
});
