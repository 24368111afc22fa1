/** A node that is a Linux kernel's network namespace: its settings, addresses and routes, and its end. */
import { link as device, writeSysctl } from 'tun-tap';
import type { TopologyNode } from '../topology.ts';

/** Before its interfaces exist: what they take over when they come. */
export function settings(node: TopologyNode, namespace: string): void {
  const set = (key: string, value: string | number): void => writeSysctl(namespace, key, value);
  set('net.ipv6.conf.all.disable_ipv6', 0);
  set('net.ipv6.conf.default.disable_ipv6', 0);
  set('net.ipv6.conf.default.accept_ra', 0);
  set('net.ipv6.conf.all.forwarding', node.forwarding ? 1 : 0);
  set('net.ipv4.ip_forward', node.forwarding ? 1 : 0);
  for (const [key, value] of Object.entries(node.sysctls)) if (!ofInterface(node, key)) set(key, value);
  device.setUp('lo', namespace);
  for (const { address, prefixLength, family } of node.loopback) {
    device.addAddress({ device: 'lo', namespace, address, prefixLength, noDad: family === 6 });
  }
}

/** Interfaces up, addresses and routes. */
export function raise(node: TopologyNode, namespace: string): void {
  for (const [key, value] of Object.entries(node.sysctls)) {
    if (ofInterface(node, key)) writeSysctl(namespace, key, value);
  }
  for (const end of node.interfaces) {
    for (const { address, prefixLength } of end.addresses) {
      device.addAddress({ device: end.interface, namespace, address, prefixLength });
    }
    device.setUp(end.interface, namespace);
  }
  for (const { to, via, dev, reject } of node.routes) {
    device.addRoute({ namespace, destination: to, via, device: dev, unreachable: reject });
  }
}

/** A kernel can't be killed alone: it is made to say and answer nothing more, with its interfaces up. */
export function silence(node: TopologyNode, namespace: string): void {
  for (const { interface: name } of node.interfaces) {
    writeSysctl(namespace, `net/ipv6/conf/${name}/disable_ipv6`, 1);
    // one at a time: a first IPv4 address takes the others of its prefix with it
    for (;;) {
      const [left] = device.listAddresses(name, namespace);
      if (left === undefined) break;
      device.removeAddress({ device: name, namespace, address: left.address, prefixLength: left.prefixLength });
    }
  }
}

/** `net.ipv6.conf.ab.hop_limit` waits until `ab` is there. */
function ofInterface(node: TopologyNode, key: string): boolean {
  return node.interfaces.some((end) => key.split('.').includes(end.interface));
}
