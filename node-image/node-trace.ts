import type { Trace, TraceEvent } from '#stack/env/trace.ts';
import type { Packet } from '#stack/packet/packet.ts';
import type { Stack } from '#stack/stack.ts';

/** What happened in a node, and when by its clock. A drop names its counter, as `netstat -s` sections do. */
export type NodeEvent = (TraceEvent | DropEvent) & { readonly time: number };

export interface DropEvent {
  readonly type: 'drop';
  readonly protocol: string;
  readonly counter: string;
  readonly interface: string;
}

type Listener = (event: NodeEvent) => void;

/** Hands what a stack tells to whoever listens. With no listener the stack's tracing is off and costs nothing. */
export class NodeTrace implements Trace {
  readonly #stack: Stack;
  readonly #listeners = new Set<Listener>();
  readonly #dropListeners = new Set<Listener>();

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  listen(listener: Listener, drops: boolean): () => void {
    this.#listeners.add(listener);
    if (drops) this.#dropListeners.add(listener);
    this.#stack.trace = this;
    return () => {
      this.#listeners.delete(listener);
      this.#dropListeners.delete(listener);
      if (this.#listeners.size === 0) this.#stack.trace = undefined;
    };
  }

  event(event: TraceEvent): void {
    const stamped = { ...event, time: this.#stack.clock.now };
    for (const listener of [...this.#listeners]) listener(stamped);
  }

  dropped(pkt: Packet, protocol: string, counter: string): void {
    if (this.#dropListeners.size === 0) return;
    const name = this.#stack.interfaces[pkt.receivedOn]?.name ?? '';
    const event: NodeEvent = { type: 'drop', protocol, counter, interface: name, time: this.#stack.clock.now };
    for (const listener of [...this.#dropListeners]) listener(event);
  }
}
