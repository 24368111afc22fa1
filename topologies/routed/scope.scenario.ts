import { defineScenario } from '#orchestrator/scenario.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';

const ROUTER = '2001:db8:1::1';
const H2 = '2001:db8:2::2';

export const scenario = defineScenario({
  name: 'scope',
  title: 'A link-local source stays on its link',
  description:
    'Host h1 pings h2, behind router r, from its link-local address, which nobody beyond its link could answer to. Judged ' +
    'is that r does not carry the packet on, and tells h1: Destination Unreachable code 2, beyond scope of source address.',
  references: ['RFC 4007 9', 'RFC 4291 2.5.6', 'RFC 4443 3.1'],
  features: ['SC-11'],
  roles: { h1: { needs: ['host'] }, r: { needs: ['router', 'forward'] } },
  variants: {
    // h2 is of the same kind as h1
    p2p: {
      name: 'routed',
      defaults: WITHOUT_DAD,
      nodes: { h1: { routes: [{ to: 'default', via: ROUTER }] }, r: { forwarding: true }, h2: null },
      links: {
        left: { type: 'p2p', ends: { h1: { addresses: ['2001:db8:1::2/64'] }, r: { addresses: [`${ROUTER}/64`] } } },
        right: { type: 'p2p', ends: { r: { addresses: ['2001:db8:2::1/64'] }, h2: { addresses: [`${H2}/64`] } } },
      },
    },
  },
  timeout: 30_000,
  async run(context) {
    const { lab, expect, step, node, link } = context;
    const [left, right] = [link('left'), link('right')];
    await settled(context);
    const local = (await node('h1').linkLocal('left'))!;
    step(`h1 pings h2 from ${local}`);
    const since = lab.now;
    const ping = await node('h1').ping(H2, { source: `${local}%left`, wait: 500 });
    const sent = await expect.frame(
      left,
      'request from a link-local address',
      { ip6: { src: local, dst: H2 } },
      { since },
    );
    const { name, code, quoted } = (
      await expect.frame(
        left,
        'error of r',
        { ip6: { dst: local }, icmp6: { name: 'unreachable' } },
        { since: sent.time },
      )
    ).decoded.icmp6!;
    expect.that(
      code === 2 && quoted?.ip6?.src === local && quoted.ip6.dst === H2,
      'Destination Unreachable code 2, beyond scope of source address',
      `${name} code ${code}`,
    );
    expect.that(ping.received === 0, 'h1 gets no reply', ping.output);
    await expect.frames(right, 'packet from a link-local address of the other link', { ip6: { src: local } }, 0);
  },
});
