/** Faults on real devices: the same wire, on TAPs of kernels and of kame nodes. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Frame, Lab } from '#orchestrator/drivers/driver.ts';
import { ProcessDriver } from '#orchestrator/drivers/process.ts';
import type { FaultSource } from '#orchestrator/faults/fault-schema.ts';
import { loadKinds } from '#orchestrator/kinds.ts';
import { topology } from '#orchestrator/topology.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';

const kinds = loadKinds();
const driver = new ProcessDriver(kinds);
const unavailable = await driver.unavailable();
const WITHOUT_DAD = {
  kame: { sysctls: { 'net.inet6.ip6.dad_count': 0 } },
  linux: { sysctls: { 'net.ipv6.conf.default.accept_dad': 0 } },
};
let labs = 0;

const ends = (nodes: readonly string[]) =>
  Object.fromEntries(nodes.map((node) => [node, { addresses: [`2001:db8::${node}/64`] }]));

function up(kindsOf: Record<string, string>, link: Partial<NonNullable<TopologySource['links']>[string]>) {
  const nodes = Object.fromEntries(Object.entries(kindsOf).map(([name, kind]) => [name, { kind }]));
  const ab = { type: 'p2p', wire: true, ends: ends(Object.keys(nodes)), ...link } as NonNullable<
    TopologySource['links']
  >[string];
  const plan = topology({ name: 'faults', defaults: WITHOUT_DAD, nodes, links: { ab } }, { kinds: [...kinds.keys()] });
  return driver.up(plan, { id: `faults-${process.pid}-${labs++}` });
}

async function ping(lab: Lab, from: string, to: string, count: number): Promise<string> {
  const tool = lab.nodes.get(from)!.kind === 'kame' ? 'ping6' : 'ping -6';
  return (await lab.nodes.get(from)!.exec(`${tool} -n -i 0.3 -c ${count} 2001:db8::${to}`)).stdout;
}

const of = (lab: Lab, name: string, from?: string): Frame[] =>
  lab.links
    .get('ab')!
    .frames.filter((frame) => frame.decoded.icmp6?.name === name && (from === undefined || frame.from === from));

describe.skipIf(unavailable !== undefined)('a wire on real devices', () => {
  afterAll(async () => {
    expect((await driver.list()).filter(({ id }) => id.startsWith(`faults-${process.pid}-`))).toEqual([]);
  });

  test.each<[medium: 'ethernet' | 'tun', a: string, b: string]>([
    ['ethernet', 'kame', 'linux'],
    ['ethernet', 'linux', 'linux'],
    ['tun', 'linux', 'kame'],
    ['tun', 'kame', 'kame'],
  ])('%s between %s and %s: the second request is lost, and every frame recorded once', async (medium, a, b) => {
    const faults: FaultSource[] = [{ drop: { icmp6: 'echoRequest', nth: 2 } }];
    await using lab = await up({ a, b }, { medium, faults } as object);
    expect(await ping(lab, 'a', 'b', 3)).toMatch(/3 packets transmitted, 2 (packets )?received/);
    expect(of(lab, 'echoRequest', 'a').map(({ fault }) => fault)).toEqual([undefined, 'lost', undefined]);
    expect(of(lab, 'echoReply', 'b')).toHaveLength(2);
    expect(lab.links.get('ab')!.faults.map(({ fired }) => fired)).toEqual([1]);
    expect(lab.events.filter(({ type }) => type === 'fault')).toMatchObject([{ node: 'a', link: 'ab', what: 'lost' }]);
  });

  test('a delay set while running is there each way, and gone when it is taken off', async () => {
    await using lab = await up({ a: 'linux', b: 'linux' }, {});
    await ping(lab, 'a', 'b', 1);
    const delay = lab.links.get('ab')!.fault({ delay: '60ms' });
    const average = (told: string): number => Number(/= [\d.]+\/([\d.]+)/.exec(told)![1]);
    const slow = average(await ping(lab, 'a', 'b', 3));
    expect(slow).toBeGreaterThanOrEqual(120);
    delay.remove();
    expect(average(await ping(lab, 'a', 'b', 3))).toBeLessThan(slow - 60);
    expect(delay.fired).toBeGreaterThanOrEqual(6);
  });

  test('frames duplicated and held back come out in the order of the wire', async () => {
    await using lab = await up(
      { a: 'linux', b: 'linux' },
      {
        faults: [
          { duplicate: { icmp6: 'echoRequest', nth: 1 } },
          { reorder: { icmp6: 'echoReply', nth: 3 }, by: '450ms' },
        ],
      },
    );
    // replies come every 300 ms; the third of four (the first is doubled) is overtaken by the last
    const told = await ping(lab, 'a', 'b', 3);
    const sequence = [...told.matchAll(/icmp_seq=(\d)/g)].map(([, seq]) => Number(seq));
    expect(sequence).toEqual([1, 1, 3, 2]);
  });

  test('on a LAN of three, one end alone misses what is for all', async () => {
    const faults: FaultSource[] = [{ drop: { icmp6: 'neighborSolicitation' }, from: 'a', to: 'b', times: 1 }];
    await using lab = await up({ a: 'linux', b: 'linux', c: 'kame' }, { type: 'lan', faults });
    expect(await ping(lab, 'a', 'c', 1)).toMatch(/1 received/);
    expect(await ping(lab, 'a', 'b', 1)).toMatch(/1 received/);
    expect(lab.events.filter(({ type }) => type === 'fault').map(({ what }) => what)).toEqual([
      'lost, on its way to b',
    ]);
    expect(lab.links.get('ab')!.frames.filter(({ from }) => from === undefined)).toEqual([]);
  });

  test('a lab that stays cannot have one', () => {
    const plan = topology(
      {
        name: 'faults',
        nodes: { a: { kind: 'linux' }, b: { kind: 'linux' } },
        links: { ab: { type: 'p2p', nodes: ['a', 'b'], wire: true } },
      },
      { kinds: [...kinds.keys()] },
    );
    expect(driver.unsupported(plan, { keep: true })).toBe(
      'ab: a link with faults is carried by the kamelab command and stops with it; take away its faults and wire: true',
    );
  });
});
