import { defineScenario } from '#orchestrator/scenario.ts';
import { anySolicitation, echo, seen, unicastSolicitation } from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';
import { IF, p2p, pair, tun } from './pair.ts';

/** As in nud.scenario.ts; until the first probe would be due, and a second more. */
const BASE = 200;
const USE = 500;
const WATCH = 1.5 * BASE + USE + 5000 + 1000;

export const scenario = defineScenario({
  name: 'nud-off',
  title: 'Unreachability detection can be switched off',
  description:
    'The operator of a switches neighbor unreachability detection off on its interface (ndp -i ab -nud, for links ' +
    'whose far end does not answer solicitations). Then b falls silent: a goes on sending to it, and probes nobody.',
  references: ['RFC 4861 7.3'],
  features: ['ND-15'],
  roles: { a: { needs: ['nud', 'nud-switch'] }, b: { needs: ['nd'] } },
  variants: { p2p: p2p(WITHOUT_DAD), tun: tun(WITHOUT_DAD) },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step } = context;
    const { a, b, ab } = pair(context);
    await settled(context);
    step('detection off');
    await a.peer.setNud(IF, false);
    await a.peer.setReachableTime(IF, BASE);
    const since = lab.now;
    const ping = await a.peer.ping(b.address);
    expect.that(ping.received === 1, 'a gets a reply from b', ping.output);
    step('b falls silent');
    await b.peer.silence(IF);
    const [unanswered] = await Promise.all([
      a.peer.ping(b.address, { count: Math.ceil(WATCH / USE), interval: USE, wait: USE }),
      expect.noFrame(ab, 'probe of b', unicastSolicitation(a, b.address, b.mac), { since, during: WATCH }),
    ]);
    const resolved = ab.medium === 'ethernet' ? 1 : 0;
    await expect.frames(ab, 'solicitation for b, by which it was resolved', anySolicitation(b.address), resolved, {
      since,
    });
    expect.that(unanswered.received === 0, 'b is silent', unanswered.output);
    const requests = seen(ab, echo('echoRequest', a, b), since);
    expect.that(
      requests.length === 1 + unanswered.sent,
      'a has sent every packet to b nevertheless',
      `${requests.length} of ${1 + unanswered.sent} were seen`,
    );
  },
});
