import type { Frame } from '#orchestrator/drivers/driver.ts';
import { defineScenario } from '#orchestrator/scenario.ts';
import { dadSolicitation, seen } from '../frames.ts';
import { settled } from '../settled.ts';
import { addressState, type End, IF, lan, p2p, pair } from './pair.ts';

const WANTED = '2001:db8::d';
/** How long an address stays tentative after its probe: one RetransTimer, since one probe is sent. */
const TENTATIVE = 1000;

export const scenario = defineScenario({
  name: 'dad-simultaneous',
  title: 'Two newcomers want one address at the same instant',
  description:
    'Both nodes are given the same address at once. A node may wait up to a second before its probe. Who hears ' +
    "another's probe while its own address is tentative gives the address up, whether it has sent its own or not: so " +
    'both give up where both have sent. Where one heard the other before it had sent its own, only that one gives up, ' +
    'as RFC 4862 5.4.3 says of different delays; Linux, which delays at random, ends either way. In no case do both ' +
    'use the address.',
  references: ['RFC 4862 5.4.3', 'RFC 4862 5.4.4', 'RFC 4862 5.4.5'],
  features: ['ND-04', 'ND-05'],
  roles: { a: { needs: ['dad'] }, b: { needs: ['dad'] } },
  variants: { lan: lan({}), p2p: p2p({}) },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step, measure } = context;
    const { a, b, ab } = pair(context);
    await settled(context);
    step(`a and b are given ${WANTED}`);
    const since = lab.now;
    const given = new Map<End, number>();
    await Promise.all(
      [a, b].map(async (end) => {
        await end.peer.addAddress(IF, `${WANTED}/64`);
        given.set(end, lab.now);
      }),
    );
    const decided = async (end: End): Promise<boolean> => (await addressState(end, WANTED)) !== 'tentative';
    await expect.eventually(
      'neither address is tentative any more',
      async () => (await decided(a)) && (await decided(b)),
      { within: 2 * TENTATIVE },
    );

    const probeOf = (end: End): Frame | undefined => seen(ab, dadSolicitation(end.mac!, WANTED), since)[0];
    const first = [probeOf(a), probeOf(b)].find((probe) => probe !== undefined);
    expect.that(first !== undefined, `somebody probed for ${WANTED} from ::, without link-layer address`);
    let users = 0;
    for (const [end, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const { name } = end.peer;
      const state = await addressState(end, WANTED);
      const [own, heard] = [probeOf(end), probeOf(other)];
      if (own !== undefined)
        measure(`probe of ${name}`, own.time - since, 'ms', { min: 0, max: 1000, source: 'RFC 4862 5.4.2' });
      const tentative = (time: number): boolean => own === undefined || time < own.time + TENTATIVE;
      if (heard === undefined || !tentative(heard.time)) {
        expect.that(state === 'preferred', `${name} heard no probe in time, and uses the address`, `it is ${state}`);
      } else if (heard.time > given.get(end)!) {
        expect.that(
          state === 'duplicated',
          `${name} heard the probe of ${other.peer.name} while its address was tentative: duplicated`,
          `it is ${state}`,
        );
      } else {
        step(`the probe of ${other.peer.name} came as ${name} was given the address: either may be right`);
      }
      if (state === 'preferred') users++;
    }
    expect.that(users <= 1, 'at most one of them uses it', `${users} do`);
  },
});
