import { defineScenario } from '#orchestrator/scenario.ts';
import { ALL_NODES, echo, groupMac, multicastSolicitation, payload, solicitedAdvertisement } from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';
import { type End, IF, lan, p2p, pair } from './pair.ts';

const SECOND_A = '2001:db8::a2';
const SECOND_B = '2001:db8::b2';

export const scenario = defineScenario({
  name: 'echo',
  title: 'Echo among several addresses, and to a group',
  description:
    'Each node has two addresses of one prefix. Node a pings the second address of b from its own second one: it asks ' +
    'for b from the address that the waiting packet has, and the reply comes from the address that was pinged. Then a ' +
    'pings all nodes of the link: the reply comes from a unicast address of b, its link-local one.',
  references: ['RFC 4443 4.2', 'RFC 4443 2.2', 'RFC 4861 7.2.2', 'RFC 6724 5'],
  features: ['ND-01', 'IC-05'],
  roles: { a: { needs: ['nd'] }, b: { needs: ['nd'] } },
  variants: { lan: lan(WITHOUT_DAD), p2p: p2p(WITHOUT_DAD) },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step } = context;
    const { a, b, ab } = pair(context);
    await settled(context);
    await a.peer.addAddress(IF, `${SECOND_A}/64`);
    await b.peer.addAddress(IF, `${SECOND_B}/64`);
    const [second, other]: [End, End] = [
      { ...a, address: SECOND_A },
      { ...b, address: SECOND_B },
    ];

    step(`a pings ${SECOND_B} from ${SECOND_A}`);
    const since = lab.now;
    const ping = await a.peer.ping(SECOND_B, { source: SECOND_A });
    expect.that(ping.received === 1, 'a gets a reply', ping.output);
    await expect.frame(ab, `solicitation from ${SECOND_A}`, multicastSolicitation(second, SECOND_B), { since });
    await expect.frame(ab, `advertisement to ${SECOND_A}`, solicitedAdvertisement(other, second), { since });
    await expect.frame(ab, 'request', echo('echoRequest', second, other), { since });
    await expect.frame(ab, `reply from ${SECOND_B}`, echo('echoReply', other, second), { since });

    step('a pings all nodes');
    const asked = lab.now;
    await a.peer.ping(`${ALL_NODES}%${IF}`, { wait: 500 });
    const [from, to] = [await b.peer.linkLocal(IF), await a.peer.linkLocal(IF)];
    const request = await expect.frame(
      ab,
      'request to all nodes',
      {
        eth: { src: a.mac!, dst: groupMac(ALL_NODES) },
        ip6: { src: to!, dst: ALL_NODES },
        icmp6: { name: 'echoRequest', checksumOk: true },
      },
      { since: asked },
    );
    const reply = await expect.frame(
      ab,
      'reply from the link-local address of b',
      echo('echoReply', { ...b, address: from! }, { ...a, address: to! }),
      { since: request.time },
    );
    expect.that(payload(reply) === payload(request), 'with the data of the request');
  },
});
