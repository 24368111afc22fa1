import { defineScenario } from '#orchestrator/scenario.ts';
import { multicastSolicitation, seen, solicitedAdvertisement } from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';
import { lan, p2p, pair } from './pair.ts';
import { wired } from './wired.ts';

const AFTER = 2000;
const DOWN = 3000;
/** How often a sends: a resolution that has failed waits for a packet. */
const USE = 250;
/** How long after the link has come back. */
const AFTERWARDS = 2500;
/** RFC 4861 10: RETRANS_TIMER, MAX_MULTICAST_SOLICIT. */
const RETRANS = 1000;
const SOLICITATIONS = 3;

export const scenario = defineScenario({
  name: 'flap',
  title: 'A link is down for three seconds and comes back',
  description:
    'Node a sends to b four times a second. After 2 s the link loses everything for 3 s, while its ends keep their ' +
    'carrier; 1 s later a forgets what it knew of b, so that it must resolve the address on a dead link: it asks three ' +
    'times, RETRANS_TIMER apart, gives up, and begins anew with the next packet. Once the link is back, the next ' +
    'solicitation is answered and packets flow, without anybody doing anything.',
  references: ['RFC 4861 7.2.2', 'RFC 4861 7.3.3', 'RFC 4861 10'],
  features: ['ND-01'],
  roles: { a: { needs: ['nd'] }, b: { needs: ['nd'] } },
  variants: { p2p: wired(p2p(WITHOUT_DAD)), lan: wired(lan(WITHOUT_DAD)) },
  timeout: 40_000,
  async run(context) {
    const { lab, expect, step, measure } = context;
    const { a, b, ab } = pair(context);
    await settled(context);
    await expect.eventually('b answers', async () => (await a.peer.ping(b.address, { wait: 300 })).received === 1);
    const since = lab.now;
    step('a sends to b all the time; the link goes down in 2 s, for 3 s');
    ab.fault({ name: 'the link is cut', down: `${DOWN}ms`, after: `${AFTER}ms` });
    const use = a.peer.ping(b.address, {
      count: (AFTER + DOWN + AFTERWARDS) / USE,
      interval: USE,
      wait: 1000,
    });
    await lab.sleep(AFTER + 1000);
    step('a forgets b');
    const forgotten = lab.now;
    await a.peer.flushNeighbors();
    const used = await use;

    const [down, up] = ['link down', 'link up'].map((what) => lab.events.find((event) => event['what'] === what)?.time);
    expect.that(down !== undefined && up !== undefined, 'the link went down and came back');
    expect.within('link down for', up! - down!, { min: DOWN, max: DOWN, source: 'the fault' });
    const frames = ab.frames.filter(({ time }) => time >= since);
    expect.that(
      frames.every(({ time, fault }) => (fault === 'lost') === (time >= down! && time < up!)),
      'every frame sent meanwhile was lost, and no other',
    );
    const asked = seen(ab, multicastSolicitation(a, b.address), forgotten);
    const vain = asked.filter(({ time }) => time < up!);
    expect.that(vain.length > 0, 'a asks for b on the dead link', `${vain.length} solicitations`);
    for (const [at, frame] of asked.slice(1, SOLICITATIONS).entries()) {
      if (frame.time >= up!) break;
      expect.within(`solicitation ${at + 2} after ${at + 1}`, frame.time - asked[at]!.time, {
        min: RETRANS,
        max: RETRANS,
        source: 'RFC 4861 10: RETRANS_TIMER',
      });
    }
    const answered = asked.find(({ time }) => time >= up!);
    expect.that(answered !== undefined, 'a asks again once the link is back');
    expect.within('first solicitation after the link is back', answered!.time - up!, {
      min: 0,
      max: RETRANS + USE,
      source: 'RFC 4861 7.2.2: RETRANS_TIMER apart, and anew with the next packet',
    });
    const answer = await expect.frame(ab, 'its answer', solicitedAdvertisement(b, a), { since: answered!.time });
    const reply = await expect.frame(
      ab,
      'echo reply',
      { icmp6: { name: 'echoReply' }, ip6: { src: b.address } },
      { since: answer.time },
    );
    measure('outage seen by a', reply.time - down!, 'ms', {
      min: DOWN,
      max: DOWN + RETRANS + 2 * USE,
      source: 'RFC 4861 7.2.2',
    });
    const replies = frames.filter(({ decoded, fault }) => decoded.icmp6?.name === 'echoReply' && fault === undefined);
    expect.that(
      used.received === replies.length,
      'a gets every reply that was not lost',
      `${used.received} of ${replies.length}`,
    );
    await expect.frames(ab, 'advertisement', solicitedAdvertisement(b, a), 1, { since: up! });
  },
});
