import { attempting, NetworkError } from './errors.ts';
import type { FrameBatch } from './frame-batch.ts';
import { native, type Watcher } from './native.ts';

/** `gone` is set once, when the device was removed; after that the callback is not called again. */
export type Readable = (gone: NetworkError | undefined) => void;

/** What a TunTap and a PacketSocket have in common: a descriptor that moves frames, and its readiness. */
export abstract class FrameDevice {
  /** As the kernel named it when it was opened. */
  readonly name: string;
  #fd: number;
  #watcher: Watcher | undefined;
  #keepsAlive = true;

  constructor(name: string, fd: number) {
    this.name = name;
    this.#fd = fd;
  }

  /** Reads up to `batch.slots` frames without waiting, in one call. Returns how many; they are in slots 0, 1, ... */
  abstract read(batch: FrameBatch): number;

  /**
   * Writes slots `first` to `first + count - 1`. Returns how many the kernel is done with; fewer than `count` means that it has no
   * room now. A frame it refuses (malformed, device down) is done with too: it is counted in `batch.refused`, not thrown.
   */
  abstract write(batch: FrameBatch, first: number, count: number): number;

  /** The descriptor. Throws once closed. */
  get fd(): number {
    if (this.#fd < 0) throw new Error(`${this.name} is closed`);
    return this.#fd;
  }

  get closed(): boolean {
    return this.#fd < 0;
  }

  /**
   * Calls back from the event loop whenever frames wait, once a turn of the loop for as long as some do (level, not edge): read
   * one batch and return, and what is left brings the next call. undefined stops it. One callback; the last one set counts.
   */
  onReadable(callback: Readable | undefined): void {
    const fd = this.fd;
    this.#stopWatching();
    if (callback === undefined) return;
    this.#watcher = attempting({ operation: 'watch', device: this.name }, () =>
      native().watch(fd, (gone) => callback(gone ? this.#removed() : undefined)),
    );
    if (!this.#keepsAlive) native().keepAlive(this.#watcher, false);
  }

  /** A watched device keeps the process running (the default), or does not. */
  ref(): this {
    return this.#keepAlive(true);
  }

  unref(): this {
    return this.#keepAlive(false);
  }

  /** Closes the descriptor; a TUN or TAP that is not persistent disappears. Closing again does nothing. */
  close(): void {
    if (this.#fd < 0) return;
    this.#stopWatching();
    native().closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #keepAlive(yes: boolean): this {
    this.#keepsAlive = yes;
    if (this.#watcher !== undefined) native().keepAlive(this.#watcher, yes);
    return this;
  }

  #stopWatching(): void {
    if (this.#watcher !== undefined) native().unwatch(this.#watcher);
    this.#watcher = undefined;
  }

  #removed(): NetworkError {
    const failure = { code: 'ENODEV', errno: 19, syscall: 'poll', message: 'the device was removed' };
    return new NetworkError({ operation: 'watch', device: this.name }, failure);
  }
}
