/** Echo requests and their answers as links saw them, whoever sent them: round trip times that no tool has to print. */
import * as Icmp4 from '#stack/wire/icmp4.ts';
import * as Icmp6 from '#stack/wire/icmp6.ts';
import type { Frame } from './drivers/driver.ts';

export interface Ping {
  readonly link: string;
  /** The node that asked, where the capture can tell. */
  readonly node?: string;
  readonly from: string;
  readonly to: string;
  /** Milliseconds of the lab's clock. */
  readonly time: number;
  /** Milliseconds, on that link; null: no answer was seen. */
  readonly rtt: number | null;
}

/** Requests that are kept. */
const MOST = 10_000;

/**
 * In order of time. A router passes a request on: it is told of the link on which it was seen first, that of who asked. One
 * sent again under its number is counted with the first.
 */
export function pings(frames: readonly Frame[]): Ping[] {
  const asked = new Map<string, { -readonly [K in keyof Ping]: Ping[K] }>();
  for (const frame of frames) {
    const { icmp6, ip6, icmp4, ip4 } = frame.decoded;
    const message = icmp6 ?? icmp4;
    const ip = icmp6 === undefined ? ip4 : ip6;
    if (message?.echo === undefined || ip === undefined) continue;
    const { id, seq } = message.echo;
    if (message.type === (icmp6 === undefined ? Icmp4.Type.echoRequest : Icmp6.Type.echoRequest)) {
      const key = keyOf(ip.src, ip.dst, id, seq);
      if (asked.has(key) || asked.size >= MOST) continue;
      const node = frame.from === undefined ? {} : { node: frame.from };
      asked.set(key, { link: frame.link, ...node, from: ip.src, to: ip.dst, time: frame.time, rtt: null });
    } else {
      const request = asked.get(keyOf(ip.dst, ip.src, id, seq)) ?? asked.get(keyOf(ip.dst, 'ff00::', id, seq));
      if (request?.rtt === null && request.link === frame.link) {
        request.rtt = Math.max(0, Math.round((frame.time - request.time) * 1e6) / 1e6);
      }
    }
  }
  return [...asked.values()].sort((a, b) => a.time - b.time);
}

/** Who answers a group does so by an address of his own. */
const keyOf = (from: string, to: string, id: number, seq: number): string =>
  `${from} ${to.startsWith('ff') ? 'ff00::' : to} ${id} ${seq}`;

export interface RoundTrips {
  readonly link: string;
  readonly from: string;
  readonly to: string;
  readonly sent: number;
  /** Milliseconds, of those that were answered, from the shortest. */
  readonly times: readonly number[];
}

/** By who asked whom, in the order of the first request. */
export function roundTrips(pings: readonly Ping[]): RoundTrips[] {
  const pairs = Map.groupBy(pings, ({ link, node, from, to }) => `${link} ${node ?? from} ${to}`);
  return [...pairs.values()].map((all) => {
    const { link, node, from, to } = all[0]!;
    const times = all.flatMap(({ rtt }) => (rtt === null ? [] : [rtt])).sort((a, b) => a - b);
    return { link, from: node ?? from, to, sent: all.length, times };
  });
}

/** Nearest rank: a time that was measured. Of at least one. */
export const percentile = (sorted: readonly number[], percent: number): number =>
  sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
