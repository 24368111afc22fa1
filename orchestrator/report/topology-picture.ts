/** The lab as a picture: nodes in a row, each link a bar below them that its ends hang on. */
import { type Html, html } from './html.ts';

/** As `topology.yaml` of a case folder has it. */
export interface LabShape {
  readonly nodes: Readonly<Record<string, { readonly kind?: string; readonly forwarding?: boolean }>>;
  readonly links?: Readonly<Record<string, LinkShape>>;
}

interface LinkShape {
  readonly type: string;
  readonly medium?: string;
  readonly mtu?: number;
  readonly ends: Readonly<Record<string, { readonly addresses?: readonly (string | { readonly address: string })[] }>>;
}

const COLUMN = 230;
/** For the addresses of the last node. */
const MARGIN = 60;
const NODE = { width: 150, height: 50, top: 8 };
/** Of one line of addresses. */
const LINE = 15;

export function topologyPicture({ nodes, links = {} }: LabShape): Html {
  const names = Object.keys(nodes);
  const middle = new Map(names.map((name, index) => [name, MARGIN + COLUMN * (index + 0.5)]));
  const width = COLUMN * names.length + 2 * MARGIN;
  let y = NODE.top + NODE.height;
  const count = Object.keys(links).length;
  const bars = Object.entries(links).map(([name, link], order) => {
    const ends = Object.entries(link.ends).map(([end, { addresses = [] }]) => ({
      x: (middle.get(end.split(':')[0]!) ?? 0) + ((count - 1) / 2 - order) * 18,
      name: end.split(':')[1] ?? name,
      addresses: addresses.map((each) => (typeof each === 'string' ? each : each.address)),
    }));
    y += 34 + LINE * (1 + Math.max(0, ...ends.map(({ addresses }) => addresses.length)));
    return linkPicture(name, link, ends, y);
  });
  const boxes = names.map((name) => nodePicture(name, nodes[name]!, middle.get(name)!));
  const title = `${names.length} nodes, ${count} links`;
  return html`<svg class="topology" width="${width}" height="${y + 28}" viewBox="0 0 ${width} ${y + 28}" role="img" aria-label="Topology: ${title}">${bars}${boxes}</svg>`;
}

function nodePicture(name: string, { kind = '', forwarding }: LabShape['nodes'][string], x: number): Html {
  const role = forwarding === true ? `${kind} router` : kind;
  return html`<g><rect class="node" x="${x - NODE.width / 2}" y="${NODE.top}" width="${NODE.width}" height="${NODE.height}" rx="8"/><text class="name" x="${x}" y="${NODE.top + 22}">${name}</text><text class="kind" x="${x}" y="${NODE.top + 39}">${role}</text></g>`;
}

interface PlacedEnd {
  readonly x: number;
  readonly name: string;
  readonly addresses: readonly string[];
}

function linkPicture(name: string, { type, medium, mtu }: LinkShape, ends: readonly PlacedEnd[], y: number): Html {
  const low = Math.min(...ends.map(({ x }) => x));
  const high = Math.max(...ends.map(({ x }) => x));
  const margin = type === 'lan' ? 24 : 0;
  const text = [
    name,
    type === 'lan' ? 'LAN' : `p2p${medium === 'tun' ? ', TUN' : ''}`,
    mtu === undefined ? '' : `MTU ${mtu}`,
  ];
  return html`<g class="${type === 'lan' ? 'lan' : 'cable'}"><path class="link" d="M${low - margin} ${y}H${high + margin}"/>
${ends.map(({ x }) => html`<path class="drop" d="M${x} ${NODE.top + NODE.height}V${y}"/><circle class="joint" cx="${x}" cy="${y}" r="4"/>`)}
${ends.map((end) => [end.name, ...end.addresses].map((line, index) => html`<text class="${index === 0 ? 'end interface' : 'end'}" x="${end.x + 6}" y="${y - 8 - LINE * (end.addresses.length - index)}">${line}</text>`))}
<text class="linkname" x="${(low + high) / 2}" y="${y + 18}">${text.filter((part) => part !== '').join(' · ')}</text></g>`;
}
