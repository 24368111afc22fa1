import { defineScenario } from '#orchestrator/scenario.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import { anyAdvertisement, dadSolicitation, multicastSolicitation, seen } from '../frames.ts';
import { settled } from '../settled.ts';
import { addressState, IF, lan, p2p, pair } from './pair.ts';

const WANTED = '2001:db8:7::e';
/** Another address of b: towards it a would choose WANTED as the source, could it be used. */
const SAME_PREFIX = '2001:db8:7::f';
/** RFC 4861 10. Milliseconds. */
const RETRANS = 1000;

function withPrefix(source: TopologySource): TopologySource {
  const ab = source.links!['ab']!;
  const b = ab.ends!['b']!;
  return {
    ...source,
    links: { ab: { ...ab, ends: { ...ab.ends, b: { ...b, addresses: [...b.addresses!, `${SAME_PREFIX}/64`] } } } },
  };
}

export const scenario = defineScenario({
  name: 'dad-tentative',
  title: 'A tentative address is not used, and becomes one that is',
  description:
    'Node a is given a new address, and b asks for it at once. Judged are that a sends one probe within a second, uses ' +
    'the address a retransmission time after it and not before, and until then neither answers b nor sends from the ' +
    'address. After that b reaches a under it.',
  references: ['RFC 4862 5.4', 'RFC 4862 5.4.2', 'RFC 4862 5.4.3', 'RFC 4862 5.1'],
  features: ['ND-04'],
  roles: { a: { needs: ['dad'] }, b: { needs: ['nd'] } },
  variants: { lan: withPrefix(lan({})), p2p: withPrefix(p2p({})) },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step } = context;
    const { a, b, ab } = pair(context);
    await settled(context);

    step(`a is given ${WANTED}, b asks for it, a tries to use it`);
    const since = lab.now;
    await a.peer.addAddress(IF, `${WANTED}/64`);
    const tries = Promise.all([
      b.peer.ping(WANTED, { wait: RETRANS / 2 }),
      a.peer.ping(b.address, { source: WANTED, wait: RETRANS / 2 }).catch(() => undefined),
      a.peer.ping(SAME_PREFIX, { wait: RETRANS / 2 }),
    ]);
    const probe = await expect.frame(ab, `probe for ${WANTED}`, dadSolicitation(a.mac!, WANTED), { since });
    expect.within('probe after the address was given', probe.time - since, {
      min: 0,
      max: 1000,
      source: 'RFC 4862 5.4.2: MAX_RTR_SOLICITATION_DELAY',
    });
    await expect.eventually(`${WANTED} is in use`, async () => (await addressState(a, WANTED)) === 'preferred');
    expect.within('in use after the probe', lab.now - probe.time, {
      min: RETRANS,
      source: 'RFC 4862 5.4: RetransTimer after DupAddrDetectTransmits probes',
    });
    await expect.frame(
      ab,
      `solicitation of b for ${WANTED}`,
      multicastSolicitation({ ...b, address: SAME_PREFIX }, WANTED),
      { since },
    );
    await expect.frames(ab, `probe for ${WANTED}`, dadSolicitation(a.mac!, WANTED), 1, { since });
    const early = [anyAdvertisement(WANTED), { ip6: { src: WANTED } }]
      .flatMap((pattern) => seen(ab, pattern, since))
      .find(({ time }) => time < probe.time + RETRANS - lab.tolerance);
    expect.that(
      early === undefined,
      'until then a neither advertises the address nor sends from it',
      `${early?.time.toFixed(1)} ms, the probe was at ${probe.time.toFixed(1)} ms`,
    );
    const [, , other] = await tries;
    expect.that(other.received === 1, `meanwhile a reaches ${SAME_PREFIX} from another address`, other.output);

    step(`${WANTED} is in use`);
    const ping = await b.peer.ping(WANTED);
    expect.that(ping.received === 1, `b reaches a under ${WANTED}`, ping.output);
    const back = await a.peer.ping(b.address, { source: WANTED });
    expect.that(back.received === 1, `a reaches b from ${WANTED}`, back.output);
  },
});
