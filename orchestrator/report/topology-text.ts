/** A resolved topology as a file again: everything explicit, and `kamelab up` takes it. */
import { stringify } from 'yaml';
import type { Topology, TopologyAddress, TopologyEnd, TopologyLink, TopologyNode } from '../topology.ts';

export function topologyText({ name, description, seed, nodes, links }: Topology): string {
  const twice = duplicates(nodes);
  const address = ({ address, prefixLength }: TopologyAddress) => {
    const text = `${address}/${prefixLength}`;
    return twice.has(address) ? { address: text, allowDuplicate: true } : text;
  };
  const end = ({ mac, addresses }: TopologyEnd, medium: TopologyLink['medium']) => ({
    ...(medium === 'tun' ? {} : { mac }),
    ...filled({ addresses: addresses.map(address) }),
  });
  const source = {
    name,
    ...(description === '' ? {} : { description }),
    seed,
    nodes: Object.fromEntries(nodes.map((node) => [node.name, nodeSource(node, twice)])),
    links: Object.fromEntries(
      links.map(({ name, type, medium, mtu, wire, faults, ends }) => [
        name,
        {
          type,
          ...(type === 'p2p' ? { medium } : {}),
          mtu,
          ...(wire ? { wire } : {}),
          ...filled({ faults: faults.map(({ source }) => source) }),
          ends: Object.fromEntries(ends.map((each) => [`${each.node}:${each.interface}`, end(each, medium)])),
        },
      ]),
    ),
  };
  return stringify(source, { lineWidth: 0, aliasDuplicateObjects: false });
}

function nodeSource(node: TopologyNode, twice: ReadonlySet<string>) {
  const { kind, hostname, forwarding, loopback, routes, sysctls, files, commands, daemons, limits } = node;
  const { memory, cpus } = limits;
  return {
    kind,
    hostname,
    forwarding,
    ...filled({
      addresses: loopback.map(({ address, prefixLength }) => {
        const text = `${address}%lo/${prefixLength}`;
        return twice.has(address) ? { address: text, allowDuplicate: true } : text;
      }),
      routes: routes.map(({ to, via, dev, reject }) => ({ to, ...given({ via, dev }), ...(reject ? { reject } : {}) })),
      sysctls,
      files: Object.fromEntries(files.map(({ path, content }) => [path, content])),
      commands,
      daemons: daemons.map(({ run, ready }) => ({ run, ...given({ ready }) })),
      limits: given({ memory: memory === undefined ? undefined : memoryText(memory), cpus }),
    }),
  };
}

/** Without what is empty. */
const filled = (fields: Record<string, object>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => Object.keys(value).length > 0));

const given = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function duplicates(nodes: readonly TopologyNode[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { interfaces, loopback } of nodes) {
    for (const { address } of [...interfaces.flatMap((end) => end.addresses), ...loopback]) {
      if (seen.has(address)) twice.add(address);
      seen.add(address);
    }
  }
  return twice;
}

function memoryText(bytes: number): string {
  if (bytes % 2 ** 30 === 0) return `${bytes / 2 ** 30}G`;
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}M` : `${bytes / 2 ** 10}K`;
}
