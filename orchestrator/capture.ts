/** The frames of one link: kept in order, decoded when asked for, told to who watches. */
import { type Decoded, decode } from '#stack/wire/decode.ts';
import type { Frame, LabLink } from './drivers/driver.ts';
import type { TopologyLink } from './topology.ts';

export class LinkRecord implements LabLink {
  readonly name: string;
  readonly type: 'p2p' | 'lan';
  readonly medium: 'ethernet' | 'tun';
  readonly mtu: number;
  readonly frames: Frame[] = [];
  lost = 0;
  readonly #tell: (frame: Frame) => void;
  readonly #senders = new Map<string, string>();

  constructor(link: TopologyLink, tell: (frame: Frame) => void) {
    this.name = link.name;
    this.type = link.type;
    this.medium = link.medium;
    this.mtu = link.mtu;
    this.#tell = tell;
    for (const end of link.ends) this.#senders.set(end.mac, end.node);
  }

  /** Takes the bytes as they are: the caller copies out of a buffer it uses again. */
  add(time: number, bytes: Uint8Array, from?: string): void {
    const frame = new SeenFrame(time, this.name, this.medium, bytes, from ?? this.#sender(bytes));
    this.frames.push(frame);
    this.#tell(frame);
  }

  /** By the source MAC; a node may send with another's, so this is a hint for people and not for verdicts. */
  #sender(bytes: Uint8Array): string | undefined {
    if (this.medium === 'tun' || bytes.length < 14) return undefined;
    let mac = '';
    for (let at = 6; at < 12; at++) mac += (at > 6 ? ':' : '') + bytes[at]!.toString(16).padStart(2, '0');
    return this.#senders.get(mac);
  }
}

class SeenFrame implements Frame {
  readonly time: number;
  readonly link: string;
  readonly bytes: Uint8Array;
  readonly from: string | undefined;
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
