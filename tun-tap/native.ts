import { createRequire } from 'node:module';

/** A network namespace as the C side takes it: path, open descriptor, or undefined for the thread's own. */
export type Place = string | number | undefined;

declare const watcher: unique symbol;
export type Watcher = { readonly [watcher]: true };

/** What `native/` exports. Failures are thrown as Error with `code`, `errno` and `syscall`; see errors.ts. */
export interface Native {
  tunOpen(
    place: Place,
    name: string,
    flags: number,
    offload: number,
    owner: number,
    persist: boolean,
  ): { fd: number; name: string };
  tunSetOffload(fd: number, flags: number): void;
  tunRead(fd: number, buffer: ArrayBuffer, slots: number, slotSize: number): number;
  tunWrite(fd: number, buffer: ArrayBuffer, slots: number, slotSize: number, first: number, count: number): number;
  tunIsUp(fd: number): boolean;
  closeDescriptor(fd: number): void;
  takeDescriptor(pid: number, fd: number): number;

  packetOpen(
    place: Place,
    device: string,
    protocol: number,
    receiveBuffer: number,
    promiscuous: boolean,
    vnetHeader: boolean,
    ignoreOutgoing: boolean,
  ): number;
  packetRead(fd: number, buffer: ArrayBuffer, slots: number, slotSize: number, snapLength: number): number;
  packetWrite(fd: number, buffer: ArrayBuffer, slots: number, slotSize: number, first: number, count: number): number;
  packetDrops(fd: number): number;

  watch(fd: number, ready: (gone: boolean) => void): Watcher;
  unwatch(watcher: Watcher): void;
  keepAlive(watcher: Watcher, yes: boolean): void;

  enter(place: Place): number;
  leave(home: number): void;
  bindNewNamespace(path: string): void;
  shareMounts(folder: string): void;
  unmount(path: string): boolean;

  netlink(place: Place, request: Uint8Array): ArrayBuffer;
  ethtoolSet(place: Place, device: string, command: number, value: number): void;
}

let loaded: Native | undefined;

/** Loaded at first use, so that a program that needs no device runs anywhere. */
export function native(): Native {
  return (loaded ??= load());
}

function load(): Native {
  if (process.platform !== 'linux') {
    throw new Error(`tun-tap: TUN/TAP devices, packet sockets and namespaces need Linux, this is ${process.platform}`);
  }
  const file = './build/tun_tap.node';
  try {
    return createRequire(import.meta.url)(file) as Native;
  } catch (cause) {
    const missing = (cause as { code?: string }).code === 'MODULE_NOT_FOUND';
    throw new Error(
      missing
        ? 'tun-tap: the native part is not built: run `npm run build --workspace tun-tap` (needs gcc)'
        : `tun-tap: ${file} cannot be loaded: ${(cause as Error).message}`,
      { cause },
    );
  }
}
