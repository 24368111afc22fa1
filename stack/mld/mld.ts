import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';

/** Multicast Listener Discovery, version 1, listener side (RFC 2710). KAME: mld6.c. */
export class Mld {
  readonly stack: Stack;
  constructor(stack: Stack) {
    this.stack = stack;
  }

  /** Join (counted: each join wants its leave). */
  join(_ifp: Interface, _group: Uint8Array): void {
    throw new Error('not built yet');
  }

  leave(_ifp: Interface, _group: Uint8Array): void {
    throw new Error('not built yet');
  }

  /** Is the group at `view[at]` one that `ifp` listens to? On the data path. */
  isMember(_ifp: Interface, _view: DataView, _at: number): boolean {
    throw new Error('not built yet');
  }
}
