/** Plots as inline SVG: no script, readable in black on white and white on black, their values in words as titles. */
import { type Html, html } from './html.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly value: number;
  /** What a pointer that rests on it is told. */
  readonly text: string;
}

export interface StepPlot {
  readonly title: string;
  /** Beside the title: a sum, a peak. */
  readonly note: string;
  readonly spans: readonly Span[];
  /** Of the axes, so that plots beside each other can be compared. */
  readonly from: number;
  readonly to: number;
  readonly max: number;
  readonly xText: (value: number) => string;
  readonly yText: (value: number) => string;
}

const WIDTH = 360;
const HEIGHT = 132;
const LEFT = 62;
const RIGHT = 12;
const TOP = 8;
const BOTTOM = 22;

const px = (value: number): number => Math.round(value * 10) / 10;

/** Values over time as steps with a filled area: what holds from one moment to the next. */
export function stepPlot({ title, note, spans, from, to, max, xText, yText }: StepPlot): Html {
  const width = to - from || 1;
  const x = (at: number): number => px(LEFT + ((at - from) / width) * (WIDTH - LEFT - RIGHT));
  const y = (value: number): number =>
    px(HEIGHT - BOTTOM - (Math.min(value, max) / (max || 1)) * (HEIGHT - TOP - BOTTOM));
  const floor = y(0);
  let outline = '';
  let end: number | undefined;
  for (const span of spans) {
    outline +=
      end === span.from
        ? `V${y(span.value)}`
        : `${end === undefined ? '' : `V${floor}`}M${x(span.from)} ${floor}V${y(span.value)}`;
    outline += `H${x(span.to)}`;
    end = span.to;
  }
  if (end !== undefined) outline += `V${floor}`;
  return figure(
    title,
    note,
    html`${axes(
      ticks(0, max, 4).map((value) => [y(value), yText(value)]),
      ticks(from, to, 5).map((value) => [x(value), xText(value)]),
    )}
<path class="area" d="${outline}"/><path class="curve" d="${outline}"/>
${spans.map((span) => span.value > 0 && html`<rect class="touch" x="${x(span.from)}" y="${TOP}" width="${px(Math.max(1, x(span.to) - x(span.from)))}" height="${px(floor - TOP)}"><title>${span.text}</title></rect>`)}`,
  );
}

export interface Dot {
  readonly value: number;
  readonly text: string;
}

export interface RunsPlot {
  readonly title: string;
  readonly note: string;
  /** From the oldest, evenly spaced. */
  readonly dots: readonly Dot[];
  /** A line to compare with, and its word. */
  readonly mark: { readonly value: number; readonly text: string };
  /** Below the first and the last dot. */
  readonly ends: readonly [string, string];
  readonly yText: (value: number) => string;
}

/** A figure from run to run. */
export function runsPlot({ title, note, dots, mark, ends, yText }: RunsPlot): Html {
  const max = axisTop(Math.max(mark.value, ...dots.map(({ value }) => value)) * 1.02);
  const room = WIDTH - LEFT - RIGHT - 16;
  const x = (at: number): number => px(LEFT + 8 + (dots.length === 1 ? room / 2 : (at / (dots.length - 1)) * room));
  const y = (value: number): number => px(HEIGHT - BOTTOM - (value / max) * (HEIGHT - TOP - BOTTOM));
  // on the side where the figure is not, as far as there is room
  const below = dots.at(-1)!.value > mark.value && y(mark.value) < HEIGHT - BOTTOM - 14;
  const line = dots.map(({ value }, at) => `${at === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('');
  return figure(
    title,
    note,
    html`${axes(
      ticks(0, max, 4).map((value) => [y(value), yText(value)]),
      [],
    )}
<path class="mark" d="M${LEFT} ${y(mark.value)}H${WIDTH - RIGHT}"/><text class="tick end" x="${WIDTH - RIGHT}" y="${px(y(mark.value) + (below ? 11 : -4))}">${mark.text}</text>
<path class="curve" d="${line}"/>${dots.map(({ value, text }, at) => html`<circle class="dot" cx="${x(at)}" cy="${y(value)}" r="${dots.length > 60 ? 1.5 : 3}"><title>${text}</title></circle>`)}
<text class="tick start" x="${LEFT}" y="${HEIGHT - 6}">${dots.length > 1 && ends[0]}</text><text class="tick end" x="${WIDTH - RIGHT}" y="${HEIGHT - 6}">${ends[1]}</text>`,
  );
}

/** Plots beside each other. */
export const plots = (all: readonly Html[]): Html => html`<div class="plots">${all}</div>`;

const figure = (title: string, note: string, picture: Html): Html =>
  html`<figure class="plot"><figcaption><strong>${title}</strong> <small>${note}</small></figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}: ${note}">${picture}</svg></figure>`;

function axes(rows: readonly (readonly [number, string])[], columns: readonly (readonly [number, string])[]): Html {
  return html`${rows.map(([y, text]) => html`<path class="grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/><text class="tick end" x="${LEFT - 6}" y="${px(y + 3.5)}">${text}</text>`)}
${columns.map(([x, text]) => html`<path class="grid" d="M${x} ${HEIGHT - BOTTOM}v4"/><text class="tick middle" x="${x}" y="${HEIGHT - 6}">${text}</text>`)}`;
}

/** Round numbers from low to high, about as many as asked for. */
export function ticks(low: number, high: number, count: number): number[] {
  const step = niceAbove((high - low) / count || 1);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // by multiplication: sums of tenths drift
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** Where an axis from 0 ends that is to hold a value: at a round number, not far above. */
export function axisTop(value: number): number {
  const step = niceAbove(value / 4);
  return Number((Math.ceil(value / step - 1e-9) * step).toPrecision(12)) || 1;
}

/** The next of 1, 2, 5, 10, 20, 50... */
export function niceAbove(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const digit = [1, 2, 5].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return Number((digit * power).toPrecision(12));
}

/** `0`, `1.5 k`, `20 M`, with a unit behind the prefix. */
export function siText(value: number, unit: string): string {
  if (value === 0) return '0';
  const [factor, prefix] = value >= 1e9 ? [1e9, 'G'] : value >= 1e6 ? [1e6, 'M'] : value >= 1e3 ? [1e3, 'k'] : [1, ''];
  const scaled = value / factor;
  const digits = scaled >= 100 || Number.isInteger(scaled) ? 0 : scaled >= 10 ? 1 : 2;
  return `${scaled
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')} ${prefix}${unit}`.trimEnd();
}
