/** RFC 4861 appendix C, row by row: state, event, what is sent, new state. The machine is judged by this table. */
import { expect, test } from 'vitest';
import type { NeighborState } from '#stack/nd6/neighbor.ts';
import { setNeighbor } from '#stack/nd6/static-entries.ts';
import { address, viewOf } from '#stack/wire/address.ts';
import { MAC_A, MAC_B, na, ns, OWN, PEER, Station, sll, tll } from './station.ts';

type State = NeighborState | 'none';

/** Base reachable time is drawn from 15..45 s; the table wants to know when. */
const REACHABLE = 30_000;

const drive: Record<string, (station: Station) => void> = {
  send: (s) => void s.send(PEER),
  'NA SO same': (s) => s.receive(na({ flags: 'SO', options: tll(MAC_A) })),
  'NA S same': (s) => s.receive(na({ flags: 'S', options: tll(MAC_A) })),
  'NA S none': (s) => s.receive(na({ flags: 'S' })),
  'NA SO none': (s) => s.receive(na({ flags: 'SO' })),
  'NA O same': (s) => s.receive(na({ flags: 'O', options: tll(MAC_A) })),
  'NA same': (s) => s.receive(na({ flags: '', options: tll(MAC_A) })),
  'NA none': (s) => s.receive(na({ flags: '' })),
  'NA SO other': (s) => s.receive(na({ flags: 'SO', options: tll(MAC_B) })),
  'NA S other': (s) => s.receive(na({ flags: 'S', options: tll(MAC_B) })),
  'NA O other': (s) => s.receive(na({ flags: 'O', options: tll(MAC_B) })),
  'NA other': (s) => s.receive(na({ flags: '', options: tll(MAC_B) })),
  'NS same': (s) => s.receive(ns({ target: OWN, options: sll(MAC_A) })),
  'NS other': (s) => s.receive(ns({ target: OWN, options: sll(MAC_B) })),
  'NS none': (s) => s.receive(ns({ target: OWN })),
  hint: (s) => s.neighbor(PEER)?.onConfirm(),
  'retrans timeout': (s) => s.clock.run(1000),
  'reachable timeout': (s) => s.clock.run(REACHABLE),
  'delay timeout': (s) => s.clock.run(5000),
  'gc timeout': (s) => s.clock.run(86_400_000),
};

/** How to come into a state. */
const reach: Record<State, string[]> = {
  none: [],
  incomplete: ['send'],
  reachable: ['send', 'NA SO same'],
  stale: ['send', 'NA SO same', 'reachable timeout'],
  delay: ['send', 'NA SO same', 'reachable timeout', 'send'],
  probe: ['send', 'NA SO same', 'reachable timeout', 'send', 'delay timeout'],
  static: [],
};

const MULTICAST = `ns ${PEER} ${OWN}>ff02::1:ff00:2 sll=1`;
const UNICAST = `ns ${PEER} ${OWN}>${PEER} sll=1`;
const ANSWER = `na ${OWN} ${OWN}>${PEER} SO tll=1`;
const DATA = `data >${PEER}`;

type Row = [from: State, event: string, frames: string[], to: State, mac: 'a' | 'b' | '-'];
// prettier-ignore
const rows: Row[] = [
  ['none', 'send', [MULTICAST], 'incomplete', '-'],
  ['none', 'NA SO same', [], 'none', '-'],
  ['none', 'NA none', [], 'none', '-'],
  // the answer is a packet sent to it, so what was learned is soon to be checked
  ['none', 'NS same', [ANSWER], 'delay', 'a'],
  ['none', 'NS none', [`ns ${PEER} ${OWN}>ff02::1:ff00:2 sll=1`], 'incomplete', '-'],

  ['incomplete', 'send', [], 'incomplete', '-'],
  ['incomplete', 'retrans timeout', [MULTICAST], 'incomplete', '-'],
  ['incomplete', 'NA SO same', [DATA], 'reachable', 'a'],
  ['incomplete', 'NA S same', [DATA], 'reachable', 'a'],
  // the queued packet goes to a stale neighbor: a send
  ['incomplete', 'NA O same', [DATA], 'delay', 'a'],
  ['incomplete', 'NA same', [DATA], 'delay', 'a'],
  ['incomplete', 'NA SO none', [], 'incomplete', '-'],
  ['incomplete', 'NA none', [], 'incomplete', '-'],
  ['incomplete', 'NS same', [DATA, ANSWER], 'delay', 'a'],
  ['incomplete', 'NS none', [], 'incomplete', '-'],
  ['incomplete', 'hint', [], 'incomplete', '-'],

  ['reachable', 'send', [DATA], 'reachable', 'a'],
  ['reachable', 'reachable timeout', [], 'stale', 'a'],
  ['reachable', 'NA SO same', [], 'reachable', 'a'],
  ['reachable', 'NA S same', [], 'reachable', 'a'],
  ['reachable', 'NA same', [], 'reachable', 'a'],
  ['reachable', 'NA O same', [], 'reachable', 'a'],
  ['reachable', 'NA none', [], 'reachable', 'a'],
  ['reachable', 'NA other', [], 'stale', 'a'],
  ['reachable', 'NA S other', [], 'stale', 'a'],
  ['reachable', 'NA O other', [], 'stale', 'b'],
  ['reachable', 'NA SO other', [], 'reachable', 'b'],
  ['reachable', 'NS same', [ANSWER], 'reachable', 'a'],
  ['reachable', 'NS other', [ANSWER], 'delay', 'b'],
  ['reachable', 'hint', [], 'reachable', 'a'],

  ['stale', 'send', [DATA], 'delay', 'a'],
  ['stale', 'gc timeout', [], 'none', '-'],
  ['stale', 'NA SO same', [], 'reachable', 'a'],
  ['stale', 'NA S same', [], 'reachable', 'a'],
  ['stale', 'NA S none', [], 'reachable', 'a'],
  ['stale', 'NA same', [], 'stale', 'a'],
  ['stale', 'NA O same', [], 'stale', 'a'],
  ['stale', 'NA none', [], 'stale', 'a'],
  ['stale', 'NA other', [], 'stale', 'a'],
  ['stale', 'NA S other', [], 'stale', 'a'],
  ['stale', 'NA O other', [], 'stale', 'b'],
  ['stale', 'NA SO other', [], 'reachable', 'b'],
  ['stale', 'NS same', [ANSWER], 'delay', 'a'],
  ['stale', 'NS other', [ANSWER], 'delay', 'b'],
  ['stale', 'hint', [], 'reachable', 'a'],

  ['delay', 'send', [DATA], 'delay', 'a'],
  ['delay', 'delay timeout', [UNICAST], 'probe', 'a'],
  ['delay', 'NA SO same', [], 'reachable', 'a'],
  ['delay', 'NA same', [], 'delay', 'a'],
  ['delay', 'NA other', [], 'delay', 'a'],
  ['delay', 'NA S other', [], 'delay', 'a'],
  ['delay', 'NA O other', [], 'stale', 'b'],
  ['delay', 'NA SO other', [], 'reachable', 'b'],
  ['delay', 'NS same', [ANSWER], 'delay', 'a'],
  ['delay', 'NS other', [ANSWER], 'delay', 'b'],
  ['delay', 'hint', [], 'reachable', 'a'],

  ['probe', 'send', [DATA], 'probe', 'a'],
  ['probe', 'retrans timeout', [UNICAST], 'probe', 'a'],
  ['probe', 'NA SO same', [], 'reachable', 'a'],
  ['probe', 'NA S same', [], 'reachable', 'a'],
  ['probe', 'NA S none', [], 'reachable', 'a'],
  ['probe', 'NA same', [], 'probe', 'a'],
  ['probe', 'NA O same', [], 'probe', 'a'],
  ['probe', 'NA none', [], 'probe', 'a'],
  ['probe', 'NA other', [], 'probe', 'a'],
  ['probe', 'NA S other', [], 'probe', 'a'],
  ['probe', 'NA O other', [], 'stale', 'b'],
  ['probe', 'NA SO other', [], 'reachable', 'b'],
  ['probe', 'NS same', [ANSWER], 'probe', 'a'],
  ['probe', 'NS other', [ANSWER], 'delay', 'b'],
  ['probe', 'hint', [], 'reachable', 'a'],

  ['static', 'send', [DATA], 'static', 'a'],
  ['static', 'NA SO other', [], 'static', 'a'],
  ['static', 'NS other', [ANSWER], 'static', 'a'],
  ['static', 'gc timeout', [], 'static', 'a'],
  ['static', 'hint', [], 'static', 'a'],
];

test.each(rows)('ND-02 %s, %s: sends %j, then %s, at %s', (from, event, frames, to, mac) => {
  const station = new Station();
  station.stack.sysctl.icmp6.nd6_maxnudhint = 5;
  station.ifp.nd.reachableTime = REACHABLE;
  station.ifp.nd.drawnFrom = station.ifp.nd.baseReachableTime;
  if (from === 'static')
    setNeighbor(station.stack, address(PEER), undefined, MAC_A, { temporary: false, proxy: false });
  for (const step of reach[from]) drive[step]!(station);
  expect(station.neighbor(PEER)?.state ?? 'none').toBe(from);
  station.sent();

  drive[event]!(station);
  const neighbor = station.neighbor(PEER);
  expect(station.sent()).toEqual(frames);
  expect(neighbor?.state ?? 'none').toBe(to);
  expect(neighbor?.linkAddress?.[5]?.toString(16) ?? '-').toBe(mac);
  expect(station.stack.neighbors.find(viewOf(address(PEER)), 0, station.ifp.index)).toBe(neighbor);
});

test.each<[State, string, number]>([
  ['incomplete', 'retrans timeout', 3],
  ['probe', 'retrans timeout', 3],
])('ND-02 %s is over after the third unanswered solicitation', (from, event, tries) => {
  const station = new Station();
  for (const step of reach[from]) drive[step]!(station);
  for (let asked = 1; asked < tries; asked++) drive[event]!(station);
  expect(station.neighbor(PEER)?.state).toBe(from);
  drive[event]!(station);
  expect(station.neighbor(PEER)).toBeUndefined();
});

test('ND-02 the trace tells every transition once, with text addresses', () => {
  const station = new Station();
  for (const step of reach.probe) drive[step]!(station);
  station.clock.run(3000);
  expect(station.events.flatMap((event) => (event.type === 'neighbor' ? [`${event.from}>${event.to}`] : []))).toEqual([
    'none>incomplete',
    'incomplete>reachable',
    'reachable>stale',
    'stale>delay',
    'delay>probe',
    'probe>none',
  ]);
  expect(station.events.find((event) => event.type === 'neighbor')).toMatchObject({ interface: 'if0', address: PEER });
});

test('ND-22 the router flag follows every advertisement that is taken', () => {
  const station = new Station();
  drive['send']!(station);
  station.receive(na({ flags: 'RSO', options: tll(MAC_A) }));
  expect(station.neighbor(PEER)?.router).toBe(true);
  // not taken: another address without override
  station.receive(na({ flags: 'S', options: tll(MAC_B) }));
  expect(station.neighbor(PEER)?.router).toBe(true);
  station.receive(na({ flags: 'S', options: tll(MAC_A) }));
  expect(station.neighbor(PEER)?.router).toBe(false);
});
