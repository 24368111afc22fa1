/**
 * The ladder of a cell: nodes are lines from top to bottom, frames are arrows between them, and steps and checks stand
 * where they came. Drawn as SVG with the page's own colours.
 */
import { type Html, html } from './html.ts';
import { clockText, durationText } from './text.ts';
import type { CheckEntry, Entry, FaultEntry, FrameEntry, StepEntry } from './timeline.ts';

const TIME = 78;
/** Of a node: wide while there are few. */
const COLUMN = { most: 380, least: 230, together: 780 };
const ROW = 30;
const HEAD = 46;
/** Frames on one ladder; more would be a wall. */
export const FRAMES = 200;
/** A silence longer than this gets a row. Milliseconds. */
const SILENCE = 1500;
/** Width of a character of a label, in the page's own monospaced letters. */
const LETTER = 6.8;

type Row =
  | FrameEntry
  | StepEntry
  | CheckEntry
  | FaultEntry
  | { readonly kind: 'held'; readonly time: number; readonly texts: string[] }
  | { readonly kind: 'silence'; readonly time: number; readonly length: number };

export function ladder(nodes: readonly string[], entries: readonly Entry[]): Html | undefined {
  const rows = rowsOf(entries);
  if (nodes.length === 0 || rows.length === 0) return undefined;
  const column = Math.max(COLUMN.least, Math.min(COLUMN.most, COLUMN.together / nodes.length));
  const place = new Map(nodes.map((node, index) => [node, TIME + column * (index + 0.5)]));
  const links = new Set(rows.flatMap((row) => (row.kind === 'frame' ? [row.link] : [])));
  const right = TIME + column * nodes.length;
  const width = Math.max(right, 420) + (links.size > 1 ? 90 : 10);
  const height = HEAD + ROW * rows.length + 16;
  const title = `Ladder diagram: ${rows.filter((row) => row.kind === 'frame').length} frames between ${nodes.join(', ')}`;
  return html`<svg class="ladder" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
<text class="time" x="${TIME - 10}" y="24">seconds</text>
${[...place].map(([node, x]) => html`<line class="life" x1="${x}" y1="${HEAD - 12}" x2="${x}" y2="${height - 4}"/><rect class="node" x="${x - 60}" y="6" width="120" height="28" rx="6"/><text class="name" x="${x}" y="25">${node}</text>`)}
${rows.map((row, index) => rowPicture(row, HEAD + ROW * index + ROW / 2, { place, width, right, column, manyLinks: links.size > 1 }))}
</svg>`;
}

function rowsOf(entries: readonly Entry[]): Row[] {
  const rows: Row[] = [];
  let frames = 0;
  let before: number | undefined;
  for (const entry of entries) {
    // a struck frame says so itself; a link that goes down or up has no frame
    if (entry.kind === 'event' || (entry.kind === 'fault' && entry.from !== undefined)) continue;
    if (entry.kind === 'frame' && ++frames > FRAMES) break;
    if (before !== undefined && entry.time - before > SILENCE)
      rows.push({ kind: 'silence', time: before, length: entry.time - before });
    before = entry.time;
    const last = rows.at(-1);
    if (entry.kind !== 'check' || !entry.ok) rows.push(entry);
    else if (last?.kind === 'held') last.texts.push(entry.text);
    else rows.push({ kind: 'held', time: entry.time, texts: [entry.text] });
  }
  return rows;
}

interface Layout {
  readonly place: ReadonlyMap<string, number>;
  readonly width: number;
  readonly right: number;
  readonly column: number;
  readonly manyLinks: boolean;
}

function rowPicture(row: Row, y: number, layout: Layout): Html {
  const time =
    row.kind === 'silence'
      ? undefined
      : html`<text class="time" x="${TIME - 10}" y="${y + 4}">${clockText(row.time)}</text>`;
  switch (row.kind) {
    case 'frame':
      return html`<g class="frame">${time}${arrow(row, y, layout)}</g>`;
    case 'silence':
      return html`<text class="silence" x="${(TIME + layout.right) / 2}" y="${y + 4}">· · ·  ${durationText(row.length)}  · · ·</text>`;
    case 'step':
      return banner('step', `▸ ${row.text}`, row.text, y, time, layout);
    case 'fault':
      return banner('step', `⚡ ${row.link}: ${row.text}`, row.text, y, time, layout);
    case 'held': {
      const more = row.texts.length === 1 ? '' : ` and ${row.texts.length - 1} more`;
      const text = cut(row.texts[0]!, Math.max(layout.right, 420) - TIME - 50 - more.length * LETTER);
      return banner('check', `✓ ${text}${more}`, row.texts.join('\n'), y, time, layout);
    }
    case 'check':
      return banner('check bad', `✗ ${row.text}`, `${row.text} ${row.detail}`, y, time, layout);
  }
}

function banner(kind: string, text: string, whole: string, y: number, time: Html | undefined, { right }: Layout): Html {
  const room = Math.max(right, 420) - TIME - 8;
  return html`<g class="${kind}"><title>${whole}</title>${time}<rect x="${TIME}" y="${y - 11}" width="${room}" height="22" rx="4"/><text class="note" x="${TIME + 10}" y="${y + 4}">${cut(text, room - 20)}</text></g>`;
}

function arrow(frame: FrameEntry, y: number, { place, width, right, column, manyLinks }: Layout): Html {
  const start = frame.from === undefined ? undefined : place.get(frame.from);
  const ends = frame.to.flatMap((node) => place.get(node) ?? []);
  const from = start ?? (ends.length > 0 ? TIME + 6 : undefined);
  const whole = html`<title>${frame.link}: ${frame.text}, ${frame.length} bytes</title>`;
  const link = manyLinks && html`<text class="link" x="${width - 6}" y="${y + 4}">${frame.link}</text>`;
  if (from === undefined)
    return html`${whole}<text class="label" x="${(TIME + right) / 2}" y="${y + 4}">${cut(frame.label, right - TIME - 20)}</text>${link}`;
  const reach = [from, ...(ends.length > 0 ? ends : [from + 60])];
  const low = Math.min(...reach);
  const high = Math.max(...reach);
  // above the arrow, where it starts or at its middle, whichever has the room
  const room = Math.max(high - low, column) - 16;
  const middle = Math.min(Math.max((low + high) / 2, TIME + room / 2), right - room / 2);
  return html`${whole}<line class="${start === undefined ? 'wire unknown' : 'wire'}" x1="${low}" y1="${y + 6}" x2="${high}" y2="${y + 6}"/>${ends.map((end) => head(end, y + 6, end > from))}${ends.length === 0 && html`<path class="lost" d="M${from + 56} ${y + 2}l8 8m0 -8l-8 8"/>`}<circle class="origin" cx="${from}" cy="${y + 6}" r="2.5"/><text class="label" x="${middle}" y="${y}">${cut(frame.label, room)}</text>${link}`;
}

const head = (x: number, y: number, right: boolean): Html =>
  right ? html`<path class="head" d="M${x} ${y}l-9 -4.5v9z"/>` : html`<path class="head" d="M${x} ${y}l9 -4.5v9z"/>`;

function cut(text: string, room: number): string {
  const most = Math.floor(room / LETTER);
  return text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1))}…`;
}
