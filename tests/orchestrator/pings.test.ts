import { expect, test } from 'vitest';
import { LinkRecord } from '#orchestrator/capture.ts';
import type { Frame } from '#orchestrator/drivers/driver.ts';
import { percentile, pings, roundTrips } from '#orchestrator/pings.ts';
import { echo, sampleTopology, solicitation } from './report-sample.ts';

const [ab, lan0] = sampleTopology().links as [never, never];

/** What was seen, in order. */
function seen(talk: (ab: LinkRecord, lan0: LinkRecord) => void): Frame[] {
  const frames: Frame[] = [];
  const tell = (frame: Frame): void => void frames.push(frame);
  talk(new LinkRecord(ab, tell), new LinkRecord(lan0, tell));
  return frames;
}

test('an answer is told from its request by addresses, identifier and number', () => {
  const frames = seen((link) => {
    link.add(0, solicitation('a'), 'a');
    link.add(10, echo('a', 1), 'a');
    link.add(11, echo('b', 1), 'b');
    link.add(10.25, echo('b', 1, true), 'b');
    link.add(20, echo('a', 2), 'a');
    link.add(21.5, echo('a', 1, true), 'a');
  });
  expect(pings(frames).map(({ node, time, rtt }) => [node, time, rtt])).toEqual([
    ['a', 10, 0.25],
    ['b', 11, 10.5],
    ['a', 20, null],
  ]);
});

test('a request that a router passes on is that of the link where it was seen first', () => {
  const frames = seen((first, second) => {
    first.add(10, echo('a', 1), 'a');
    second.add(11, echo('a', 1));
    second.add(12, echo('b', 1, true), 'b');
    first.add(13, echo('b', 1, true));
  });
  expect(pings(frames)).toMatchObject([{ link: 'ab', node: 'a', time: 10, rtt: 3 }]);
});

test('an answer that comes twice counts once, and one to nothing not at all', () => {
  const frames = seen((link) => {
    link.add(5, echo('b', 9, true), 'b');
    link.add(10, echo('a', 1), 'a');
    link.add(11, echo('b', 1, true), 'b');
    link.add(19, echo('b', 1, true), 'b');
  });
  expect(pings(frames).map(({ rtt }) => rtt)).toEqual([1]);
});

test('round trips are told by who asked whom, the shortest first', () => {
  const frames = seen((link) => {
    for (const [at, time] of [3, 1, 2].entries()) {
      link.add(at * 100, echo('a', at), 'a');
      link.add(at * 100 + time, echo('b', at, true), 'b');
    }
    link.add(400, echo('a', 4), 'a');
  });
  expect(roundTrips(pings(frames))).toEqual([
    { link: 'ab', from: 'a', to: 'fe80::ff:fe00:b', sent: 4, times: [1, 2, 3] },
  ]);
});

test('a percentile is a time that was measured', () => {
  const times = Array.from({ length: 200 }, (_, at) => at + 1);
  expect([50, 90, 99, 100].map((percent) => percentile(times, percent))).toEqual([100, 180, 198, 200]);
  expect([0, 50, 99].map((percent) => percentile([7], percent))).toEqual([7, 7, 7]);
});
