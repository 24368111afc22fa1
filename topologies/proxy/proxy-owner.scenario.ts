import { defineScenario } from '#orchestrator/scenario.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import { echo, multicastSolicitation, proxyAdvertisement, solicitedAdvertisement } from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';
import { A, NEAR, T, TARGET } from './proxy.ts';

type Ends = NonNullable<TopologySource['links']>[string]['ends'];

const p: Ends = { p: { addresses: [`${NEAR.address}/64`], mac: NEAR.mac } };
const t: Ends = { t: { addresses: [`${TARGET}/64`], mac: T.mac } };

/** All on one link. On simulated links the frame comes to the ends in their order: who is asked first answers first. */
const together = (ends: Ends): TopologySource => ({
  name: 'proxy',
  defaults: WITHOUT_DAD,
  // t is of the same kind as a
  nodes: { a: null, p: { forwarding: true }, t: null },
  links: { near: { type: 'lan', ends: { a: { addresses: [`${A.address}/64`], mac: A.mac }, ...ends } } },
});

export const scenario = defineScenario({
  name: 'proxy-owner',
  title: "The owner's answer prevails over its proxy's",
  description:
    'Node p is proxy for an address whose owner t is on the same link, as after its return. Both answer a. Whoever is ' +
    "first, a ends with t's link-layer address: the owner's answer overrides, the proxy's does not.",
  references: ['RFC 4861 7.2.5', 'RFC 4861 7.2.8'],
  features: ['ND-02', 'ND-13'],
  roles: { a: { needs: ['nd'] }, p: { needs: ['proxy-nd', 'forward'] } },
  variants: { 'proxy-first': together({ ...p, ...t }), 'owner-first': together({ ...t, ...p }) },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step, node, link } = context;
    const near = link('near');
    await settled(context);
    await node('p').proxy('near', TARGET);

    step('a pings the target');
    const since = lab.now;
    // where the proxy is first the request may go to it, and no further
    await node('a').ping(TARGET, { wait: 1500 });
    await expect.frame(near, `solicitation for ${TARGET}`, multicastSolicitation(A, TARGET), { since });
    await expect.frame(near, 'answer of the owner', solicitedAdvertisement(T, A), { since });
    await expect.frame(near, 'answer of the proxy', proxyAdvertisement(NEAR.mac, TARGET, A), { since });
    const entry = (await node('a').neighbors()).find(({ address }) => address === TARGET);
    expect.that(entry?.linkAddress === T.mac, `a holds ${TARGET} at ${T.mac}`, JSON.stringify(entry));

    step('a pings the target again');
    const again = lab.now;
    const ping = await node('a').ping(TARGET);
    expect.that(ping.received === 1, 'a gets a reply', ping.output);
    await expect.frame(near, 'request to the owner', echo('echoRequest', A, T), { since: again });
  },
});
