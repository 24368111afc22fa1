/** A day of two nodes that talk now and then: fast, exact, the same every time. */
import { createHash, type Hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Timer } from '#stack/env/clock.ts';
import { SeededRandom } from '#stack/env/random.ts';
import { VirtualClock } from '#stack/env/virtual-clock.ts';
import { addAddress } from '#stack/ip6/addresses.ts';
import { ip6Output } from '#stack/ip6/output.ts';
import type { Medium } from '#stack/link/link.ts';
import { Segment } from '#stack/link/segment.ts';
import { Pool } from '#stack/packet/pool.ts';
import { Stack } from '#stack/stack.ts';
import { address, set } from '#stack/wire/address.ts';
import * as Ip6 from '#stack/wire/ip6.ts';
import { NextHeader } from '#stack/wire/next-header.ts';

const DAY = 86_400_000;

interface Day {
  readonly capture: string;
  readonly frames: number;
  readonly solicitations: number;
  readonly outstanding: number;
  readonly states: (string | undefined)[];
}

function day(medium: Medium, seed: number): Day {
  const clock = new VirtualClock();
  const pool = new Pool({ poison: true });
  const cable = new Segment(clock, { medium });
  const capture: Hash = createHash('sha256');
  let frames = 0;
  cable.tap((pkt) => {
    frames++;
    capture.update(`${clock.now} `);
    capture.update(pkt.bytes.subarray(pkt.head, pkt.tail));
  });
  const root = new SeededRandom(seed);
  const nodes = [1, 2].map((number) => {
    const stack = new Stack({ clock, pool, random: root.fork(`node ${number}`), hostname: `n${number}`, strict: true });
    const mac = medium === 'ethernet' ? Uint8Array.of(2, 0, 0, 0, 0, number) : undefined;
    const ifp = stack.addInterface('if0', medium === 'ethernet' ? 'ethernet' : 'pointToPoint', cable.connect(mac));
    addAddress(stack, ifp, address(`2001:db8::${number}`), 64);
    ifp.setUp(true);
    return { stack, ifp };
  });
  // one packet every 0..20 s, from the one or the other
  const traffic = root.fork('traffic');
  const talk = new Timer(() => {
    const from = traffic.u32() & 1;
    const pkt = pool.take(48);
    pkt.tail = pkt.head + 48;
    pkt.bytes.fill(0, pkt.head, pkt.tail);
    Ip6.write(pkt.view, pkt.head, 8, NextHeader.none, 64);
    set(pkt.view, pkt.head + Ip6.SOURCE, address(`2001:db8::${from + 1}`));
    set(pkt.view, pkt.head + Ip6.DESTINATION, address(`2001:db8::${2 - from}`));
    ip6Output(nodes[from]!.stack, pkt);
    clock.arm(talk, traffic.u32() % 20_000);
  });
  clock.arm(talk, 5000);
  clock.run(DAY);
  return {
    capture: capture.digest('hex'),
    frames,
    solicitations: nodes.reduce((sum, { stack }) => sum + stack.counters.nd6.solicitationsSent, 0),
    outstanding: pool.outstanding - cable.held,
    states: nodes.map(({ stack, ifp }) => [...stack.neighbors.all()].find(({ interface: on }) => on === ifp)?.state),
  };
}

describe.each(['ethernet', 'ip'] as const)('on a link of medium %s', (medium) => {
  test('ND-02 ND-15 24 hours of unreachability detection are byte-identical twice, and other with another seed', () => {
    const first = day(medium, 4861);
    expect(day(medium, 4861)).toEqual(first);
    expect(day(medium, 4862).capture).not.toBe(first.capture);
    // a packet each 10 s, and a probe every 20..70 s by each of two nodes
    expect(first.frames).toBeGreaterThan(10_000);
    expect(first.solicitations).toBeGreaterThan(2 * (DAY / 70_000));
    expect(first.solicitations).toBeLessThan(2 * (DAY / 20_000));
    expect(first.outstanding).toBe(0);
    for (const state of first.states) expect(['reachable', 'stale', 'delay', 'probe']).toContain(state);
  });
});
