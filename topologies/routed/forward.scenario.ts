import type { Frame, LabLink } from '#orchestrator/drivers/driver.ts';
import { type Context, defineScenario } from '#orchestrator/scenario.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import type { Pattern } from '#stack/wire/decode.ts';
import { anySolicitation, echo, icmpError, type Sender, seen } from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';

type End = Sender & { readonly mac: string };
const H1: End = { address: '2001:db8:1::2', mac: '02:00:00:00:01:02' };
const LEFT: End = { address: '2001:db8:1::1', mac: '02:00:00:00:01:01' };
const RIGHT: End = { address: '2001:db8:2::1', mac: '02:00:00:00:02:01' };
const H2: End = { address: '2001:db8:2::2', mac: '02:00:00:00:02:02' };
const NO_ROUTE = '2001:db8:ffff::1';
const ABSENT = '2001:db8:2::dead';
/** Of the right link: the least that IPv6 allows. */
const MTU = 1280;
/** A ping too big for it, in a packet that the left link takes whole. */
const SIZE = 1400;

const end = ({ address, mac }: End, medium = 'ethernet') => ({
  addresses: [`${address}/64`],
  ...(medium === 'tun' ? {} : { mac }),
});

/** `medium`: of the right link. */
const topology = (medium: 'ethernet' | 'tun'): TopologySource => ({
  name: 'routed',
  defaults: WITHOUT_DAD,
  nodes: {
    h1: { routes: [{ to: 'default', via: LEFT.address }] },
    r: { forwarding: true },
    h2: { routes: [{ to: 'default', via: RIGHT.address }] },
  },
  links: {
    left: { type: 'p2p', ends: { h1: end(H1), r: end(LEFT) } },
    right: { type: 'p2p', mtu: MTU, medium, ends: { r: end(RIGHT, medium), h2: end(H2, medium) } },
  },
});

export const scenario = defineScenario({
  name: 'forward',
  title: 'A router between two hosts',
  description:
    'Host h1 pings h2 through router r, whose right link takes 1280 bytes. Judged are the hop limit (one less; at its ' +
    'end Time Exceeded code 0), Packet Too Big with the MTU of the next link and the packet not sent in pieces, the ' +
    'fragments that h1 makes from then on, carried unchanged and put together by h2, and Destination Unreachable: code ' +
    '0 where r has no route, code 3 once three solicitations went unanswered (not over bare packets, variant tun, where ' +
    'nothing is asked). traceroute6 finds both hops.',
  references: [
    'RFC 8200 3',
    'RFC 8200 4.5',
    'RFC 8200 5',
    'RFC 4443 3.1',
    'RFC 4443 3.2',
    'RFC 4443 3.3',
    'RFC 8201 4',
    'RFC 4861 7.2.2',
  ],
  features: ['IP-02', 'IP-03', 'IP-04', 'IP-09', 'ND-01'],
  roles: { h1: { needs: ['host'] }, r: { needs: ['router', 'forward'] }, h2: { needs: ['host'] } },
  variants: { p2p: topology('ethernet'), tun: topology('tun') },
  timeout: 40_000,
  async run(context) {
    const { step, node, link } = context;
    const [left, right] = [link('left'), link('right')];
    await settled(context);
    step('h1 pings h2');
    await pingThrough(context, left, right);
    // meanwhile: three seconds pass before r knows that nobody is there. Not earlier, while h1 resolves r itself: a
    // packet that waits for that gives way to a newer one (RFC 4861 7.2.2)
    const absent = right.medium === 'tun' ? undefined : addressUnreachable(context, left, right);
    absent?.catch(() => {}); // judged when it is waited for
    step('with a hop limit of 1');
    await hopLimitExceeded(context, left, right);
    step('with more than the right link takes');
    await tooBig(context, left, right);
    step('h1 pings where r has no route to');
    await noRoute(context, left);
    step('traceroute6');
    const hops = await node('h1').traceroute(H2.address);
    const path = hops.map(({ from }) => from).join(' ');
    context.expect.that(path === `${LEFT.address} ${H2.address}`, 'traceroute6 finds r, then h2', path);
    await absent;
  },
});

async function pingThrough({ lab, expect, node, measure }: Context, left: LabLink, right: LabLink): Promise<void> {
  const since = lab.now;
  const ping = await node('h1').ping(H2.address);
  expect.that(ping.received === 1, 'h1 gets a reply from h2', ping.output);
  const hop = (
    name: 'echoRequest' | 'echoReply',
    from: End,
    to: End,
    hopLimit: number,
    src: End,
    dst: End,
  ): Pattern => {
    const bare = src === RIGHT || dst === RIGHT ? right.medium === 'tun' : false;
    const eth = bare ? undefined : { src: src.mac, dst: dst.mac };
    return { ...echo(name, from, to, { hopLimit }), eth };
  };
  const out = await expect.frame(left, 'request to r', hop('echoRequest', H1, H2, 64, H1, LEFT), { since });
  const on = await expect.frame(right, 'request to h2, hop limit one less', hop('echoRequest', H1, H2, 63, RIGHT, H2), {
    since,
  });
  await expect.frame(right, 'reply to r', hop('echoReply', H2, H1, 64, H2, RIGHT), { since });
  await expect.frame(left, 'reply to h1, hop limit one less', hop('echoReply', H2, H1, 63, LEFT, H1), { since });
  measure('forwarding, neighbors being resolved', on.time - out.time, 'ms');
}

async function hopLimitExceeded({ lab, expect, node }: Context, left: LabLink, right: LabLink): Promise<void> {
  const since = lab.now;
  const ping = await node('h1').ping(H2.address, { hopLimit: 1, wait: 500 });
  const about = { from: H1.address, to: H2.address };
  await expect.frame(left, 'Time Exceeded code 0 from r', icmpError('timeExceeded', 0, LEFT.address, about), { since });
  expect.that(
    ping.received === 0 && ping.errors.some((error) => /exceeded/i.test(error)),
    'h1 is told that the time was exceeded',
    ping.output,
  );
  await expect.frames(
    right,
    'request beyond its hop limit',
    { ip6: { src: H1.address, dst: H2.address, hopLimit: 0 } },
    0,
  );
}

async function tooBig({ lab, expect, node }: Context, left: LabLink, right: LabLink): Promise<void> {
  const since = lab.now;
  const ping = await node('h1').ping(H2.address, { size: SIZE, count: 3, interval: 300, wait: 700, discover: true });
  const whole = await expect.frame(
    left,
    `whole request of ${SIZE} bytes`,
    { ...echo('echoRequest', H1, H2, { size: SIZE }), eth: { dst: LEFT.mac } },
    {
      since,
    },
  );
  const about = { from: H1.address, to: H2.address };
  const told = await expect.frame(
    left,
    `Packet Too Big with MTU ${MTU} from r`,
    icmpError('packetTooBig', 0, LEFT.address, about, MTU),
    { since: whole.time },
  );
  expect.that(
    told.decoded.ip6!.payloadLength + 40 === 1280,
    'the error quotes as much of the packet as 1280 bytes hold, and no more (RFC 4443 3.2, 2.4 c)',
    `${told.decoded.ip6!.payloadLength + 40} bytes`,
  );
  expect.that(ping.sent === 3 && ping.received === 2, 'h1 loses the first and gets replies to the rest', ping.output);

  const pieces = (link: LabLink, from: End, to: End): readonly Frame[] =>
    seen(link, { ip6: { src: from.address, dst: to.address }, fragment: {} }, since);
  const [sent, carried] = [pieces(left, H1, H2), pieces(right, H1, H2)];
  expect.that(sent.length === 4, 'h1 sends each of the rest in two pieces', `${sent.length} pieces`);
  const largest = Math.max(...sent.map(({ decoded }) => decoded.ip6!.payloadLength + 40));
  expect.that(largest <= MTU, `no piece is larger than ${MTU} bytes`, `${largest}`);
  const identifications = new Set(sent.map(({ decoded }) => decoded.fragment!.id));
  expect.that(identifications.size === 2, 'the pieces of each packet have an identification of its own (RFC 8200 4.5)');
  const text = ({ decoded: { fragment, ip6 } }: Frame): string =>
    `${fragment!.id}:${fragment!.offset}+${ip6!.payloadLength}${fragment!.more ? '+' : ''}`;
  expect.that(
    sent.map(text).join(' ') === carried.map(text).join(' '),
    'r carries the pieces as they are, and makes none of its own (RFC 8200 5)',
    `${sent.map(text).join(' ')} and ${carried.map(text).join(' ')}`,
  );
  const largestOnRight = Math.max(
    ...seen(right, { ip6: {} }, since).map(({ decoded }) => decoded.ip6!.payloadLength + 40),
  );
  expect.that(largestOnRight <= MTU, 'nothing larger is on the right link', `${largestOnRight}`);
  expect.that(pieces(left, H2, H1).length === 4, 'h2 answers in pieces, which r carries', '');
}

async function noRoute({ lab, expect, node }: Context, left: LabLink): Promise<void> {
  const since = lab.now;
  const ping = await node('h1').ping(NO_ROUTE, { wait: 500 });
  const about = { from: H1.address, to: NO_ROUTE };
  await expect.frame(
    left,
    'Destination Unreachable code 0, no route, from r',
    icmpError('unreachable', 0, LEFT.address, about),
    { since },
  );
  expect.that(ping.received === 0 && ping.errors.length > 0, 'h1 is told', ping.output);
}

async function addressUnreachable({ lab, expect, node }: Context, left: LabLink, right: LabLink): Promise<void> {
  const since = lab.now;
  const ping = await node('h1').ping(ABSENT, { wait: 4000 });
  await expect.frame(left, 'request for an absent host', { ip6: { dst: ABSENT } }, { since });
  const about = { from: H1.address, to: ABSENT };
  const told = await expect.frame(
    left,
    'Destination Unreachable code 3, address unreachable, from r',
    icmpError('unreachable', 3, LEFT.address, about),
    { since },
  );
  const asked = await expect.frames(right, 'solicitation of r for an absent host', anySolicitation(ABSENT), 3);
  expect.within('Destination Unreachable after the first solicitation', told.time - asked[0]!.time, {
    min: 3000,
    max: 3000,
    source: 'RFC 4861 7.2.2, 10: MAX_MULTICAST_SOLICIT × RETRANS_TIMER',
  });
  expect.that(
    ping.received === 0 && ping.errors.some((error) => /unreachable/i.test(error)),
    'h1 is told that the address is unreachable',
    ping.output,
  );
}
