import type { Frame, LabLink } from '#orchestrator/drivers/driver.ts';
import { type Context, defineScenario } from '#orchestrator/scenario.ts';
import {
  anySolicitation,
  confirmation,
  echo,
  multicastSolicitation,
  seen,
  solicitedAdvertisement,
  unicastSolicitation,
} from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';
import { type End, IF, lan, p2p, pair, tun } from './pair.ts';

/** A second address of b, which goes away: for a it is a neighbor that dies. */
const DYING = '2001:db8::dead';
/** Base reachable time, so that nobody waits for 30 s. The time itself is drawn between 0.5 and 1.5 of it. */
const BASE = 500;
/** RFC 4861 10: DELAY_FIRST_PROBE_TIME, RETRANS_TIMER, MAX_UNICAST_SOLICIT. */
const DELAY = 5000;
const RETRANS = 1000;
const PROBES = 3;
/** How often a sends to the dying and to the living neighbor: a stale entry waits for a packet. */
const USE = 200;
const LIVING_USE = 500;
const EARLIEST = 0.5 * BASE + DELAY;
const LATEST = 1.5 * BASE + DELAY;
const SOURCE = 'RFC 4861 6.3.2, 7.3.3, 10';

export const scenario = defineScenario({
  name: 'nud',
  title: 'A neighbor that dies is found out, one that answers stays',
  description:
    'Node a sends to two addresses of b all the time; one of them is taken away without a word. Its entry is reachable ' +
    `for half to one and a half of the base reachable time (${BASE} ms here), is used, delayed for 5 s and probed by ` +
    'unicast three times, 1 s apart; after a last second it is given up: resolution begins anew where there are ' +
    'link-layer addresses. The living one is probed once by then, answers, and loses no packet. No hint from upper ' +
    'layers is given. On a link without link-layer addresses nothing was resolved and the delay starts with the ' +
    'first packet. RFC 4861 has an expired entry wait for a packet; Linux goes on to the delay when there was one in ' +
    'the last 5 s. Both lie within these bounds, since packets never cease.',
  references: ['RFC 4861 7.3', 'RFC 4861 6.3.2', 'RFC 4861 10'],
  features: ['ND-02', 'ND-15'],
  roles: { a: { needs: ['nud'] }, b: { needs: ['nd'] } },
  variants: { p2p: p2p(WITHOUT_DAD), lan: lan(WITHOUT_DAD), tun: tun(WITHOUT_DAD) },
  timeout: 40_000,
  async run(context) {
    const { expect, step, unsupported } = context;
    const { a, b, ab } = pair(context);
    await settled(context);
    const without = await a.peer.withoutNud(IF);
    if (without !== undefined) unsupported(without);
    await a.peer.setReachableTime(IF, BASE);
    await b.peer.addAddress(IF, `${DYING}/64`);
    const dying: End = { ...b, address: DYING };
    await expect.eventually(
      `b answers under ${DYING}`,
      async () => (await a.peer.ping(DYING, { wait: 300 })).received === 1,
    );
    if (ab.medium === 'ethernet') await a.peer.flushNeighbors();

    step('a resolves both addresses');
    const [dead, living] = [await confirmed(context, ab, a, dying), await confirmed(context, ab, a, b)];
    step(`${DYING} goes away`);
    await b.peer.removeAddress(IF, `${DYING}/64`);
    const count = Math.ceil((LATEST + PROBES * RETRANS + 2 * USE) / USE);
    const [used] = await Promise.all([
      a.peer.ping(DYING, { count, interval: USE, wait: USE }),
      findDead(context, ab, a, dying, dead),
      keepLiving(context, ab, a, b, living),
    ]);
    expect.that(used.received === 0, `nobody answers under ${DYING}`, used.output);
  },
});

/** When a last heard that the neighbor is there; without link-layer addresses: when it first sent to it. */
async function confirmed({ lab, expect }: Context, ab: LabLink, a: End, neighbor: End): Promise<number> {
  const since = lab.now;
  const ping = await a.peer.ping(neighbor.address);
  expect.that(ping.received === 1, `a gets a reply from ${neighbor.address}`, ping.output);
  if (ab.medium === 'tun') return (await expect.frame(ab, 'the first packet', echo('echoRequest', a, neighbor))).time;
  const answer = await expect.frame(ab, `advertisement of ${neighbor.address}`, solicitedAdvertisement(neighbor, a), {
    since,
  });
  return answer.time;
}

async function findDead({ lab, expect }: Context, ab: LabLink, a: End, dying: End, last: number): Promise<void> {
  const probe = unicastSolicitation(a, DYING, dying.mac);
  const probes = (): readonly Frame[] => seen(ab, probe, last);
  const first = await expect.frame(ab, `probe of ${DYING} by unicast`, probe, { since: last, within: LATEST + USE });
  expect.within(`first probe of the dead neighbor`, first.time - last, {
    min: ab.medium === 'tun' ? DELAY : EARLIEST,
    max: LATEST + USE,
    source: SOURCE,
  });
  await expect.eventually('three probes', () => probes().length >= PROBES, {
    within: (PROBES - 1) * (RETRANS + lab.tolerance),
    detail: () => `${probes().length} were seen`,
  });
  const sent = probes();
  for (const [at, frame] of sent.slice(1).entries()) {
    expect.within(`probe ${at + 2} of the dead neighbor after ${at + 1}`, frame.time - sent[at]!.time, {
      min: RETRANS,
      max: RETRANS,
      source: 'RFC 4861 10: RETRANS_TIMER',
    });
  }
  const third = sent[PROBES - 1]!.time;
  if (ab.medium === 'tun') {
    await expect.noFrame(ab, 'fourth probe', probe, { since: third + 1, during: RETRANS + 2 * USE });
    const entry = (await a.peer.neighbors()).find(({ address }) => address === DYING);
    expect.that(
      entry === undefined || entry.state === 'failed' || entry.state === 'delay' || entry.state === 'stale',
      'a no longer takes the neighbor for reachable',
      JSON.stringify(entry),
    );
  } else {
    const anew = await expect.frame(ab, 'resolution anew: the entry was given up', multicastSolicitation(a, DYING), {
      since: third,
      within: RETRANS + USE,
    });
    expect.within('given up after the last probe', anew.time - third, {
      min: RETRANS,
      max: RETRANS + USE,
      source: 'RFC 4861 7.3.3: RetransTimer after the last of MAX_UNICAST_SOLICIT',
    });
    expect.within('dead neighbor found out after its last word', anew.time - last, {
      min: EARLIEST + PROBES * RETRANS,
      max: LATEST + PROBES * RETRANS + 2 * USE,
      source: SOURCE,
    });
  }
  await expect.frames(ab, 'probe by unicast', probe, PROBES, { since: last });
}

async function keepLiving({ lab, expect }: Context, ab: LabLink, a: End, b: End, last: number): Promise<void> {
  const probe = unicastSolicitation(a, b.address, b.mac);
  const isProbed = (): boolean => seen(ab, probe, last).length > 0;
  const until = last + LATEST + LIVING_USE + lab.tolerance;
  let [sent, received] = [0, 0];
  // one at a time: a ping that goes on would tell its kernel of each reply, and that is a hint that saves the probe
  while (!isProbed() && lab.now < until) {
    const [ping] = await Promise.all([a.peer.ping(b.address, { wait: 300 }), lab.sleep(LIVING_USE)]);
    sent += ping.sent;
    received += ping.received;
  }
  const first = await expect.frame(ab, 'probe of the living neighbor', probe, { since: last, within: LIVING_USE });
  expect.within('first probe of the living neighbor', first.time - last, {
    min: ab.medium === 'tun' ? DELAY : EARLIEST,
    max: LATEST + LIVING_USE,
    source: SOURCE,
  });
  // some probe from their link-local address: no packet prompts a probe
  const asker = { ...a, address: first.decoded.ip6!.src };
  const answer = await expect.frame(ab, 'its answer: solicited', confirmation(b, asker), {
    since: first.time,
    within: RETRANS,
  });
  const { override, options = [] } = answer.decoded.icmp6!;
  expect.that(
    override === options.some(({ name }) => name === 'targetLinkLayer'),
    'it overrides if it carries a link-layer address (RFC 4861 7.2.4)',
  );
  await expect.noFrame(ab, 'second probe or resolution of a neighbor that has answered', anySolicitation(b.address), {
    since: first.time + 1,
    during: RETRANS + 100,
  });
  expect.that(sent === received, 'no packet to the living neighbor was lost', `${received} of ${sent} came back`);
}
