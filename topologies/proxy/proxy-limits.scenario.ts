import { defineScenario } from '#orchestrator/scenario.ts';
import { listenerReport, multicastSolicitation, proxyAdvertisement, seen, solicitedNode } from '../frames.ts';
import { settled } from '../settled.ts';
import { A, alone, NEAR, TARGET } from './proxy.ts';

/** Of no prefix of the link. */
const ELSEWHERE = '2001:db8:ffff::1';
/** Questions: an answer that were delayed at random would hardly be prompt so often. */
const ROUNDS = 4;

export const scenario = defineScenario({
  name: 'proxy-limits',
  title: 'The limits of the KAME proxy',
  description:
    'What the KAME note says of its proxy beside the RFC: a host may be one, too (and then does not call itself a ' +
    "router); it joins the target's solicited-node group; it answers at once, without the random delay; it refuses a " +
    'target that is not of a prefix of the link.',
  references: ['RFC 4861 7.2.8', 'RFC 2710 4'],
  features: ['ND-13', 'ND-22'],
  roles: { a: { needs: ['nd'] }, p: { needs: ['proxy-nd'], only: ['kame'] } },
  variants: { lan: alone },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step, node, link } = context;
    const near = link('near');
    await settled(context);
    const since = lab.now;
    await node('p').proxy('near', TARGET);
    await expect.frame(
      near,
      `listener report of p for ${solicitedNode(TARGET)}`,
      listenerReport(NEAR.mac, solicitedNode(TARGET)),
      { since },
    );
    for (let round = 1; round <= ROUNDS; round++) {
      step(`a asks, ${round}`);
      const asked = lab.now;
      // p is no router: the ping itself is dropped there
      await node('a').ping(TARGET, { wait: 200 });
      const question = await expect.frame(near, `solicitation for ${TARGET}`, multicastSolicitation(A, TARGET), {
        since: asked,
      });
      const answer = await expect.frame(
        near,
        'advertisement of the proxy: solicited, without override',
        proxyAdvertisement(NEAR.mac, TARGET, A),
        { since: question.time },
      );
      expect.that(answer.decoded.icmp6!.router === false, 'it does not say that p is a router');
      expect.within('answer of the proxy', answer.time - question.time, {
        min: 0,
        max: 10,
        source: 'KAME: no random delay',
      });
      await node('a').flushNeighbors();
    }
    const unasked = seen(near, { ...proxyAdvertisement(NEAR.mac, TARGET, A) }, since).length - ROUNDS;
    expect.that(unasked === 0, 'one advertisement for each question', `${unasked} more`);
    await expect.frames(near, 'packet that p carries on', { ip6: { src: A.address, dst: TARGET, hopLimit: 63 } }, 0);

    step(`p shall be proxy for ${ELSEWHERE}`);
    const refusal = await node('p')
      .proxy('near', ELSEWHERE)
      .then(() => undefined, String);
    expect.that(refusal !== undefined, 'p refuses a target that is not on the link');
  },
});
