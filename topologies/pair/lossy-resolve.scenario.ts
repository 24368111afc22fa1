import type { FaultSource } from '#orchestrator/faults/fault-schema.ts';
import { defineScenario } from '#orchestrator/scenario.ts';
import { anyAdvertisement, anySolicitation, echo, multicastSolicitation, solicitedAdvertisement } from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';
import { lan, p2p, pair } from './pair.ts';
import { wired } from './wired.ts';

const TARGET = '2001:db8::b';
/** RFC 4861 10. */
const RETRANS = 1000;
/** What resolution takes after the answer has come, and a ping. */
const SOON = 50;

const LOST: FaultSource = {
  name: 'the first answer is lost',
  drop: { icmp6: { type: 'neighborAdvertisement', target: TARGET }, nth: 1 },
  from: 'b',
};

export const scenario = defineScenario({
  name: 'lossy-resolve',
  title: 'Address resolution when the first answer is lost',
  description:
    'The link loses the first advertisement of the address that node a asks for. Node a asks a second time RETRANS_TIMER ' +
    'later and gets the answer; the packet that waited is sent then, once, and nobody asks a third time.',
  references: ['RFC 4861 7.2.2', 'RFC 4861 10'],
  features: ['ND-01'],
  roles: { a: { needs: ['nd'] }, b: { needs: ['nd'] } },
  variants: { p2p: wired(p2p(WITHOUT_DAD), [LOST]), lan: wired(lan(WITHOUT_DAD), [LOST]) },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step } = context;
    const { a, b, ab } = pair(context);
    await settled(context);
    step('a pings b; the first advertisement is lost');
    const since = lab.now;
    const ping = await a.peer.ping(b.address, { wait: 3 * RETRANS });
    expect.that(ping.received === 1, 'a gets its reply all the same', ping.output);
    const asked = await expect.frames(ab, 'solicitation', multicastSolicitation(a, b.address), 2, { since });
    expect.within('second solicitation after the first', asked[1]!.time - asked[0]!.time, {
      min: RETRANS,
      max: RETRANS,
      source: 'RFC 4861 10: RETRANS_TIMER',
    });
    const answers = await expect.frames(ab, 'advertisement', solicitedAdvertisement(b, a), 2, { since });
    expect.that(
      answers[0]!.fault === 'lost' && answers[1]!.fault === undefined,
      'the first advertisement was lost, the second was not',
      answers.map(({ fault }) => fault ?? 'not lost').join(', '),
    );
    const sent = await expect.frames(ab, 'echo request', echo('echoRequest', a, b), 1, { since });
    expect.within('the packet that waited, after the answer', sent[0]!.time - answers[1]!.time, {
      min: 0,
      max: SOON,
      source: 'RFC 4861 7.2.2',
    });
    await lab.sleep(2 * RETRANS);
    await expect.frames(ab, 'solicitation, a third time', anySolicitation(b.address), 2, { since });
    await expect.frames(ab, 'advertisement, a third time', anyAdvertisement(b.address), 2, { since });
  },
});
