/** How a scenario begins: with addresses that are in use. */
import type { Context } from '#orchestrator/scenario.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';

/** For topologies whose scenarios judge no duplicate address detection: none of them waits the seconds that it takes. */
export const WITHOUT_DAD = {
  kame: { sysctls: { 'net.inet6.ip6.dad_count': 0 } },
  linux: { sysctls: { 'net.ipv6.conf.default.accept_dad': 0 } },
} satisfies TopologySource['defaults'];

/** Waits until every interface of the nodes has its addresses and a link-local one, and none of them is tentative. */
export async function settled({ lab, node, expect }: Context, names = [...lab.nodes.keys()]): Promise<void> {
  const ends = lab.topology.links.flatMap((link) => link.ends).filter((end) => names.includes(end.node));
  let missing = '';
  await expect.eventually(
    'every address is in use',
    async () => {
      missing = '';
      for (const end of ends) {
        const found = await node(end.node).addresses(end.interface);
        const inUse = found.filter(({ state }) => state === 'preferred').map(({ address }) => address);
        const wanted = end.addresses.map(({ address }) => address).filter((address) => !inUse.includes(address));
        if (!inUse.some((address) => address.startsWith('fe80:'))) wanted.push('a link-local address');
        if (wanted.length > 0) missing += ` ${end.node}:${end.interface} lacks ${wanted.join(', ')};`;
      }
      return missing === '';
    },
    { within: 5000, detail: () => missing.trim() },
  );
}
