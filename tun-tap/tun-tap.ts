import { requireDeviceName } from './device-name.ts';
import { attempting } from './errors.ts';
import type { FrameBatch } from './frame-batch.ts';
import { FrameDevice } from './frame-device.ts';
import * as link from './link.ts';
import { type Namespace, place } from './namespace.ts';
import { native } from './native.ts';

/** What the reader and writer of the device can do itself, so that the kernel need not. All need `vnetHeader`. */
export interface Offload {
  /** Transport checksums may be unfinished (VIRTIO_NET_HDR_F_NEEDS_CSUM). Implied by every other one. */
  readonly checksum?: boolean | undefined;
  /** TCP segments of up to 64 KB over IPv4. */
  readonly tso4?: boolean | undefined;
  readonly tso6?: boolean | undefined;
  /** Such segments with ECN bits set. */
  readonly tsoEcn?: boolean | undefined;
  /** UDP segmentation; Linux 6.2. The kernel takes uso4 and uso6 together or not at all. */
  readonly uso4?: boolean | undefined;
  readonly uso6?: boolean | undefined;
}

export interface TunTapOptions {
  /** Up to 15 bytes; `%d` in it stands for the first free number. */
  readonly name: string;
  /** tap: Ethernet frames. tun: IP packets. Never with the four bytes of packet information (IFF_NO_PI). */
  readonly mode: 'tap' | 'tun';
  readonly namespace?: Namespace | undefined;
  /** Each frame is preceded by the ten bytes described in vnet.ts. */
  readonly vnetHeader?: boolean | undefined;
  /** The device may be opened more than once under the same name; the kernel spreads flows over the descriptors. */
  readonly multiQueue?: boolean | undefined;
  /** Frames written go through NAPI, which merges TCP segments (GRO). */
  readonly napi?: boolean | undefined;
  readonly offload?: Offload | undefined;
  /** Of the kernel's side. */
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  /** The uid that may open the device without CAP_NET_ADMIN; of use with `persist`. */
  readonly owner?: number | undefined;
  /** The device stays when its last descriptor is closed. */
  readonly persist?: boolean | undefined;
}

const IFF = { tun: 0x0001, tap: 0x0002, napi: 0x0010, multiQueue: 0x0100, noPi: 0x1000, vnetHeader: 0x4000 };

/** linux/if_tun.h; Debian 12's has no USO yet. */
const TUN_F = { checksum: 0x01, tso4: 0x02, tso6: 0x04, tsoEcn: 0x08, uso4: 0x20, uso6: 0x40 };

/** The user's end of a TUN or TAP device. It stays usable when the device is moved to another namespace. */
export class TunTap extends FrameDevice {
  readonly mode: 'tap' | 'tun';
  readonly vnetHeader: boolean;

  private constructor(name: string, fd: number, mode: 'tap' | 'tun', vnetHeader: boolean) {
    super(name, fd);
    this.mode = mode;
    this.vnetHeader = vnetHeader;
  }

  /** Makes the device, or attaches to the one of that name. It is down; `link.setUp` it. */
  static open(options: TunTapOptions): TunTap {
    const { name, mode, namespace, vnetHeader = false } = options;
    requireDeviceName(name);
    if (mode !== 'tap' && mode !== 'tun') throw new TypeError(`mode is 'tap' or 'tun', not '${mode}'`);
    const offload = offloadFlags(options.offload ?? {});
    if (offload !== 0 && !vnetHeader) throw new TypeError(`${name}: offload needs vnetHeader`);
    const flags =
      IFF[mode] |
      IFF.noPi |
      (vnetHeader ? IFF.vnetHeader : 0) |
      (options.multiQueue ? IFF.multiQueue : 0) |
      (options.napi ? IFF.napi : 0);
    const attempt = { operation: `open ${mode.toUpperCase()}`, device: name, namespace };
    const opened = attempting(attempt, () =>
      native().tunOpen(place(namespace), name, flags, offload, options.owner ?? -1, options.persist ?? false),
    );
    const device = new TunTap(opened.name, opened.fd, mode, vnetHeader);
    try {
      if (options.mac !== undefined) link.setMac(device.name, options.mac, namespace);
      if (options.mtu !== undefined) link.setMtu(device.name, options.mtu, namespace);
    } catch (error) {
      device.close();
      throw error;
    }
    return device;
  }

  override read(batch: FrameBatch): number {
    const fd = this.fd;
    return attempting({ operation: 'read', device: this.name }, () =>
      native().tunRead(fd, batch.buffer, batch.slots, batch.slotSize),
    );
  }

  override write(batch: FrameBatch, first: number, count: number): number {
    const fd = this.fd;
    return attempting({ operation: 'write', device: this.name }, () =>
      native().tunWrite(fd, batch.buffer, batch.slots, batch.slotSize, first, count),
    );
  }

  /** Whether the kernel's side is up, which is this side's carrier; true wherever the device has been moved. */
  get up(): boolean {
    return native().tunIsUp(this.fd);
  }

  /** Replaces what `open` was given; an empty object turns all of it off. */
  setOffload(offload: Offload): void {
    if (!this.vnetHeader) throw new TypeError(`${this.name}: offload needs vnetHeader`);
    const fd = this.fd;
    attempting({ operation: 'set offload', device: this.name }, () =>
      native().tunSetOffload(fd, offloadFlags(offload)),
    );
  }
}

export function offloadFlags(offload: Offload): number {
  let flags = 0;
  for (const name of Object.keys(TUN_F) as (keyof Offload)[]) if (offload[name]) flags |= TUN_F[name];
  if (Boolean(offload.uso4) !== Boolean(offload.uso6)) {
    throw new TypeError('offload: the kernel takes uso4 and uso6 together or not at all');
  }
  if (offload.tsoEcn && !offload.tso4 && !offload.tso6) throw new TypeError('offload: tsoEcn needs tso4 or tso6');
  return flags === 0 ? 0 : flags | TUN_F.checksum;
}
