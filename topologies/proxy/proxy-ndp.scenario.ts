import { defineScenario } from '#orchestrator/scenario.ts';
import { anyAdvertisement, anySolicitation, echo, multicastSolicitation, proxyAdvertisement } from '../frames.ts';
import { settled } from '../settled.ts';
import { A, NEAR, routed, T, TARGET } from './proxy.ts';

/** Nothing is sent for so long once the proxy is told of its duty. */
const QUIET = 300;

export const scenario = defineScenario({
  name: 'proxy-ndp',
  title: 'A host reaches a target behind a proxy',
  description:
    "Router p stands between two links; t on the far one has an address of the near link's prefix, and p is made its " +
    'proxy on the near one. Host a takes t for a neighbor and asks for it. Judged is that p does not advertise ' +
    "unasked, that its answer comes within a second (some delay it at random, as RFC 4861 lets them) with p's own " +
    'link-layer address, solicited, as a router and without override, and that the ping goes through p both ways.',
  references: ['RFC 4861 7.2.8', 'RFC 4861 7.2.4', 'RFC 4861 10'],
  features: ['ND-13', 'ND-22'],
  roles: { a: { needs: ['nd'] }, p: { needs: ['proxy-nd', 'forward'] }, t: { needs: ['nd'] } },
  variants: { lan: routed },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step, node, link } = context;
    const [near, far] = [link('near'), link('far')];
    await settled(context);

    step(`p becomes proxy for ${TARGET} on the near link`);
    const since = lab.now;
    await node('p').proxy('near', TARGET);
    await expect.noFrame(near, `advertisement of ${TARGET} that nobody asked for`, anyAdvertisement(TARGET), {
      since,
      during: QUIET,
    });

    step('a pings the target');
    const asked = lab.now;
    const ping = await node('a').ping(TARGET, { wait: 3000 });
    expect.that(ping.received === 1, `a gets a reply from ${TARGET}`, ping.output);
    const solicitation = await expect.frame(near, `solicitation for ${TARGET}`, multicastSolicitation(A, TARGET), {
      since: asked,
    });
    const advertisement = await expect.frame(
      near,
      `advertisement with ${NEAR.mac} of the proxy: solicited, without override`,
      proxyAdvertisement(NEAR.mac, TARGET, A),
      { since: solicitation.time },
    );
    const { ip6, icmp6 } = advertisement.decoded;
    const own = [NEAR.address, await node('p').linkLocal('near')];
    expect.that(own.includes(ip6!.src), "the advertisement comes from one of p's own addresses", ip6!.src);
    expect.that(icmp6!.router === true, 'it says that p is a router');
    expect.within('answer of the proxy', advertisement.time - solicitation.time, {
      min: 0,
      max: 1000,
      source: 'RFC 4861 7.2.8, 10: MAX_ANYCAST_DELAY_TIME',
    });
    await expect.frames(near, `advertisement of ${TARGET}`, anyAdvertisement(TARGET), 1, { since });

    const request = echo('echoRequest', { ...A, mac: A.mac }, { address: TARGET, mac: NEAR.mac });
    const out = await expect.frame(near, 'request to the hardware address of p', request, { since: asked });
    await expect.frame(
      far,
      'request to t, one hop on',
      { ...echo('echoRequest', A, T, { hopLimit: 63 }), eth: { dst: T.mac } },
      { since: out.time },
    );
    await expect.frame(
      near,
      'reply by way of p',
      { ...echo('echoReply', T, A, { hopLimit: 63 }), eth: { src: NEAR.mac, dst: A.mac } },
      { since: out.time },
    );
    await expect.frames(far, 'solicitation for a on the far link: the answer is routed', anySolicitation(A.address), 0);
    const entry = (await node('a').neighbors()).find(({ address }) => address === TARGET);
    expect.that(entry?.linkAddress === NEAR.mac, `a holds ${TARGET} at ${NEAR.mac}`, JSON.stringify(entry));
  },
});
