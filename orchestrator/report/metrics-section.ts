/** What a cell's metrics look like: what links carried, what nodes used, how long echoes took, what was lost and why. */
import type { MetricsSample, NodeSample } from '../metrics.ts';
import { type Ping, percentile, type RoundTrips, roundTrips } from '../pings.ts';
import { type Html, html } from './html.ts';
import { losses, nodesOf } from './losses.ts';
import { axisTop, niceAbove, plots, type Span, siText, stepPlot } from './plot.ts';
import { bytesText, durationText, plural } from './text.ts';
import type { FrameEntry, Timeline } from './timeline.ts';

export interface CellMetrics {
  readonly samples: readonly MetricsSample[];
  readonly pings: readonly Ping[];
}

/** Links and nodes that are drawn; a picture of more says nothing. */
const DRAWN = 12;
/** Steps of a plot made from single frames. */
const STEPS = 72;
/** A curve of fewer is none. */
const LEAST_SPANS = 3;
const ROUND_TRIPS = 24;
const LOSSES = 40;

export function metricsSection({ samples, pings }: CellMetrics, timeline: Timeline | undefined): Html | undefined {
  const parts = [overTime(samples, timeline), usage(samples), roundTripTable(pings), lossTable(samples)].filter(
    (part) => part !== undefined,
  );
  if (parts.length === 0) return undefined;
  return html`<section id="metrics"><h2>Metrics</h2>${parts}</section>`;
}

function overTime(samples: readonly MetricsSample[], timeline: Timeline | undefined): Html | undefined {
  const end = Math.max(samples.at(-1)?.time ?? 0, timeline?.entries.at(-1)?.time ?? 0);
  const [links, resolution] = throughput(samples, timeline, end);
  const nodes = processors(samples, end);
  if (links.length + nodes.length === 0) return undefined;
  return html`<h3>Over time</h3><p class="lead">${links.length > 0 && `Of links the throughput: whole frames, as captured, ${resolution}. `}${nodes.length > 0 && "Of nodes the use of one processor by their processes; a kernel's own work is not in it."}</p>${plots([...links, ...nodes])}`;
}

const seconds = (milliseconds: number): string => `${Number((milliseconds / 1000).toPrecision(6))} s`;

// ---- links

function throughput(
  samples: readonly MetricsSample[],
  timeline: Timeline | undefined,
  end: number,
): [plots: Html[], resolution: string] {
  const frames = (timeline?.entries ?? []).filter((entry) => entry.kind === 'frame');
  // frames tell to the millisecond, as long as all of them are listed
  const exact = timeline?.omitted === 0 && frames.length > 0;
  const [links, step] = exact ? byFrames(frames, end) : [bySamples(samples), undefined];
  const carried = [...links].filter(([, { spans }]) => spans.some(({ value }) => value > 0)).slice(0, DRAWN);
  const max = axisTop(Math.max(0, ...carried.flatMap(([, { spans }]) => spans.map(({ value }) => value))));
  const drawn = carried.map(([name, { spans, frames, bytes }]) =>
    stepPlot({
      title: `Link ${name}`,
      note: `${plural(frames, 'frame')}, ${bytesText(bytes)}`,
      spans,
      from: 0,
      to: end,
      max,
      xText: seconds,
      yText: (value) => siText(value, 'bit/s'),
    }),
  );
  return [drawn, step === undefined ? 'between samples' : `in steps of ${durationText(step)}`];
}

interface Carried {
  readonly spans: Span[];
  readonly frames: number;
  readonly bytes: number;
}

function byFrames(frames: readonly FrameEntry[], end: number): [Map<string, Carried>, number] {
  const step = niceAbove(Math.max(end, 1) / STEPS);
  const links = new Map<string, Carried>();
  for (const [link, all] of Map.groupBy(frames, ({ link }) => link)) {
    const steps = new Map<number, { frames: number; bytes: number }>();
    let total = 0;
    for (const { time, length } of all) {
      const at = Math.max(0, Math.floor(time / step));
      const sum = steps.get(at) ?? { frames: 0, bytes: 0 };
      steps.set(at, { frames: sum.frames + 1, bytes: sum.bytes + length });
      total += length;
    }
    const spans = [...steps]
      .sort(([a], [b]) => a - b)
      .map(([at, sum]) => carriedSpan(at * step, Math.min(end, (at + 1) * step), sum.frames, sum.bytes, step));
    links.set(link, { spans, frames: all.length, bytes: total });
  }
  return [links, step];
}

function bySamples(samples: readonly MetricsSample[]): Map<string, Carried> {
  const links = new Map<string, Carried>();
  for (const name of new Set(samples.flatMap(({ links }) => Object.keys(links)))) {
    const spans = pairs(samples).map(([before, after]) => {
      const frames = (after.links[name]?.frames ?? 0) - (before.links[name]?.frames ?? 0);
      const bytes = (after.links[name]?.bytes ?? 0) - (before.links[name]?.bytes ?? 0);
      return carriedSpan(before.time, after.time, frames, bytes, after.time - before.time);
    });
    const last = samples.at(-1)!.links[name];
    links.set(name, { spans, frames: last?.frames ?? 0, bytes: last?.bytes ?? 0 });
  }
  return links;
}

function carriedSpan(from: number, to: number, frames: number, bytes: number, duration: number): Span {
  const value = (bytes * 8 * 1000) / (duration || 1);
  return {
    from,
    to,
    value,
    text: `${seconds(from)}: ${plural(frames, 'frame')}, ${bytes} bytes, ${siText(value, 'bit/s')}`,
  };
}

// ---- nodes

function processors(samples: readonly MetricsSample[], end: number): Html[] {
  const nodes = nodesOf(samples)
    .map((name) => ({ name, spans: processorSpans(samples, name) }))
    .filter(({ spans }) => spans.length >= LEAST_SPANS && spans.some(({ value }) => value > 0))
    .slice(0, DRAWN);
  const max = axisTop(Math.max(4, ...nodes.flatMap(({ spans }) => spans.map(({ value }) => value))));
  return nodes.map(({ name, spans }) =>
    stepPlot({
      title: `Node ${name}`,
      note: `processor, at most ${Math.max(...spans.map(({ value }) => value)).toFixed(0)} %`,
      spans,
      from: 0,
      to: end,
      max,
      xText: seconds,
      yText: (value) => `${value} %`,
    }),
  );
}

function processorSpans(samples: readonly MetricsSample[], node: string): Span[] {
  const told = samples.filter(({ nodes }) => nodes[node]?.cpu !== undefined);
  return pairs(told).flatMap(([before, after]) => {
    const duration = after.time - before.time;
    const used = after.nodes[node]!.cpu! - before.nodes[node]!.cpu!;
    // the clock of processes ticks every 10 ms
    if (duration < 100) return [];
    const value = (Math.max(0, used) * 100_000) / duration;
    return [{ from: before.time, to: after.time, value, text: `${seconds(before.time)}: ${value.toFixed(1)} %` }];
  });
}

function usage(samples: readonly MetricsSample[]): Html | undefined {
  const rows = nodesOf(samples).flatMap((name) => {
    const told = samples.flatMap(({ nodes }) => (nodes[name]?.interfaces === undefined ? [] : [nodes[name]]));
    const [first, last] = [told[0], told.at(-1)];
    if (first === undefined || last === undefined) return [];
    const packets = total(last, 'Packets') - total(first, 'Packets');
    const cpu = last.cpu === undefined || first.cpu === undefined ? undefined : last.cpu - first.cpu;
    const silent = samples.filter(({ nodes }) => nodes[name]?.silent === true).length;
    return [{ name, packets, bytes: total(last, 'Bytes') - total(first, 'Bytes'), cpu, silent, rss: peak(told) }];
  });
  if (!rows.some(({ packets }) => packets > 0)) return undefined;
  const used = rows.some(({ rss }) => rss > 0);
  const divided = rows.some(({ cpu, packets }) => perPacket(cpu, packets) !== '');
  const row = ({ name, packets, bytes, cpu, silent, rss }: (typeof rows)[number]): Html =>
    html`<tr><th scope="row">${name}${silent > 0 && html` <small>did not answer ${plural(silent, 'time')}</small>`}</th><td class="figure">${packets}</td><td class="figure">${bytesText(bytes)}</td>${
      used &&
      html`<td class="figure">${rss > 0 && cpu !== undefined && `${cpu.toFixed(2)} s`}</td>${divided && html`<td class="figure">${perPacket(cpu, packets)}</td>`}<td class="figure">${rss > 0 && bytesText(rss)}</td>`
    }</tr>`;
  return html`<h3>What nodes did</h3><p class="lead">From the first sample, when the lab was up, to the last: packets in and out of all interfaces${used && ', and what the processes of the node used for it'}.</p><div class="scroll" tabindex="0" role="region" aria-label="What nodes did"><table class="narrow"><thead><tr><th scope="col">Node</th><th scope="col" class="figure">Packets</th><th scope="col" class="figure">Bytes</th>${used && html`<th scope="col" class="figure">Processor</th>${divided && html`<th scope="col" class="figure">A packet</th>`}<th scope="col" class="figure">Memory, at most</th>`}</tr></thead><tbody>${rows.map(row)}</tbody></table></div>`;
}

/** Only where there were enough of both to divide. */
const perPacket = (cpu: number | undefined, packets: number): string =>
  cpu !== undefined && cpu >= 0.05 && packets >= 1000 ? `${Number(((cpu * 1e6) / packets).toPrecision(2))} µs` : '';

const peak = (told: readonly NodeSample[]): number => Math.max(0, ...told.map(({ rss = 0 }) => rss));

const total = ({ interfaces = {} }: NodeSample, what: 'Packets' | 'Bytes'): number =>
  Object.values(interfaces).reduce((sum, each) => sum + each[`in${what}`] + each[`out${what}`], 0);

// ---- echoes

const STRIP = { width: 220, height: 22 };
/** Of so many answers at least: of fewer it would be the longest. */
const PERCENTILES = [
  { percent: 50, head: 'Median', least: 1 },
  { percent: 90, head: '90 %', least: 10 },
  { percent: 99, head: '99 %', least: 100 },
  { percent: 100, head: 'Longest', least: 1 },
] as const;

function roundTripTable(pings: readonly Ping[]): Html | undefined {
  const all = roundTrips(pings);
  if (all.length === 0) return undefined;
  const times = all.flatMap(({ times }) => times).filter((time) => time > 0);
  const [low, high] = [Math.min(...times), Math.max(...times)];
  const pictured = times.length > 0 && high > low;
  const most = Math.max(...all.map(({ times }) => times.length));
  const columns = PERCENTILES.filter(({ least }) => most >= least);
  const row = ({ link, from, to, sent, times }: RoundTrips): Html =>
    html`<tr><th scope="row">${from} → <code>${to}</code></th><td>${link}</td><td class="figure">${times.length} of ${sent}</td>${columns.map(({ percent, least }) => html`<td class="figure">${times.length >= least && timeText(percentile(times, percent))}</td>`)}${pictured && html`<td class="picture">${times.length > 0 && strip(times, low, high)}</td>`}</tr>`;
  const explained = pictured
    ? ` Dots are answers on a logarithmic scale from ${timeText(low)} to ${timeText(high)}, the band holds 90 % of them, the tick is the median.`
    : '';
  return html`<h3>Round trips of echoes</h3><p class="lead">From request to answer on the link of who asked, as captured.${explained}</p><div class="scroll" tabindex="0" role="region" aria-label="Round trips of echoes"><table class="narrow trips"><thead><tr><th scope="col">Who asked whom</th><th scope="col">Link</th><th scope="col" class="figure">Answered</th>${columns.map(({ head }) => html`<th scope="col" class="figure">${head}</th>`)}${pictured && html`<th scope="col"><span class="hidden">Picture</span></th>`}</tr></thead><tbody>${all.slice(0, ROUND_TRIPS).map(row)}</tbody></table></div>${all.length > ROUND_TRIPS && html`<p class="lead">${all.length - ROUND_TRIPS} more are in metrics.jsonl.</p>`}`;
}

/** `23.4 µs`, `1.25 ms`. */
const timeText = (time: number): string =>
  time >= 1 ? durationText(time) : `${Number((time * 1000).toPrecision(3))} µs`;

/** Each time a dot on a line of logarithms, those at one place as one. */
function strip(times: readonly number[], low: number, high: number): Html {
  const x = (time: number): number =>
    Math.round(((Math.log(Math.max(time, low) / low) / Math.log(high / low)) * (STRIP.width - 12) + 6) * 2) / 2;
  const places = [...new Set(times.map(x))];
  const [from, to] = [x(times[0]!), x(percentile(times, 90))];
  const middle = STRIP.height / 2;
  return html`<svg class="bar strip" width="${STRIP.width}" height="${STRIP.height}" viewBox="0 0 ${STRIP.width} ${STRIP.height}" aria-hidden="true"><path class="axis" d="M2 ${middle}H${STRIP.width - 2}"/><rect class="allowed" x="${from - 3}" y="${middle - 6}" width="${to - from + 6}" height="12" rx="3"/>${places.map((at) => html`<circle class="dot" cx="${at}" cy="${middle}" r="2.5"/>`)}<path class="value" d="M${x(percentile(times, 50))} 2v${STRIP.height - 4}"/></svg>`;
}

// ---- losses

function lossTable(samples: readonly MetricsSample[]): Html | undefined {
  const all = losses(samples);
  if (all.length === 0) return undefined;
  const most = all[0]!.count;
  return html`<h3>Losses by reason</h3><p class="lead">What nodes counted as dropped or refused while the scenario ran; a packet may count under more than one reason.</p><div class="scroll" tabindex="0" role="region" aria-label="Losses by reason"><table class="losses"><thead><tr><th scope="col">Node</th><th scope="col">Reason</th><th scope="col">Counter</th><th scope="col" class="figure">Count</th><th scope="col"><span class="hidden">Picture</span></th></tr></thead><tbody>${all.slice(0, LOSSES).map(({ node, counter, words, count }) => html`<tr><th scope="row">${node}</th><td>${words}</td><td><code>${counter}</code></td><td class="figure">${count}</td><td class="picture"><span class="length" style="width:${Math.max(1, Math.round((count / most) * 100))}%"></span></td></tr>`)}</tbody></table></div>`;
}

const pairs = <T>(all: readonly T[]): [T, T][] => all.slice(1).map((after, at) => [all[at]!, after]);
