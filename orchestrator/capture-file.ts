/**
 * The pcapng file of one link, written while frames come: what a run that is killed saw is on disk but for the last
 * second. The same frames give the same bytes.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { enhancedPacket, interfaceDescription, nanoseconds, sectionHeader } from '#stack/wire/pcapng.ts';
import type { TopologyLink } from './topology.ts';

/** Bytes and milliseconds that may be lost with the process. */
const BUFFERED = 1_000_000;
const DELAY = 1000;

export class CaptureFile {
  readonly #file: number;
  #blocks: Uint8Array[] = [];
  #buffered = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(path: string, { name, medium }: Pick<TopologyLink, 'name' | 'medium'>) {
    this.#file = openSync(path, 'w');
    this.#add(sectionHeader({ application: 'kamelab' }));
    this.#add(interfaceDescription({ name, linkType: medium === 'tun' ? 'raw' : 'ethernet' }));
    this.flush();
  }

  /** `time` after `epoch`, both in milliseconds; the sender and what faults did become the packet's comments. */
  frame(bytes: Uint8Array, time: number, epoch: number, from?: string, fault?: string): void {
    if (this.#closed) return;
    const comments = [
      ...(from === undefined ? [] : [`from ${from}`]),
      ...(fault === undefined ? [] : [`fault: ${fault}`]),
    ];
    this.#add(enhancedPacket({ interface: 0, time: nanoseconds(epoch) + nanoseconds(time), bytes, comments }));
    if (this.#buffered >= BUFFERED) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), DELAY).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed || this.#buffered === 0) return;
    const bytes = Buffer.concat(this.#blocks);
    this.#blocks = [];
    this.#buffered = 0;
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
  }

  close(): void {
    this.flush();
    if (!this.#closed) closeSync(this.#file);
    this.#closed = true;
  }

  #add(block: Uint8Array): void {
    this.#blocks.push(block);
    this.#buffered += block.length;
  }
}
