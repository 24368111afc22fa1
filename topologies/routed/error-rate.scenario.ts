import { defineScenario } from '#orchestrator/scenario.ts';
import { icmpError, seen } from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';

const HOST = '2001:db8:1::2';
const ROUTER = '2001:db8:1::1';
const NO_ROUTE = '2001:db8:ffff::1';
/** Pings at once: one alone waits 10 ms between packets on some. */
const PINGS = 8;
const COUNT = 125;
/** Milliseconds. */
const INTERVAL = 2;
/** Packets a second below which a router need not limit anything. */
const FLOOD = 400;

export const scenario = defineScenario({
  name: 'error-rate',
  title: 'A router limits the errors it sends',
  description:
    `Host h1 sends ${PINGS * COUNT} packets as fast as it can to where router r has no route to. Judged is that r tells h1 of ` +
    'it, but not each time: a flood must not become another one. How many is up to the router (KAME: 200 a second, ' +
    'Linux: one a second after the first few).',
  references: ['RFC 4443 2.4'],
  features: ['IC-04'],
  roles: { h1: { needs: ['host'] }, r: { needs: ['router', 'forward'] } },
  variants: {
    p2p: {
      name: 'routed',
      defaults: WITHOUT_DAD,
      nodes: { h1: { routes: [{ to: 'default', via: ROUTER }] }, r: { forwarding: true } },
      links: { left: { type: 'p2p', ends: { h1: { addresses: [`${HOST}/64`] }, r: { addresses: [`${ROUTER}/64`] } } } },
    },
  },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step, measure, node, link, unsupported } = context;
    const [left, h1] = [link('left'), node('h1')];
    await settled(context);
    await h1.ping(ROUTER);
    step('h1 sends what r has no route for');
    const since = lab.now;
    const flood = { count: COUNT, interval: INTERVAL, wait: 500 };
    await Promise.all(Array.from({ length: PINGS }, () => h1.ping(NO_ROUTE, flood)));
    const sent = seen(left, { ip6: { src: HOST, dst: NO_ROUTE } }, since);
    const errors = seen(left, icmpError('unreachable', 0, ROUTER, { from: HOST, to: NO_ROUTE }), since);
    const rate = (1000 * sent.length) / (sent.at(-1)!.time - sent[0]!.time);
    measure('packets without a route, a second', rate, '');
    measure('packets without a route', sent.length, '');
    measure('errors about them', errors.length, '');
    expect.that(errors.length > 0, 'r tells h1');
    if (rate < FLOOD) unsupported(`h1 could send no more than ${rate.toFixed(0)} packets a second here`);
    expect.that(
      errors.length < 0.9 * sent.length,
      'but not of each',
      `${errors.length} errors, ${sent.length} packets`,
    );
  },
});
