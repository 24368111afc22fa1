import type { LabLink } from '#orchestrator/drivers/driver.ts';
import { type Context, defineScenario } from '#orchestrator/scenario.ts';
import {
  anyAdvertisement,
  anySolicitation,
  echo,
  multicastSolicitation,
  payload,
  type Sender,
  solicitedAdvertisement,
} from '../frames.ts';
import { settled, WITHOUT_DAD } from '../settled.ts';
import { type End, IF, lan, p2p, pair, tun } from './pair.ts';

/** Nobody has it. */
const ABSENT = '2001:db8::dead';

export const scenario = defineScenario({
  name: 'resolve',
  title: 'Address resolution and ping',
  description:
    "Each node pings the other's global and then the other's link-local address, with an empty neighbor cache. Judged are " +
    'the solicitation (to the solicited-node group and its hardware address, from the address that the packet is sent ' +
    "from, with the sender's link-layer address), the advertisement (unicast to who asked, solicited, override, with the " +
    "owner's link-layer address), that neither is repeated for a second ping, and that the asked one need not ask back. " +
    'An absent address is asked for three times, a second apart. Where a link has no link-layer addresses the ping goes ' +
    'out at once and nothing is asked.',
  references: ['RFC 4861 7.2', 'RFC 4861 10', 'RFC 2464 7', 'RFC 4291 2.7.1', 'RFC 4443 4.1', 'RFC 4443 4.2'],
  features: ['ND-01', 'IP-14'],
  roles: { a: { needs: ['nd'] }, b: { needs: ['nd'] } },
  variants: { lan: lan(WITHOUT_DAD), p2p: p2p(WITHOUT_DAD), tun: tun(WITHOUT_DAD) },
  timeout: 30_000,
  async run(context) {
    const { step, variant } = context;
    const { a, b, ab } = pair(context);
    await settled(context);
    const [local, peerLocal] = [await linkLocal(b), await linkLocal(a)];

    if (variant === 'tun') {
      step('a pings b, b pings a');
      await pingUnasked(context, ab, a, b, b.address);
      await pingUnasked(context, ab, b, a, a.address);
      await pingUnasked(context, ab, b, { ...a, address: peerLocal }, `${peerLocal}%${IF}`, local);
      return;
    }
    step('a pings the global address of b');
    await resolve(context, ab, a, b, b.address);
    step('b pings the link-local address of a, all caches empty again');
    await a.peer.flushNeighbors();
    await b.peer.flushNeighbors();
    await resolve(context, ab, { ...b, address: local }, { ...a, address: peerLocal }, `${peerLocal}%${IF}`);
    step('a pings an address that nobody has');
    await resolveAbsent(context, ab, a);
  },
});

/** The first ping asks, the second does not. */
async function resolve(context: Context, ab: LabLink, asker: End, owner: End, to: string): Promise<void> {
  const { lab, expect, measure } = context;
  const since = lab.now;
  const ping = await asker.peer.ping(to);
  expect.that(ping.received === 1, `${asker.peer.name} gets a reply from ${owner.address}`, ping.output);
  const solicitation = await expect.frame(
    ab,
    `solicitation to the group of ${owner.address}, hop limit 255, with ${asker.mac}`,
    multicastSolicitation(asker, owner.address),
    { since },
  );
  const advertisement = await expect.frame(
    ab,
    `advertisement to ${asker.address}: solicited, override, with ${owner.mac}`,
    solicitedAdvertisement(owner, asker),
    { since: solicitation.time },
  );
  expect.that(
    advertisement.decoded.icmp6?.router === false,
    'the advertisement of a host has no router flag (RFC 4861 4.4)',
  );
  const { request } = await echoes(context, ab, asker, owner, since);
  expect.that(request.time >= advertisement.time, 'the request waited for the advertisement');
  await expect.frames(ab, `solicitation for ${owner.address}`, anySolicitation(owner.address), 1, { since });
  await expect.frames(ab, `advertisement of ${owner.address}`, anyAdvertisement(owner.address), 1, { since });
  await expect.frames(
    ab,
    `solicitation for ${asker.address}: its address came with the question`,
    anySolicitation(asker.address),
    0,
    { since },
  );
  measure(`${owner.peer.name} answers a solicitation`, advertisement.time - solicitation.time, 'ms');

  const again = lab.now;
  const second = await asker.peer.ping(to);
  expect.that(second.received === 1, `${asker.peer.name} gets a second reply`, second.output);
  await echoes(context, ab, asker, owner, again);
  await expect.frames(ab, 'solicitation for a second ping', anySolicitation(owner.address), 0, { since: again });
  measure(`round trip ${asker.peer.name} to ${owner.peer.name}`, second.times[0] ?? Number.NaN, 'ms');
  const entry = (await asker.peer.neighbors()).find(({ address }) => address === owner.address);
  expect.that(
    entry?.state === 'reachable' && entry.linkAddress === owner.mac && !entry.router,
    `${asker.peer.name} holds ${owner.address} as reachable at ${owner.mac}`,
    JSON.stringify(entry),
  );
}

async function pingUnasked(
  context: Context,
  ab: LabLink,
  asker: End,
  owner: End,
  to: string,
  source = asker.address,
): Promise<void> {
  const { lab, expect, measure } = context;
  const since = lab.now;
  const ping = await asker.peer.ping(to);
  expect.that(ping.received === 1, `${asker.peer.name} gets a reply from ${owner.address}`, ping.output);
  await echoes(context, ab, { ...asker, address: source }, owner, since);
  await expect.frames(
    ab,
    'solicitation where there is nothing to resolve',
    { icmp6: { name: 'neighborSolicitation' } },
    0,
    { since },
  );
  measure(`round trip ${asker.peer.name} to ${owner.peer.name}`, ping.times[0] ?? Number.NaN, 'ms');
}

/** One request and its reply, which says the same. */
async function echoes({ expect }: Context, ab: LabLink, from: Sender, to: Sender, since: number) {
  const request = await expect.frame(
    ab,
    `echo request to ${to.address}, hop limit 64, checksum right`,
    echo('echoRequest', from, to),
    { since },
  );
  const reply = await expect.frame(
    ab,
    `echo reply from ${to.address}, hop limit 64, checksum right`,
    echo('echoReply', to, from),
    { since: request.time },
  );
  const [asked, answered] = [request.decoded.icmp6!.echo!, reply.decoded.icmp6!.echo!];
  expect.that(
    asked.id === answered.id && asked.seq === answered.seq && payload(request) === payload(reply),
    "the reply has the request's identifier, sequence number and data (RFC 4443 4.2)",
    `${asked.id}/${asked.seq} and ${answered.id}/${answered.seq}`,
  );
  return { request, reply };
}

/** MAX_MULTICAST_SOLICIT times, RETRANS_TIMER apart; then the packet's sender is told. */
async function resolveAbsent({ lab, expect }: Context, ab: LabLink, asker: End): Promise<void> {
  const since = lab.now;
  const ping = await asker.peer.ping(ABSENT, { wait: 3500 });
  const asked = await expect.frames(ab, 'solicitation for an absent address', multicastSolicitation(asker, ABSENT), 3, {
    since,
  });
  for (const [at, frame] of asked.slice(1).entries()) {
    expect.within(`solicitation ${at + 2} after ${at + 1}`, frame.time - asked[at]!.time, {
      min: 1000,
      max: 1000,
      source: 'RFC 4861 10: RETRANS_TIMER',
    });
  }
  expect.that(
    ping.received === 0 && ping.errors.some((error) => /unreachable/i.test(error)),
    'the sender is told that the address is unreachable (RFC 4861 7.2.2)',
    ping.output,
  );
}

async function linkLocal({ peer }: End): Promise<string> {
  const address = await peer.linkLocal(IF);
  if (address === undefined) throw new Error(`${peer.name} has no link-local address`);
  return address;
}
