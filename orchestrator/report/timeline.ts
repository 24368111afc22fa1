/** Everything that happened in a cell, in one order of time: frames, what nodes told, steps, checks. */
import { dump } from '#stack/wire/dump.ts';
import type { Frame, LabEvent } from '../drivers/driver.ts';
import type { Check } from '../outcome.ts';
import type { Topology, TopologyLink } from '../topology.ts';
import { frameLabel } from './frame-label.ts';

/** `timeline.json`. Times are milliseconds of the lab's clock. */
export interface Timeline {
  /** 1970-based of the lab's 0; undefined when no lab came up. */
  readonly epoch: number | undefined;
  /** Frames beyond those that are listed; the captures have them all. */
  readonly omitted: number;
  readonly entries: readonly Entry[];
}

export type Entry = FrameEntry | EventEntry | StepEntry | CheckEntry | FaultEntry;

export interface FrameEntry {
  readonly kind: 'frame';
  readonly time: number;
  readonly link: string;
  readonly from?: string;
  /** Nodes that it is meant for, as far as the link-layer destination tells. */
  readonly to: readonly string[];
  readonly label: string;
  readonly text: string;
  readonly length: number;
  /** What faults did to it. */
  readonly fault?: string;
}

export interface EventEntry {
  readonly kind: 'event';
  readonly time: number;
  readonly node: string;
  readonly text: string;
}

/** A fault did something: to a frame, or to the link. */
export interface FaultEntry {
  readonly kind: 'fault';
  readonly time: number;
  readonly link: string;
  /** Who sent the frame. */
  readonly from?: string;
  readonly text: string;
}

export interface StepEntry {
  readonly kind: 'step';
  readonly time: number;
  readonly text: string;
}

export interface CheckEntry {
  readonly kind: 'check';
  readonly time: number;
  readonly ok: boolean;
  readonly text: string;
  readonly detail: string;
}

export interface Happened {
  readonly frames: readonly Frame[];
  readonly events: readonly LabEvent[];
  readonly steps: readonly { readonly time: number; readonly text: string }[];
  readonly checks: readonly Check[];
}

/** At one time: a step before what it brings about, a check after what it judges. */
const ORDER = { step: 0, event: 1, frame: 2, fault: 3, check: 4 } as const;

/** To the microsecond: what more digits say is noise. */
const rounded = <T extends { readonly time: number }>(entry: T): T => ({
  ...entry,
  time: Math.round(entry.time * 1000) / 1000,
});

export function timelineEntries({ frames, events, steps, checks }: Happened, topology: Topology): Entry[] {
  const links = new Map(topology.links.map((link) => [link.name, link]));
  const entries: Entry[] = [
    ...steps.map(({ time, text }): StepEntry => ({ kind: 'step', time, text })),
    ...events.map((event) => (event.type === 'fault' ? faultEntry(event) : eventEntry(event))),
    ...frames.map((frame) => frameEntry(frame, links.get(frame.link))),
    ...checks.map((check): CheckEntry => ({ kind: 'check', ...check })),
  ];
  return entries.map(rounded).sort((a, b) => a.time - b.time || ORDER[a.kind] - ORDER[b.kind]);
}

function frameEntry(frame: Frame, link: TopologyLink | undefined): FrameEntry {
  const { time, from, decoded, bytes, fault } = frame;
  return {
    kind: 'frame',
    time,
    link: frame.link,
    ...(from === undefined ? {} : { from }),
    to: link === undefined ? [] : destinations(frame, link),
    label: fault === undefined ? frameLabel(decoded) : `${frameLabel(decoded)} (${fault})`,
    text: dump(bytes, link?.medium === 'tun' ? 'raw' : 'ethernet'),
    length: bytes.length,
    ...(fault === undefined ? {} : { fault }),
  };
}

function destinations({ from, decoded }: Frame, link: TopologyLink): string[] {
  const others = link.ends.filter((end) => end.node !== from);
  const station = decoded.eth?.dst;
  const named = station === undefined ? undefined : others.find((end) => end.mac === station);
  if (named !== undefined) return [named.node];
  // on a cable there is one to take it; a group is for everyone; a station nobody has is for nobody
  if (from !== undefined && link.type === 'p2p') return others.map((end) => end.node);
  const group = station !== undefined && (Number.parseInt(station.slice(0, 2), 16) & 1) === 1;
  return group ? others.map((end) => end.node) : [];
}

/** `lost, by 'drop icmp6 neighborAdvertisement nth 1': fe80::b > fe80::a: ...` */
function faultEntry({ time, node, ...event }: LabEvent): FaultEntry {
  const { link, fault, what, frame } = event as Record<string, string | undefined>;
  const text = `${what}, by '${fault}'${frame === undefined ? '' : `: ${frame}`}`;
  return { kind: 'fault', time, link: link ?? '', ...(node === '' ? {} : { from: node }), text };
}

function eventEntry({ time, node, type, ...fields }: LabEvent): EventEntry {
  const told = Object.entries(fields).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return { kind: 'event', time, node, text: [type, ...told].join(', ') };
}
