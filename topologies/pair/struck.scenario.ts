import { defineScenario } from '#orchestrator/scenario.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import { anySolicitation, multicastSolicitation, seen } from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';
import { lan, p2p, pair } from './pair.ts';

/** Of a ping that needs two fragments or more. */
const SIZE = 2000;

const onWire = (source: TopologySource): TopologySource => ({
  ...source,
  links: { ab: { ...source.links!['ab']!, wire: true } },
});

export const scenario = defineScenario({
  name: 'struck',
  title: 'What was struck on the way is not believed',
  description:
    'The link spoils what a and b send. An advertisement whose hop limit was struck could have come from beyond the link: ' +
    'it is not taken, and a asks again. An echo request whose data was struck has a wrong checksum, and is not answered. ' +
    'Fragments that come twice, or the first of them last, make a whole packet nevertheless; where one is lost nothing ' +
    'is answered, and the next packet is put together as if nothing had been.',
  references: ['RFC 4861 7.1.2', 'RFC 4443 2.3', 'RFC 8200 4.5', 'RFC 5722 4'],
  features: ['ND-17', 'ST-02', 'IP-04'],
  roles: { a: { needs: ['nd'] }, b: { needs: ['nd'] } },
  variants: { lan: onWire(lan(WITHOUT_DAD)), p2p: onWire(p2p(WITHOUT_DAD)) },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step } = context;
    const { a, b, ab } = pair(context);
    await settled(context);

    step('the hop limit of an advertisement is struck');
    const since = lab.now;
    ab.fault({ corrupt: { icmp6: 'neighborAdvertisement', nth: 1 }, field: 'ip6.hopLimit', from: 'b' });
    const late = await a.peer.ping(b.address, { wait: 2500 });
    expect.that(late.received === 1, 'a gets a reply in the end', late.output);
    const asked = await expect.frames(ab, 'solicitation of a', multicastSolicitation(a, b.address), 2, { since });
    expect.within('second solicitation after the first', asked[1]!.time - asked[0]!.time, {
      min: 1000,
      max: 1000,
      source: 'RFC 4861 10: RETRANS_TIMER',
    });

    step('the data of an echo request is struck');
    const struck = lab.now;
    ab.fault({ corrupt: { icmp6: 'echoRequest', nth: 1 }, field: 'icmp6.data', from: 'a' });
    const spoiled = await a.peer.ping(b.address, { wait: 500 });
    expect.that(spoiled.received === 0, 'a gets no reply', spoiled.output);
    await expect.frames(ab, 'echo reply', { icmp6: { name: 'echoReply' } }, 0, { since: struck });
    await expect.frames(ab, 'ICMPv6 error about it', { icmp6: { name: 'parameterProblem' } }, 0, { since: struck });

    const pingBig = () => a.peer.ping(b.address, { size: SIZE, wait: 500 });
    for (const [text, spec] of [
      ['come twice', { duplicate: { fragment: 'any' }, from: 'a' }],
      ['come with the first of them last', { reorder: { fragment: 'first' }, from: 'a' }],
    ] as const) {
      step(`fragments ${text}`);
      const fault = ab.fault(spec);
      const ping = await pingBig();
      expect.that(ping.received === 1, `a gets a reply to fragments that ${text}`, ping.output);
      fault.remove();
    }
    step('a fragment is lost');
    const lost = lab.now;
    ab.fault({ drop: { fragment: 'last', nth: 1 }, from: 'a' });
    const cut = await pingBig();
    expect.that(cut.received === 0, 'a gets no reply', cut.output);
    expect.that(seen(ab, { ip6: { src: b.address }, fragment: {} }, lost).length === 0, 'b answers nothing');
    const whole = await pingBig();
    expect.that(whole.received === 1, 'a gets a reply to the next', whole.output);
    await expect.frames(ab, 'solicitation for b since', anySolicitation(b.address), 0, { since: lost });
  },
});
