/**
 * Every tunable that does something: its KAME name, default and meaning. `stack.sysctl.ip6.forwarding` is `net.inet6.ip6.forwarding`.
 *
 * A default follows the KAME note where it names one, a later RFC where the old value is a known weakness (the text says so).
 */
interface Tunable {
  readonly default: number;
  readonly min?: number;
  readonly max?: number;
  readonly readOnly?: boolean;
  readonly text: string;
}

const flag = (value: 0 | 1, text: string): Tunable => ({ default: value, min: 0, max: 1, text });

export const tunables = {
  ip6: {
    forwarding: flag(0, 'this node is a router (1) or a host (0)'),
    redirect: flag(1, 'a router sends redirects'),
    hlim: { default: 64, min: 1, max: 255, text: 'hop limit of unicast packets sent' },
    defmcasthlim: { default: 1, min: 0, max: 255, text: 'hop limit of multicast packets sent' },
    maxfragpackets: { default: 200, min: -1, text: 'packets under reassembly at once; 0: none taken, -1: no limit' },
    maxfrags: { default: 200, min: -1, text: 'fragments held at once; 0: none taken, -1: no limit' },
    hdrnestlimit: { default: 50, min: 0, text: 'headers in one packet, the IPv6 header included; 0: no limit' },
    auto_linklocal: flag(1, 'a link-local address is made when an interface comes up'),
    auto_flowlabel: flag(1, 'connected sockets get a flow label'),
    dad_count: { default: 1, min: 0, max: 16, text: 'neighbor solicitations sent by DAD; 0: no DAD' },
    use_deprecated: flag(1, 'deprecated addresses may be chosen as source'),
    prefer_tempaddr: flag(0, 'temporary addresses are preferred as source'),
    use_defaultzone: flag(0, 'a scoped address without a zone is taken in the default zone'),
    mcast_pmtu: flag(0, 'multicast goes out at the path MTU (1) or at 1280 bytes (0)'),
    log_interval: { default: 5, min: 0, text: 'seconds between two log lines of one kind' },
    rthdr0: flag(0, 'type 0 routing headers are processed as in RFC 2460; RFC 5095 forbids it'),
    forwsrcrt: flag(0, 'with rthdr0: forward source-routed packets to another link'),
  },
  icmp6: {
    rediraccept: flag(1, 'a host takes redirects'),
    redirtimeout: { default: 600, min: 0, text: 'life of a redirect, in seconds' },
    nd6_prune: {
      default: 1,
      min: 1,
      text: 'kept for its name: neighbors have timers of their own, nothing walks the cache',
    },
    nd6_delay: { default: 5, min: 1, text: 'seconds a neighbor stays in DELAY' },
    nd6_umaxtries: { default: 3, min: 1, max: 100, text: 'unicast solicitations in PROBE' },
    nd6_mmaxtries: { default: 3, min: 1, max: 100, text: 'multicast solicitations in INCOMPLETE' },
    nd6_gctimer: { default: 86_400, min: 1, text: 'seconds until a stale neighbor is removed' },
    nd6_maxndopt: { default: 10, min: 0, text: 'options looked at in one ND message' },
    nd6_maxnudhint: { default: 0, min: 0, text: 'upper-layer reachability hints taken in a row' },
    nd6_maxqueuelen: { default: 1, min: 1, max: 100, text: 'packets held for one unresolved neighbor' },
    nd6_maxneighbors: { default: 4096, min: 16, text: 'neighbor cache entries; the oldest not in use makes room' },
    nd6_debug: flag(0, 'one log line for each bad ND message'),
    nd6_onlink_ns_rfc4861: flag(0, 'take NS from sources that are not on-link, as RFC 4861 allows'),
    nd6_nonce: flag(1, 'DAD solicitations carry a nonce (RFC 7527) so that a looped-back link is recognised'),
    errratelimit: { default: 0, min: 0, text: 'microseconds between two ICMPv6 errors; 0: no limit' },
    errppslimit: { default: 200, min: -1, text: 'ICMPv6 errors a second; 0: none, negative: no limit' },
    pmtu_expire: { default: 600, min: 0, text: 'seconds until a path MTU learned is forgotten' },
    mtudisc_hiwat: { default: 1280, min: 0, text: 'unverified Packet Too Big entries at most' },
    mtudisc_lowat: { default: 256, min: 0, text: 'unverified Packet Too Big entries below which all are taken' },
  },
} as const satisfies Record<string, Record<string, Tunable>>;

type Group = keyof typeof tunables;
export type Sysctl = { [G in Group]: { -readonly [K in keyof (typeof tunables)[G]]: number } };

export function newSysctl(): Sysctl {
  const values: Record<string, Record<string, number>> = {};
  for (const [group, entries] of Object.entries(tunables)) {
    values[group] = Object.fromEntries(Object.entries(entries).map(([key, entry]) => [key, entry.default]));
  }
  return values as Sysctl;
}

const PREFIX = 'net.inet6.';

export function sysctlNames(): string[] {
  return Object.entries(tunables).flatMap(([group, entries]) =>
    Object.keys(entries).map((key) => `${PREFIX}${group}.${key}`),
  );
}

/** The tunable of a full name (`net.inet6.ip6.hlim`), or undefined. */
export function findTunable(name: string): { group: Group; key: string; tunable: Tunable } | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const [group, key, more] = name.slice(PREFIX.length).split('.');
  if (group === undefined || key === undefined || more !== undefined || !Object.hasOwn(tunables, group))
    return undefined;
  const entries: Record<string, Tunable> = tunables[group as Group];
  if (!Object.hasOwn(entries, key)) return undefined;
  return { group: group as Group, key, tunable: entries[key]! };
}
