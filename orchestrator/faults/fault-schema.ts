/**
 * A fault as it is written, in a topology or by a scenario:
 *
 *   - drop: { icmp6: neighborAdvertisement, nth: 1 }
 *     from: b
 *   - delay: 30ms
 *     jitter: 5ms
 *   - { down: 3s, after: 2s }
 *
 * One field says what is done (`drop`, `delay`, ...), some say how (`jitter`, `copies`, ...), and the others to which frames
 * and when. Each field's form is checked here; which go together, in fault.ts.
 */
import { z } from 'zod';
import { fields, flag, list, named, number, text } from '../schema-forms.ts';
import { expected, expectedOneOf } from '../topology-problems.ts';
import { FIELDS, type Field } from './fields.ts';
import { matchShape } from './match.ts';
import { DURATION, LASTING, PERCENTAGE, RATE, SIZE } from './units.ts';

const duration = (example: string) => text(`a duration such as ${example}, in us, ms, s, m or h`, DURATION);
const lasting = (example: string) => text(`a duration such as ${example}, in us, ms, s, m or h, not none`, LASTING);
const PROBABILITY = 'a probability such as 1%, or 0.01';
const probability = z.union(
  [
    text(PROBABILITY, PERCENTAGE),
    z
      .number({ error: expected(PROBABILITY) })
      .min(0, { error: expected(PROBABILITY) })
      .max(1, { error: expected(PROBABILITY) }),
  ],
  { error: expected(PROBABILITY) },
);
const size = text('an amount of bytes such as 64kB, in B, kB or MB', SIZE);
const COUNT = 2 ** 31 - 1;
const one = number(1, COUNT);

/** Which of the frames that match: counted for the fault as a whole, whatever way they go. */
const choice = {
  nth: z
    .union([one, list(one, 'a list of numbers')], {
      error: expected('a number such as 1 for the first, or a list of them'),
    })
    .describe('Only the first (1), second (2), ... frame that matches; or a list of them.')
    .optional(),
  every: one.describe('Only every second (2), third (3), ... frame that matches.').optional(),
  times: one.describe('At most so many times.').optional(),
  probability: probability.describe('With this probability: `1%`, or 0.01.').optional(),
};

const what = named(
  'frames',
  z.union(
    [
      z.literal('all'),
      fields('a match such as { icmp6: neighborAdvertisement, nth: 1 }', { ...matchShape, ...choice }),
    ],
    {
      error: expected('all, or a match such as { icmp6: neighborAdvertisement, nth: 1 }'),
    },
  ),
);

const FIELD_NAMES = Object.keys(FIELDS) as [Field, ...Field[]];
const END = /^[a-z][a-z0-9-]{0,30}(:[a-z][a-z0-9_.-]{0,14})?$/;
const end = text('a node of the link such as "a", or node and interface "a:eth0"', END);

/** What a fault can do. */
export const actionShape = {
  drop: what.describe('Lose the frames: `all`, or those of a match.').optional(),
  duplicate: what.describe('Send them more than once.').optional(),
  reorder: what.describe('Hold them back until later frames of the same direction have passed.').optional(),
  corrupt: what.describe('Flip bits of them. No checksum is mended.').optional(),
  delay: duration('30ms').describe('Hold frames for so long.').optional(),
  loss: z
    .union(
      [
        probability,
        fields('a burst model such as { enter: 1%, leave: 25% }', {
          enter: probability.describe('Of the bad state to begin, asked at each frame.'),
          leave: probability.describe('Of the bad state to end, asked at each frame.'),
          bad: probability.describe('Of loss in the bad state, 100% unless given.').optional(),
          good: probability.describe('Of loss in the good state, 0% unless given.').optional(),
        }),
      ],
      { error: expected('a probability such as 1%, or bursts (Gilbert-Elliott) such as { enter: 1%, leave: 25% }') },
    )
    .describe('Lose frames by chance: each alone, or in bursts (Gilbert-Elliott).')
    .optional(),
  rate: text('a rate such as 10mbit, in bit, kbit, mbit or gbit a second', RATE)
    .describe('A bottleneck in each direction: `10mbit`.')
    .optional(),
  mtu: number(0, 65_535).describe('Lose IP packets that are larger, and tell nobody.').optional(),
  down: lasting('3s')
    .describe('Lose every frame for so long, from `after` on. The ends keep their carrier.')
    .optional(),
  flap: fields('times such as { down: 1s, up: 4s }', { down: lasting('1s'), up: lasting('4s') })
    .describe('Down and up by turns, beginning with down at `after`.')
    .optional(),
};

/** How it is done; each belongs to one action. */
export const detailShape = {
  copies: number(1, 100).describe('duplicate: how many more are sent, 1 unless given.').optional(),
  by: z
    .union([number(1, 1000), duration('20ms')], {
      error: expected('a number of frames such as 3, or a duration such as 20ms'),
    })
    .describe('reorder: how many later frames go first, 1 unless given; or for how long it is held.')
    .optional(),
  bits: number(1, 1000).describe('corrupt: how many bits, 1 unless given.').optional(),
  field: z
    .enum(FIELD_NAMES, { error: expectedOneOf(FIELD_NAMES) })
    .describe('corrupt: only in this field. Without it, anywhere in the IP packet.')
    .optional(),
  jitter: duration('5ms').describe('delay: so much more or less, evenly spread. Frames keep their order.').optional(),
  overtake: flag().describe('delay: frames with less jitter may overtake others.').optional(),
  queue: z
    .union([one, size], { error: expected('an amount of bytes such as 64kB, or a number of frames') })
    .describe('rate: what may wait, in bytes or frames, 64kB unless given; more is lost.')
    .optional(),
  burst: size.describe('rate: bytes that may pass at once after a pause, none unless given.').optional(),
};

const whenShape = {
  name: text('a name', /^\S(.{0,78}\S)?$/)
    .describe('As time line and report call it.')
    .optional(),
  match: fields('a match such as { icmp6: neighborAdvertisement }', matchShape)
    .describe('Only frames that agree with all of this.')
    .optional(),
  from: end.describe('Only frames that this node sends.').optional(),
  to: end.describe('Only frames on their way to this node.').optional(),
  after: duration('5s')
    .describe('Only from then on: since the link came up, or since a scenario set the fault.')
    .optional(),
  until: duration('20s').describe('Only until then.').optional(),
  ...choice,
  optional: flag().describe('true: the run need not fail when this never does anything.').optional(),
};

export const choiceFields = Object.keys(choice) as readonly (keyof typeof choice)[];

export const faultSchema = named(
  'fault',
  fields('a fault such as { drop: { icmp6: neighborAdvertisement, nth: 1 } }', {
    ...actionShape,
    ...detailShape,
    ...whenShape,
  }),
);

/** As it is written. */
export type FaultSource = z.input<typeof faultSchema>;
