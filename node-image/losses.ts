/** Which counters of a kame node tell of lost packets and refused messages, among all that it counts; and their words. */
import { type CounterName, type Protocol, text } from '#stack/counters.ts';

const LOSSES: { readonly [P in Protocol]: readonly CounterName<P>[] } = {
  ip6: [
    'tooSmall',
    'tooShort',
    'badOptions',
    'badVersion',
    'fragmentsDropped',
    'fragmentsTimeout',
    'fragmentsOverflow',
    'fragmentsOverlap',
    'cannotForward',
    'outDropped',
    'noRoute',
    'cannotFragment',
    'badScope',
    'notMember',
    'headersTooLong',
    'tooManyHeaders',
    'routingHeaderRefused',
    'disabled',
    'tentative',
    'badAddress',
    'notForUs',
    'noProtocol',
    'internalError',
  ],
  icmp6: [
    'cannotError',
    'tooFrequent',
    'badCode',
    'tooShort',
    'badChecksum',
    'badLength',
    'unknownType',
    'tooManyOptions',
    'badOptions',
    'badNeighborSolicitation',
    'badNeighborAdvertisement',
    'badRouterSolicitation',
    'badRouterAdvertisement',
    'badRedirect',
  ],
  nd6: ['heldDropped', 'unresolved', 'cacheFull'],
  mld6: ['badQueries', 'badReports'],
  udp6: ['tooShort', 'badLength', 'badChecksum', 'noChecksum', 'noPort', 'noPortMulticast', 'fullSocket'],
  rip6: ['badChecksum', 'noSocket', 'fullSocket'],
};

/** `ip6.noRoute` -> `output packets discarded due to no route`. */
export const kameLosses: ReadonlyMap<string, string> = new Map(
  Object.entries(LOSSES).flatMap(([protocol, names]) =>
    names.map((name): [string, string] => {
      const sentences: Readonly<Record<string, string>> = text[protocol as Protocol];
      return [`${protocol}.${name}`, sentences[name]!.replace('{s}', 's').replace('{ies}', 'ies')];
    }),
  ),
);
