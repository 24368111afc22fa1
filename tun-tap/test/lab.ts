import { createNamespace, deleteNamespace, FrameBatch, type FrameDevice, writeSysctl } from '../index.ts';

let made = 0;

/** A namespace of its own for one test, silent (no IPv6 of the kernel's), gone with `using`. */
export class OwnNamespace {
  readonly name: string = `tun-tap-${process.pid}-${made++}`;

  constructor({ ipv6 = false } = {}) {
    createNamespace(this.name);
    if (!ipv6) for (const which of ['all', 'default']) writeSysctl(this.name, `net.ipv6.conf.${which}.disable_ipv6`, 1);
  }

  [Symbol.dispose](): void {
    deleteNamespace(this.name);
  }
}

/** EtherType 88b5, for local experiments (IEEE 802): no kernel answers it. */
export const ETHER_TYPE = 0x88b5;

/** A broadcast frame whose payload repeats one number. */
export function frame(number: number, length = 64): Uint8Array {
  const bytes = new Uint8Array(length).fill(number);
  bytes.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 0xbb, ETHER_TYPE >> 8, ETHER_TYPE & 0xff]);
  return bytes;
}

export function batchOf(...frames: Uint8Array[]): FrameBatch {
  const batch = new FrameBatch(Math.max(1, frames.length), Math.max(64, ...frames.map((each) => each.length)));
  frames.forEach((each, i) => {
    batch.set(i, each);
  });
  return batch;
}

export interface Heard {
  readonly bytes: Uint8Array;
  readonly kind: number;
  readonly wireLength: number;
  readonly timestamp: bigint;
}

/** The next `count` frames the device delivers. */
export async function hear(device: FrameDevice, count: number, slotSize = 2048): Promise<Heard[]> {
  const batch = new FrameBatch(64, slotSize);
  const heard: Heard[] = [];
  await new Promise<void>((resolve, reject) => {
    device.onReadable((gone) => {
      if (gone !== undefined) return reject(gone);
      const read = device.read(batch);
      for (let i = 0; i < read; i++) {
        const [kind, wireLength, timestamp] = [batch.kinds[i]!, batch.wireLengths[i]!, batch.timestamps[i]!];
        heard.push({ bytes: batch.frame(i).slice(), kind, wireLength, timestamp });
      }
      if (heard.length >= count) resolve();
    });
  });
  device.onReadable(undefined);
  return heard;
}

/** What `run` throws. */
export function thrownBy(run: () => unknown): Error & { code?: string } {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
