import { defineScenario } from '#orchestrator/scenario.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import { anyAdvertisement, dadSolicitation, defence, listenerReport, seen, solicitedNode } from '../frames.ts';
import { settled } from '../settled.ts';
import { addressState, IF, lan, p2p, pair } from './pair.ts';

const THIRD = '2001:db8::c';

/** One more node, of the same kind as a. */
function withThird(source: TopologySource): TopologySource {
  const ab = source.links!['ab']!;
  const ends = { ...ab.ends, c: { addresses: [`${THIRD}/64`] } };
  return { ...source, nodes: { ...source.nodes, c: null }, links: { ab: { ...ab, ends } } };
}

export const scenario = defineScenario({
  name: 'dad-conflict',
  title: 'A newcomer finds that its address is taken',
  description:
    "Node b has an address; node a is given the same one while it runs. Judged are a's probe (from the unspecified " +
    'address, without a link-layer address, to the solicited-node group, which a has joined), the defence of b (to all ' +
    'nodes, not solicited, override, with its link-layer address), that a marks the address as duplicated and uses it ' +
    'neither as a source nor to answer, that b is reached under it by a third node meanwhile (on the LAN), and by a ' +
    'once the operator has taken the address from a. Before that, some do not: Linux takes no advertisement for an ' +
    'address in its own list, duplicated or not, and no RFC asks it to.',
  references: ['RFC 4862 5.4', 'RFC 4861 4.3', 'RFC 4861 7.2.4', 'RFC 2710 4'],
  features: ['ND-04', 'ND-05'],
  roles: { a: { needs: ['dad'] }, b: { needs: ['dad'] } },
  variants: { lan: withThird(lan({})), p2p: p2p({}) },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step } = context;
    const { a, b, ab } = pair(context);
    const [macA, macB] = [a.mac!, b.mac!];
    const taken = b.address;
    await settled(context);

    step(`a is given ${taken}, which b has`);
    const since = lab.now;
    await a.peer.addAddress(IF, `${taken}/64`);
    const probe = await expect.frame(
      ab,
      `probe for ${taken} from ::, hop limit 255, without link-layer address`,
      dadSolicitation(macA, taken),
      { since },
    );
    expect.within('probe after the address was given', probe.time - since, {
      min: 0,
      max: 1000,
      source: 'RFC 4862 5.4.2: MAX_RTR_SOLICITATION_DELAY',
    });
    const answer = await expect.frame(
      ab,
      'defence to all nodes: not solicited, override, with link-layer address',
      defence(macB, taken),
      { since: probe.time },
    );
    expect.within('defence after the probe', answer.time - probe.time, {
      max: 1000,
      source: 'RFC 4862 5.4.1: RetransTimer',
    });
    await expect.frame(
      ab,
      `listener report of a for ${solicitedNode(taken)}`,
      listenerReport(macA, solicitedNode(taken)),
      { since },
    );
    await expect.eventually(
      `a marks ${taken} as duplicated`,
      async () => (await addressState(a, taken)) === 'duplicated',
      { within: 1000 },
    );
    expect.that((await addressState(b, taken)) === 'preferred', `b keeps ${taken}: it is not the one that came later`);

    step(`${taken} is b's`);
    const marked = lab.now;
    if (context.variant === 'lan') {
      const kept = await context.node('c').ping(taken);
      expect.that(kept.received === 1, `c reaches b under ${taken}`, kept.output);
      const from = await b.peer.ping(THIRD, { source: taken });
      expect.that(from.received === 1, `b reaches c from ${taken}`, from.output);
    }
    const wrong = await a.peer
      .ping(`${await b.peer.linkLocal(IF)}%${IF}`, { source: taken, wait: 500 })
      .catch(() => undefined);
    expect.that((wrong?.received ?? 0) === 0, `a cannot send from ${taken}`, wrong?.output);
    await expect.frames(ab, `packet of a from ${taken}`, { eth: { src: macA }, ip6: { src: taken } }, 0, { since });
    await expect.frames(ab, `advertisement of ${taken} by a`, { eth: { src: macA }, ...anyAdvertisement(taken) }, 0, {
      since,
    });
    expect.that(
      seen(ab, dadSolicitation(macA, taken), marked).length === 0,
      'a does not try again on its own (RFC 4862 5.4.5)',
    );

    step(`the operator takes ${taken} from a`);
    await a.peer.removeAddress(IF, `${taken}/64`);
    const freed = await a.peer.ping(taken);
    expect.that(freed.received === 1, `a reaches b under ${taken}`, freed.output);
    const back = await b.peer.ping(a.address, { source: taken });
    expect.that(back.received === 1, `b reaches a from ${taken}`, back.output);
  },
});
