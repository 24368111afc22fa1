import { defineScenario } from '#orchestrator/scenario.ts';
import { anySolicitation, defence, echo, multicastSolicitation } from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';
import { type End, IF, lan, pair } from './pair.ts';

const THIRD = '02:00:00:00:00:0c';
/** c's at first, then b's. */
const MOVING = '2001:db8::5e';
/** Asked for by a before anybody has it. */
const AWAITED = '2001:db8::5f';
/** b's; a never asks for it. */
const UNKNOWN = '2001:db8::60';

const source = lan(WITHOUT_DAD);
const ab = source.links!['ab']!;

export const scenario = defineScenario({
  name: 'takeover',
  title: 'An address moves to another node, which says so',
  description:
    'Node b takes over an address from c and advertises it unasked (ndp -u). Judged are the advertisement (to all nodes, ' +
    'not solicited, override, with the link-layer address), and what a does with it: an entry moves to the new link-layer ' +
    'address and is used at once, but does not count as reachable, since nobody was asked; a packet that waits for the ' +
    'address goes out; and an address that a has no entry for gets none.',
  references: ['RFC 4861 7.2.5', 'RFC 4861 7.2.6'],
  features: ['ND-02', 'ND-21'],
  roles: { a: { needs: ['nd'] }, b: { needs: ['nd', 'unsolicited-na'] } },
  variants: {
    // c is of the same kind as a
    lan: {
      ...source,
      nodes: { ...source.nodes, c: null },
      links: { ab: { ...ab, ends: { ...ab.ends, c: { mac: THIRD } } } },
    },
  },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step, node } = context;
    const { a, b, ab } = pair(context);
    await settled(context);
    const held = async (address: string) => (await a.peer.neighbors()).find((entry) => entry.address === address);
    const atB = (address: string): End => ({ ...b, address });

    step(`c has ${MOVING}`);
    await node('c').addAddress(IF, `${MOVING}/64`);
    const before = await a.peer.ping(MOVING);
    expect.that(before.received === 1, 'a gets a reply from c', before.output);
    expect.that((await held(MOVING))?.linkAddress === THIRD, `a holds ${MOVING} at ${THIRD}`);

    step(`${MOVING} goes from c to b, and b says so`);
    await node('c').removeAddress(IF, `${MOVING}/64`);
    await b.peer.addAddress(IF, `${MOVING}/64`);
    const since = lab.now;
    await b.peer.advertise(IF, MOVING);
    await expect.frame(ab, 'advertisement to all nodes: not solicited, override', defence(b.mac!, MOVING), { since });
    await expect.eventually(`a holds it at ${b.mac}`, async () => (await held(MOVING))?.linkAddress === b.mac, {
      within: 500,
    });
    expect.that((await held(MOVING))?.state === 'stale', 'but not as reachable', JSON.stringify(await held(MOVING)));
    const after = await a.peer.ping(MOVING);
    expect.that(after.received === 1, 'a gets a reply from b', after.output);
    await expect.frame(ab, 'request to b', echo('echoRequest', a, atB(MOVING)), { since });
    await expect.frames(ab, `solicitation for ${MOVING}`, anySolicitation(MOVING), 0, { since });

    step(`a asks for ${AWAITED}, then b gets it and says so`);
    const asked = lab.now;
    const waiting = a.peer.ping(AWAITED, { wait: 2000 });
    await expect.frame(ab, `solicitation for ${AWAITED}`, multicastSolicitation(a, AWAITED), { since: asked });
    await b.peer.addAddress(IF, `${AWAITED}/64`);
    await b.peer.advertise(IF, AWAITED);
    const told = await expect.frame(ab, 'advertisement to all nodes', defence(b.mac!, AWAITED), { since: asked });
    await expect.frame(ab, 'the request that waited', echo('echoRequest', a, atB(AWAITED)), { since: told.time });
    const entry = await held(AWAITED);
    expect.that(
      entry?.state === 'delay' || entry?.state === 'stale',
      'nobody was asked, so it is not reachable yet',
      JSON.stringify(entry),
    );
    const ping = await waiting;
    expect.that(ping.received === 1, 'a gets a reply', ping.output);

    step(`b says that it has ${UNKNOWN}`);
    await b.peer.addAddress(IF, `${UNKNOWN}/64`);
    await b.peer.advertise(IF, UNKNOWN);
    await expect.frame(ab, 'advertisement to all nodes', defence(b.mac!, UNKNOWN), { since });
    await lab.sleep(100);
    expect.that((await held(UNKNOWN)) === undefined, 'a, which never asked, keeps nothing of it');
  },
});
