import { defineScenario } from '#orchestrator/scenario.ts';
import * as Address from '#stack/wire/address.ts';
import { parseMac } from '#stack/wire/ethernet.ts';
import { dadSolicitation, defence } from '../frames.ts';
import { settled } from '../settled.ts';
import { addressState, IF, lan, pair } from './pair.ts';

/** Long enough for probes, reports and answers to come if there were any. Milliseconds. */
const SILENCE = 1500;

export const scenario = defineScenario({
  name: 'dad-disable',
  title: 'A duplicate hardware-based link-local address disables the interface',
  description:
    'Node b has the very link-local address that a makes of its hardware address, as if two interfaces had been ' +
    'given one hardware address. When a comes up, its probe for that address is answered by b: such a link cannot ' +
    'work, so a turns IPv6 off on the interface. It then sends nothing, answers nothing and says that it is ' +
    'disabled. Linux does so with the sysctl accept_dad=2, which it is given here. The hardware addresses themselves ' +
    'differ, since bridges and drivers rightly take frames that come in with their own address for echoes.',
  references: ['RFC 4862 5.4.5', 'RFC 4862 5.4.3', 'RFC 4291 A'],
  features: ['ND-04', 'ND-06'],
  roles: { a: { needs: ['dad', 'interface-disable'] }, b: { needs: ['dad'] } },
  variants: { lan: lan({ linux: { sysctls: { 'net.ipv6.conf.default.accept_dad': 2 } } }) },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step } = context;
    const { a, b, ab } = pair(context);
    const [macA, macB] = [a.mac!, b.mac!];
    const local = Address.formatAddress(Address.linkLocal(parseMac(macA)!));
    await settled(context);

    step(`a goes down, b takes ${local}, a comes back`);
    await a.peer.setUp(IF, false);
    await b.peer.addAddress(IF, `${local}/64`);
    await expect.eventually(`b uses ${local}`, async () => (await addressState(b, local)) === 'preferred');
    const since = lab.now;
    await a.peer.setUp(IF, true);
    const probe = await expect.frame(ab, `probe for ${local}`, dadSolicitation(macA, local), { since });
    const answer = await expect.frame(ab, `defence of ${local} by b`, defence(macB, local), { since: probe.time });
    await expect.eventually('a says that its interface is disabled', () => a.peer.disabled(IF), { within: 1000 });

    step('everybody tries');
    // what was already on its way when the answer came may still go out
    const disabled = lab.now;
    const tries = await Promise.all([
      b.peer.ping(a.address, { wait: SILENCE / 2 }),
      a.peer.ping(b.address, { wait: SILENCE / 2 }).catch(() => undefined),
      b.peer.ping(`ff02::1%${IF}`, { wait: SILENCE / 2, source: local }),
      expect.noFrame(ab, 'frame of a', { eth: { src: macA } }, { since: disabled, during: SILENCE }),
    ]);
    expect.that(tries[0].received === 0, 'a does not answer under its global address', tries[0].output);
    expect.that((tries[1]?.received ?? 0) === 0, 'a reaches nobody', tries[1]?.output);
    expect.that(answer.time <= disabled, 'the answer came before');
    expect.that(await a.peer.disabled(IF), 'a is still disabled');
  },
});
