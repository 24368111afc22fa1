/** The frames of one link: kept in order, decoded when asked for, told to who watches. */
import { type Decoded, decode } from '#stack/wire/decode.ts';
import type { FaultHandle, Frame, LabLink } from './drivers/driver.ts';
import { type Fault, parseFault } from './faults/fault.ts';
import type { FaultSource } from './faults/fault-schema.ts';
import type { TopologyLink } from './topology.ts';
import { UsageError } from './usage-error.ts';

/** What carries a link that can have faults. */
export interface Faulty {
  readonly faults: readonly FaultHandle[];
  place(fault: Fault): FaultHandle;
}

export class LinkRecord implements LabLink {
  readonly name: string;
  readonly type: 'p2p' | 'lan';
  readonly medium: 'ethernet' | 'tun';
  readonly mtu: number;
  readonly frames: Frame[] = [];
  lost = 0;
  readonly #link: TopologyLink;
  #carrier: Faulty | undefined;
  readonly #tell: (frame: Frame) => void;
  readonly #senders = new Map<string, string>();

  constructor(link: TopologyLink, tell: (frame: Frame) => void) {
    this.name = link.name;
    this.type = link.type;
    this.medium = link.medium;
    this.mtu = link.mtu;
    this.#link = link;
    this.#tell = tell;
    for (const end of link.ends) this.#senders.set(end.mac, end.node);
  }

  /** Takes the bytes as they are: the caller copies out of a buffer it uses again. */
  add(time: number, bytes: Uint8Array, from?: string): void {
    this.push(this.frame(time, bytes, from));
  }

  /** One that is to be pushed when more is known of it. */
  frame(time: number, bytes: Uint8Array, from?: string): SeenFrame {
    return new SeenFrame(time, this.name, this.medium, bytes, from ?? this.#sender(bytes));
  }

  push(frame: SeenFrame): void {
    this.frames.push(frame);
    this.#tell(frame);
  }

  carriedBy(carrier: Faulty): void {
    this.#carrier = carrier;
  }

  get faults(): readonly FaultHandle[] {
    return this.#carrier?.faults ?? [];
  }

  fault(spec: FaultSource): FaultHandle {
    const { name, ends } = this.#link;
    if (this.#carrier === undefined) throw new UsageError(`link ${name} can have no faults: write wire: true for it`);
    return this.#carrier.place(parseFault(spec, ends, `link ${name}`));
  }

  /** By the source MAC; a node may send with another's, so this is a hint for people and not for verdicts. */
  #sender(bytes: Uint8Array): string | undefined {
    if (this.medium === 'tun' || bytes.length < 14) return undefined;
    let mac = '';
    for (let at = 6; at < 12; at++) mac += (at > 6 ? ':' : '') + bytes[at]!.toString(16).padStart(2, '0');
    return this.#senders.get(mac);
  }
}

export class SeenFrame implements Frame {
  readonly time: number;
  readonly link: string;
  readonly bytes: Uint8Array;
  readonly from: string | undefined;
  fault: string | undefined = undefined;
  readonly #medium: 'ethernet' | 'tun';
  #decoded: Decoded | undefined;

  constructor(time: number, link: string, medium: 'ethernet' | 'tun', bytes: Uint8Array, from: string | undefined) {
    this.time = time;
    this.link = link;
    this.bytes = bytes;
    this.from = from;
    this.#medium = medium;
  }

  get decoded(): Decoded {
    this.#decoded ??= decode(this.bytes, this.#medium === 'tun' ? 'raw' : 'ethernet');
    return this.#decoded;
  }
}

/** Who waits for something to happen in a lab: looked at on every frame and event. */
export class Watchers {
  readonly #checks = new Set<() => void>();

  poke(): void {
    for (const check of [...this.#checks]) check();
  }

  add(check: () => void): () => void {
    this.#checks.add(check);
    return () => this.#checks.delete(check);
  }
}
