/** Each fault on a wire alone: what goes through, when, and what is told of it. */
import { describe, expect, test } from 'vitest';
import { FIELDS, type Field } from '#orchestrator/faults/fields.ts';
import { Chance } from '#orchestrator/faults/random.ts';
import { decode } from '#stack/wire/decode.ts';
import { fragment, icmp6, raw, udp } from '#tests/support/packets.ts';
import { A, ALL, B, Bench, C, echo, frame } from './bench.ts';

/** Echoes 1..count, one a millisecond. */
function echoes(bench: Bench, count: number, from = A): void {
  for (let seq = 1; seq <= count; seq++) bench.send(from, echo(seq, { from }), seq);
}

const NA = icmp6(136, 0, 0x6000_0000, new Uint8Array(16));

test('a wire without faults passes the very bytes', () => {
  const bench = new Bench();
  const bytes = echo(1);
  bench.send(A, bytes);
  expect(bench.arrivals).toEqual([{ time: 0, from: A, to: B, bytes, whole: true }]);
  expect(bench.arrivals[0]!.bytes).toBe(bytes);
});

describe('drop', () => {
  test('all, in both directions', () => {
    const bench = new Bench();
    const fault = bench.place({ drop: 'all' });
    echoes(bench, 3);
    bench.send(B, echo(4, { from: B }));
    expect(bench.arrivals).toEqual([]);
    expect(fault.fired).toBe(4);
  });

  test('by meaning, the first only; others are not copied', () => {
    const bench = new Bench();
    bench.place({ drop: { icmp6: 'neighborAdvertisement', nth: 1 }, from: 'b' });
    bench.send(A, frame(A, [NA]));
    bench.send(B, echo(1, { from: B }));
    bench.send(B, frame(B, [NA]), 5);
    bench.send(B, frame(B, [NA]), 6);
    expect(bench.arrivals.map(({ from, whole }) => [from, whole])).toEqual([
      [A, true],
      [B, true],
      [B, true],
    ]);
    expect(bench.told).toEqual(['5 b lost']);
    expect(bench.events[0]).toMatchObject({
      link: 'ab',
      fault: 'drop icmp6 neighborAdvertisement nth 1 from b',
      frame: expect.stringContaining('neighbor advertisement'),
    });
  });

  test.each<[object, number[]]>([
    [{ nth: [2, 4] }, [1, 3, 5, 6]],
    [{ every: 3 }, [1, 2, 4, 5]],
    [{ times: 2 }, [3, 4, 5, 6]],
    [{ every: 2, times: 1 }, [1, 3, 4, 5, 6]],
  ])('of six frames, %j leaves %j', (choice, left) => {
    const bench = new Bench();
    bench.place({ drop: 'all', ...choice });
    echoes(bench, 6);
    expect(bench.sequence).toEqual(left);
  });

  test('from one time until another, counted from when it was set', () => {
    const bench = new Bench();
    bench.run(10);
    bench.place({ drop: 'all', after: '5ms', until: '8ms' });
    for (let seq = 11; seq <= 20; seq++) bench.send(A, echo(seq), seq);
    expect(bench.sequence).toEqual([11, 12, 13, 14, 18, 19, 20]);
  });

  test('to one end of a cable is from the other', () => {
    const bench = new Bench();
    bench.place({ drop: 'all', to: 'a' });
    bench.send(A, echo(1));
    bench.send(B, echo(2, { from: B }));
    expect(bench.sequence).toEqual([1]);
  });

  test('taken off the link it does nothing more, and says how often it struck', () => {
    const bench = new Bench();
    const fault = bench.place({ drop: 'all' });
    bench.send(A, echo(1));
    fault.remove();
    bench.send(A, echo(2));
    expect(bench.sequence).toEqual([2]);
    expect(bench.wire.faults.map(({ fired }) => fired)).toEqual([1]);
  });
});

describe('on a LAN', () => {
  test('frames go to the station whose source was seen, to all others before', () => {
    const bench = new Bench({ ends: 3 });
    bench.send(A, echo(1, { to: B }));
    bench.send(B, echo(2, { from: B, to: A }));
    bench.send(A, echo(3, { to: B }));
    expect(bench.arrivals.map(({ to }) => to)).toEqual([ALL, A, B]);
  });

  test('to one end takes only its copy of a frame for all', () => {
    const bench = new Bench({ ends: 3 });
    const fault = bench.place({ drop: 'all', to: 'c' });
    bench.send(C, echo(1, { from: C, to: B }));
    bench.send(A, frame(A, [NA], { group: 'ff02::1' }));
    bench.send(B, echo(2, { from: B, to: A }));
    bench.send(A, echo(4, { to: B }));
    bench.send(A, echo(5, { to: C }));
    expect(bench.arrivals.map(({ from, to }) => [from, to])).toEqual([
      [C, ALL],
      [A, B],
      [B, A],
      [A, B],
    ]);
    expect(fault.fired).toBe(2);
    expect(bench.told).toEqual(['0 a lost, on its way to c', '0 a lost, on its way to c']);
  });
});

describe('duplicate', () => {
  test('sends a frame once more, or more often', () => {
    const bench = new Bench();
    bench.place({ duplicate: { nth: 2 }, copies: 2 });
    bench.place({ duplicate: { nth: 1 } });
    echoes(bench, 3);
    expect(bench.sequence).toEqual([1, 1, 2, 2, 2, 3]);
    expect(bench.told).toEqual(['1 a sent twice', '2 a sent 3 times']);
  });

  test('what follows spoils one copy and not the other', () => {
    const bench = new Bench();
    bench.place({ duplicate: 'all' });
    bench.place({ corrupt: { nth: 2 } });
    const bytes = echo(1);
    bench.send(A, bytes);
    expect(bench.arrivals.map((one) => Buffer.compare(one.bytes, bytes) === 0)).toEqual([true, false]);
  });
});

describe('reorder', () => {
  test('holds a frame back for the next of its direction', () => {
    const bench = new Bench();
    bench.place({ reorder: { nth: 1 }, from: 'a' });
    bench.send(A, echo(1), 1);
    bench.send(B, echo(9, { from: B }), 2);
    bench.send(A, echo(2), 3);
    bench.send(A, echo(3), 4);
    expect(bench.sequence).toEqual([9, 2, 1, 3]);
    expect(bench.times).toEqual([2, 3, 3, 4]);
    expect(bench.told).toEqual(['1 a held back for one frame']);
  });

  test('for three frames, exactly', () => {
    const bench = new Bench();
    bench.place({ reorder: { every: 5 }, by: 3 });
    echoes(bench, 15);
    expect(bench.sequence.slice(0, 14)).toEqual([1, 2, 3, 4, 6, 7, 8, 5, 9, 11, 12, 13, 10, 14]);
  });

  test('goes on after a second when no other frame comes', () => {
    const bench = new Bench();
    bench.place({ reorder: { nth: 1 } });
    bench.send(A, echo(1), 5);
    bench.run(5000);
    expect(bench.times).toEqual([1005]);
  });

  test('for a time', () => {
    const bench = new Bench();
    bench.place({ reorder: { nth: 1 }, by: '2.5ms' });
    echoes(bench, 4);
    expect(bench.sequence).toEqual([2, 3, 1, 4]);
    expect(bench.times).toEqual([2, 3, 3.5, 4]);
  });

  test('taken off, lets go of what it held', () => {
    const bench = new Bench();
    const fault = bench.place({ reorder: { nth: 1 }, by: 5 });
    bench.place({ delay: '1ms' });
    bench.send(A, echo(1), 1);
    fault.remove();
    bench.run(10);
    expect(bench.times).toEqual([2]);
  });
});

describe('corrupt', () => {
  const flipped = (bytes: Uint8Array, now: Uint8Array): number[] =>
    [...bytes].flatMap((byte, at) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => ((byte ^ now[at]!) & (0x80 >> bit)) !== 0).map((bit) => at * 8 + bit),
    );

  test('flips so many bits of the packet, the same for one seed, and tells which', () => {
    const run = (seed: number): number[] => {
      const bench = new Bench({ seed });
      bench.place({ corrupt: 'all', bits: 3 });
      const bytes = echo(1);
      bench.send(A, bytes);
      const bits = flipped(bytes, bench.arrivals[0]!.bytes);
      expect(bench.told).toEqual([`0 a spoiled at bits ${bits.join(', ')}`]);
      return bits;
    };
    const bits = run(1);
    expect(bits).toHaveLength(3);
    expect(Math.min(...bits)).toBeGreaterThanOrEqual(14 * 8);
    expect(run(1)).toEqual(bits);
    expect(run(2)).not.toEqual(bits);
  });

  test.each([
    ['icmp6.checksum', 14 + 40 + 2, 2],
    ['ip6.hopLimit', 14 + 7, 1],
    ['eth.dst', 0, 6],
    ['icmp6.data', 14 + 40 + 8, 8],
  ] as const)('only in %s', (field, at, length) => {
    const bench = new Bench();
    bench.place({ corrupt: 'all', field, bits: 2 });
    const bytes = frame(A, [icmp6(128, 0, 0, new Uint8Array(8))]);
    bench.send(A, bytes);
    const bits = flipped(bytes, bench.arrivals[0]!.bytes);
    expect(bits).toHaveLength(2);
    for (const bit of bits) {
      expect(bit >> 3).toBeGreaterThanOrEqual(at);
      expect(bit >> 3).toBeLessThan(at + length);
    }
  });

  test('leaves a frame without the field alone, and does not count it', () => {
    const bench = new Bench();
    const fault = bench.place({ corrupt: { nth: 1 }, field: 'udp.checksum' });
    bench.send(A, echo(1));
    bench.send(A, frame(A, [fragment(8, false, 1, 17), raw(17, new Uint8Array(16))]));
    expect(fault.fired).toBe(0);
    bench.send(A, frame(A, [udp(1, 2)]));
    expect(fault.fired).toBe(1);
    expect(decode(bench.arrivals[2]!.bytes).udp!.checksumOk).toBe(false);
  });
});

describe('delay', () => {
  test('is exact, and keeps the order', () => {
    const bench = new Bench();
    bench.place({ delay: '30ms', from: 'a' });
    echoes(bench, 3);
    bench.send(B, echo(9, { from: B }), 3.5);
    bench.run(100);
    expect(bench.times).toEqual([3.5, 31, 32, 33]);
    expect(bench.told[0]).toBe('1 a delayed by 30 ms');
  });

  test('with jitter lies within its bounds, in order unless frames may overtake', () => {
    const run = (overtake: boolean): Bench => {
      const bench = new Bench();
      bench.place({ delay: '10ms', jitter: '5ms', overtake });
      echoes(bench, 200);
      bench.run(1000);
      return bench;
    };
    const sorted = [...Array(200).keys()].map((at) => at + 1);
    expect(run(false).sequence).toEqual(sorted);
    const { arrivals, sequence } = run(true);
    expect(sequence).not.toEqual(sorted);
    const delays = arrivals.map(({ time }, at) => time - sequence[at]!);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...delays)).toBeLessThanOrEqual(15);
    expect(Math.min(...delays)).toBeLessThan(5.5);
    expect(Math.max(...delays)).toBeGreaterThan(14.5);
  });
});

describe('loss', () => {
  test('of 10% loses the same tenth of the frames for one seed', () => {
    const lost = (seed: number): number => {
      const bench = new Bench({ seed });
      const fault = bench.place({ loss: '10%' });
      echoes(bench, 10_000);
      expect(bench.arrivals.length + fault.fired).toBe(10_000);
      return fault.fired;
    };
    expect([lost(1), lost(1), lost(2)]).toMatchInlineSnapshot(`
      [
        949,
        949,
        1006,
      ]
    `);
  });

  test('in bursts: mean length 1 / leave, share of the bad state enter / (enter + leave)', () => {
    const bench = new Bench();
    const fault = bench.place({ loss: { enter: '1%', leave: '25%' } });
    echoes(bench, 20_000);
    const arrived = new Set(bench.sequence);
    let bursts = 0;
    for (let seq = 1; seq <= 20_000; seq++) if (!arrived.has(seq) && (seq === 1 || arrived.has(seq - 1))) bursts++;
    const length = fault.fired / bursts;
    expect(length).toBeGreaterThan(3.5);
    expect(length).toBeLessThan(4.5);
    expect({ lost: fault.fired, bursts }).toMatchInlineSnapshot(`
      {
        "bursts": 196,
        "lost": 773,
      }
    `);
  });

  test('probability on any fault chooses by chance', () => {
    const bench = new Bench();
    const fault = bench.place({ duplicate: { probability: 0.5 } });
    echoes(bench, 1000);
    expect(bench.arrivals).toHaveLength(1000 + fault.fired);
    expect(fault.fired).toMatchInlineSnapshot(`509`);
  });
});

describe('rate', () => {
  // 70 bytes and 1000 bytes a frame
  const LONG = 1000 - 14 - 40 - 8;

  test('a frame arrives when its last bit has passed', () => {
    const bench = new Bench();
    bench.place({ rate: '1mbit' });
    for (let seq = 1; seq <= 3; seq++) bench.send(A, echo(seq, { size: LONG }), 0);
    bench.send(B, echo(4, { from: B, size: LONG }), 1);
    bench.run(100);
    expect(bench.arrivals.map(({ from, time }) => [from, Number(time.toFixed(6))])).toEqual([
      [A, 8],
      [B, 9],
      [A, 16],
      [A, 24],
    ]);
  });

  test('what finds the queue full is lost, counted in frames or bytes', () => {
    for (const queue of [2, '2000B'] as const) {
      const bench = new Bench();
      const fault = bench.place({ rate: '1mbit', queue });
      for (let seq = 1; seq <= 4; seq++) bench.send(A, echo(seq, { size: LONG }), 0);
      bench.send(A, echo(5, { size: LONG }), 8);
      bench.run(100);
      expect(bench.sequence).toEqual([1, 2, 5]);
      expect(bench.times).toEqual([8, 16, 24]);
      expect(bench.told[2]).toBe('0 a lost: the queue is full');
      expect(fault.fired).toBe(5);
    }
  });

  test('a burst passes at once after a pause', () => {
    const bench = new Bench();
    bench.place({ rate: '1mbit', burst: '2kB' });
    for (let seq = 1; seq <= 4; seq++) bench.send(A, echo(seq, { size: LONG }), 0);
    for (let seq = 5; seq <= 7; seq++) bench.send(A, echo(seq, { size: LONG }), 24);
    bench.run(100);
    // 8 ms without traffic save 1000 bytes
    expect(bench.times).toEqual([0, 0, 8, 16, 24, 32, 40]);
  });

  test('carries its rate over time', () => {
    const bench = new Bench();
    bench.place({ rate: '10mbit', queue: '1MB' });
    for (let seq = 0; seq < 1000; seq++) bench.send(A, echo(seq, { size: LONG }), seq * 0.1);
    bench.run(10_000);
    expect(bench.arrivals).toHaveLength(1000);
    expect(bench.times.at(-1)).toBeCloseTo(800, 6);
  });
});

test('mtu loses larger packets without a word', () => {
  const bench = new Bench();
  const fault = bench.place({ mtu: 1280 });
  bench.send(A, echo(1, { size: 1280 - 48 }));
  bench.send(A, echo(2, { size: 1280 - 47 }));
  expect(bench.sequence).toEqual([1]);
  expect(fault.fired).toBe(1);
});

describe('down', () => {
  test('loses what is sent meanwhile, and tells when it turns', () => {
    const bench = new Bench();
    const fault = bench.place({ down: '3s', after: '2s' });
    for (const time of [1999.9, 2000, 4999.9, 5000]) bench.send(A, echo(time), time);
    expect(bench.sequence).toEqual([1999, 5000]);
    expect(bench.told).toEqual(['2000 - link down', '2000 a lost', '4999.9 a lost', '5000 - link up']);
    expect(fault.fired).toBe(2);
    expect(bench.wire.due).toBe(Number.POSITIVE_INFINITY);
  });

  test('a link that flaps goes down and up by turns until it is told to stop', () => {
    const bench = new Bench();
    bench.place({ flap: { down: '1s', up: '4s' }, after: '100ms', until: '11s' });
    bench.run(60_000);
    expect(bench.told).toEqual([
      '100 - link down',
      '1100 - link up',
      '5100 - link down',
      '6100 - link up',
      '10100 - link down',
      '11000 - link up',
    ]);
  });

  test('is down from the turn on, at whatever time it was placed: binary fractions do not add up', () => {
    const chance = new Chance(7, 'times');
    for (let round = 0; round < 2000; round++) {
      const bench = new Bench();
      bench.run((chance.next() * 9000) / 7); // all the bits of a double
      bench.place({ down: '3s', after: '2s' });
      bench.run(bench.now + 60_000);
      expect(bench.events.map(({ what }) => what)).toEqual(['link down', 'link up']);
    }
  });

  test('at once, and in one direction', () => {
    const bench = new Bench();
    bench.place({ down: '1s', from: 'a' });
    bench.send(A, echo(1));
    bench.send(B, echo(2, { from: B }));
    expect(bench.sequence).toEqual([2]);
    expect(bench.told).toEqual(['0 - link down', '0 a lost']);
  });
});

test('faults lie one behind the other: what is delayed meets the next one later', () => {
  const bench = new Bench();
  bench.place({ delay: '100ms' });
  bench.place({ down: '50ms', after: '150ms' });
  for (const time of [40, 60, 100]) bench.send(A, echo(time), time);
  bench.run(1000);
  expect(bench.sequence).toEqual([40, 100]);
});

test('the fate of a frame is marked on its record', () => {
  const bench = new Bench();
  bench.place({ delay: '1ms' });
  bench.place({ drop: { nth: 1 } });
  const mark: { fault: string | undefined } = { fault: undefined };
  expect(bench.wire.transmit(echo(1), A, 0, mark)).toBe(false);
  expect(mark.fault).toBe('delayed by 1 ms; lost');
});

test('strikes are all counted, and the first thousand told', () => {
  const bench = new Bench();
  const fault = bench.place({ drop: 'all' });
  echoes(bench, 1200);
  expect(fault.fired).toBe(1200);
  expect(bench.events).toHaveLength(1000);
  expect(bench.events.at(-1)!.what).toBe('lost; what it does from now on is only counted');
});

test('what it holds is bounded', () => {
  const bench = new Bench();
  bench.place({ delay: '1h' });
  const large = frame(A, [raw(59, new Uint8Array(60_000))]);
  for (let count = 0; count < 2000; count++) bench.send(A, large);
  expect(bench.wire.overflowed).toBe(2000 - Math.floor((64 << 20) / large.length));
});

test('hostile frames pass every kind of fault without harm, and each is delivered or told to be lost', () => {
  const bench = new Bench({ ends: 3 });
  const chance = new Chance(1, 'fuzz');
  for (const match of [{ icmp6: 'any' }, { tcp: 'any' }, { fragment: 'any' }, { header: 'routing' }] as const)
    bench.place({ drop: { ...match, every: 50 } });
  for (const field of Object.keys(FIELDS) as Field[]) bench.place({ corrupt: { probability: 0.05 }, field });
  bench.place({ drop: { probability: 0.01 }, to: 'c' });
  bench.place({ reorder: { probability: 0.1 }, by: 3 });
  bench.place({ delay: '3ms', jitter: '3ms', overtake: true });
  bench.place({ mtu: 1400 });
  for (let count = 0; count < 5000; count++) {
    const bytes = Uint8Array.from({ length: chance.below(1500) }, () => chance.below(256));
    if (chance.next() < 0.8) {
      // well enough formed that the walk goes on
      bytes.set([0x86, 0xdd, 0x60].slice(0, Math.max(0, bytes.length - 12)), Math.min(12, bytes.length));
      if (bytes.length > 60) bytes[20] = [0, 6, 17, 43, 44, 58, 60][chance.below(7)]!;
    }
    bench.send(chance.below(3), bytes, count / 10);
  }
  bench.run(10_000);
  expect(bench.wire.due).toBe(Number.POSITIVE_INFINITY);
  const lost = bench.events.filter(({ what }) => what === 'lost').length;
  const parted = bench.events.filter(({ what }) => what.includes('on its way to')).length;
  expect(lost).toBeGreaterThan(100);
  // of a frame for both others, one copy is left when that to c is lost
  const passed = bench.arrivals.length;
  expect(passed + lost + parted).toBeGreaterThanOrEqual(5000);
  expect(passed + lost).toBeLessThanOrEqual(5000 + parted);
});
