import { requireDeviceName } from './device-name.ts';
import { attempting } from './errors.ts';
import type { FrameBatch } from './frame-batch.ts';
import { FrameDevice } from './frame-device.ts';
import { type Namespace, place } from './namespace.ts';
import { native } from './native.ts';

export interface PacketSocketOptions {
  readonly device: string;
  readonly namespace?: Namespace | undefined;
  /** Hear frames sent to others' addresses too. */
  readonly promiscuous?: boolean | undefined;
  /** EtherType; every protocol, and outgoing frames too, without it. */
  readonly protocol?: number | undefined;
  /** Bytes kept of a frame; a whole slot without it. `batch.wireLengths` always tells the whole length. */
  readonly snapLength?: number | undefined;
  /** Bytes the kernel may hold for us between two reads; 16 MiB without it. Needs CAP_NET_ADMIN beyond rmem_max. */
  readonly receiveBuffer?: number | undefined;
  /** Each frame is preceded by the ten bytes of vnet.ts, both ways. */
  readonly vnetHeader?: boolean | undefined;
  /** Do not hear what this machine sends on the device. */
  readonly ignoreOutgoing?: boolean | undefined;
}

const ETH_P_ALL = 0x0003;
const UNLIMITED = 0xffff_ffff;

/** Every frame of one device as the kernel sees it (AF_PACKET, raw), but for those this socket sends. VLAN tags are not in the bytes. */
export class PacketSocket extends FrameDevice {
  readonly #snapLength: number;
  #drops = 0;

  private constructor(name: string, fd: number, snapLength: number) {
    super(name, fd);
    this.#snapLength = snapLength;
  }

  static open(options: PacketSocketOptions): PacketSocket {
    const { device, namespace, snapLength = UNLIMITED } = options;
    requireDeviceName(device);
    const fd = attempting({ operation: 'open packet socket', device, namespace }, () =>
      native().packetOpen(
        place(namespace),
        device,
        options.protocol ?? ETH_P_ALL,
        options.receiveBuffer ?? 16 << 20,
        options.promiscuous ?? false,
        options.vnetHeader ?? false,
        options.ignoreOutgoing ?? false,
      ),
    );
    return new PacketSocket(device, fd, snapLength);
  }

  /** Also fills `timestamps`, `kinds` and `wireLengths`. */
  override read(batch: FrameBatch): number {
    const fd = this.fd;
    return attempting({ operation: 'read', device: this.name }, () =>
      native().packetRead(fd, batch.buffer, batch.slots, batch.slotSize, this.#snapLength),
    );
  }

  override write(batch: FrameBatch, first: number, count: number): number {
    const fd = this.fd;
    return attempting({ operation: 'write', device: this.name }, () =>
      native().packetWrite(fd, batch.buffer, batch.slots, batch.slotSize, first, count),
    );
  }

  /** Frames lost since `open` because the receive buffer was full. */
  drops(): number {
    const fd = this.fd;
    const attempt = { operation: 'read statistics', device: this.name };
    return (this.#drops += attempting(attempt, () => native().packetDrops(fd)));
  }
}
