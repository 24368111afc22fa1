/** Kame nodes on in-memory links, and their command lines, in virtual time. */

import { Node, type RunningProgram } from '#node/node.ts';
import { parseConfig } from '#node/node-config.ts';
import { setUpNode } from '#node/node-setup.ts';
import { SeededRandom } from '#stack/env/random.ts';
import { VirtualClock } from '#stack/env/virtual-clock.ts';
import { Segment, type SegmentEnd } from '#stack/link/segment.ts';
import { Pool } from '#stack/packet/pool.ts';
import { parseMac } from '#stack/wire/ethernet.ts';

/** The day of the KAME note. */
const DATE = Date.UTC(2001, 4, 25);

export interface Ran {
  readonly out: string;
  readonly error: string;
  /** Undefined while it runs. */
  readonly code: number | undefined;
  readonly program: RunningProgram;
}

export class Nodes {
  readonly clock = new VirtualClock();
  readonly pool = new Pool({ poison: true });
  readonly #random = new SeededRandom(1);

  wire(options: { medium?: 'ethernet' | 'ip'; mtu?: number } = {}): Segment {
    return new Segment(this.clock, options);
  }

  /** `config` is YAML; each interface of it is on the segment of its name. */
  node(hostname: string, config: string, segments: Readonly<Record<string, Segment>> = {}): Node {
    const { clock, pool } = this;
    const node = new Node({
      clock,
      pool,
      hostname,
      random: this.#random.fork(hostname),
      strict: true,
      date: () => DATE + clock.now,
    });
    setUpNode(node, parseConfig(config, hostname), ({ name, mac }): SegmentEnd => {
      return segments[name]!.connect(mac === undefined ? undefined : parseMac(mac));
    });
    return node;
  }

  /** Runs a command line for at most `time` milliseconds. */
  run(node: Node, line: string, time = 60_000): Ran {
    const ran = this.start(node, line);
    const end = this.clock.now + time;
    while (ran.code === undefined && this.clock.step(end));
    return ran;
  }

  start(node: Node, line: string): Ran {
    const ran: { -readonly [K in keyof Ran]?: Ran[K] } & { out: string; error: string } = { out: '', error: '' };
    ran.program = node.run(line.split(' '), {
      out: (text) => {
        ran.out += text;
      },
      error: (text) => {
        ran.error += text;
      },
      exited: (code) => {
        ran.code = code;
      },
    });
    return ran as Ran;
  }

  pass(time: number): void {
    this.clock.run(time);
  }
}

/** `a` and `b` on one Ethernet, named `tap0` by both, addresses in place. */
export function pair(options: { a?: string; b?: string } = {}) {
  const nodes = new Nodes();
  const tap0 = nodes.wire();
  const config = (number: number, more = ''): string => `
interfaces:
  - name: tap0
    mac: "02:00:00:00:00:0${number}"
    addresses: ["2001:db8::${number}/64"]
${more}`;
  const a = nodes.node('a', config(1, options.a), { tap0 });
  const b = nodes.node('b', config(2, options.b), { tap0 });
  nodes.pass(3000);
  return { nodes, a, b, tap0, run: (line: string, time?: number) => nodes.run(a, line, time) };
}
