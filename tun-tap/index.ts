/** TUN/TAP devices, packet sockets and network namespaces for Node.js, in batches. */
import * as features from './features.ts';
import * as ip from './ip.ts';
import * as devices from './link.ts';
import * as cable from './mirror.ts';

export { NetworkError } from './errors.ts';
export type { Features } from './features.ts';
export { FrameBatch, Kind } from './frame-batch.ts';
export type { FrameDevice, Readable } from './frame-device.ts';
export { holdTaps } from './hold.ts';
export type { AddressOptions, DeviceAddress, RouteOptions } from './ip.ts';
export type { BridgeOptions, Device, Statistics, VethOptions } from './link.ts';
export {
  createNamespace,
  deleteNamespace,
  listNamespaces,
  type Namespace,
  namespacePath,
  withNamespace,
} from './namespace.ts';
export { PacketSocket, type PacketSocketOptions } from './packet-socket.ts';
export { readSysctl, writeSysctl } from './sysctl.ts';
export { type Offload, TunTap, type TunTapOptions } from './tun-tap.ts';
export * as vnet from './vnet.ts';

/** Devices of the kernel: made, wired, addressed, moved, listed and removed. */
export const link = { ...devices, ...ip, ...features, ...cable };
