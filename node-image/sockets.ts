/** The stack's sockets as programs know them: zones by name, and errors thrown. */
import type { Interface } from '#stack/link/interface.ts';
import type { Stack } from '#stack/stack.ts';
import type { RawSocket as StackRawSocket } from '#stack/transport/raw.ts';
import type * as Transport from '#stack/transport/socket.ts';
import type { UdpSocket as StackUdpSocket } from '#stack/transport/udp.ts';
import { check, systemError } from './errno.ts';
import type { RawSocket, Received, ScopedAddress, SendOptions, SocketError, UdpSocket } from './system.ts';

/** What a stack's UDP and raw sockets share. */
class Socket {
  protected readonly stack: Stack;
  readonly #socket: StackRawSocket | StackUdpSocket;

  constructor(stack: Stack, socket: StackRawSocket | StackUdpSocket) {
    this.stack = stack;
    this.#socket = socket;
  }

  onReceive(receive: (message: Received) => void): void {
    this.#socket.onReceive = (datagram) =>
      receive({
        bytes: datagram.bytes,
        from: this.#scoped(datagram.from),
        fromPort: datagram.fromPort,
        to: this.#scoped(datagram.to),
        interface: datagram.interface.name,
        hopLimit: datagram.hopLimit,
        trafficClass: datagram.trafficClass,
      });
  }

  onError(handler: (error: SocketError) => void): void {
    this.#socket.onError = (report) => handler({ ...report, from: this.#scoped(report.from) });
  }

  join(group: Uint8Array, interfaceName: string): void {
    check(this.#socket.join(this.named(interfaceName), group));
  }

  leave(group: Uint8Array, interfaceName: string): void {
    check(this.#socket.leave(this.named(interfaceName), group));
  }

  close(): void {
    this.#socket.close();
  }

  protected endpoint({ address, zone }: ScopedAddress): Transport.Endpoint {
    return { address, zone: zone === '' ? 0 : this.named(zone).index };
  }

  protected options(options: SendOptions): Transport.SendOptions {
    const { interface: name, ...rest } = options;
    return name === undefined ? rest : { ...rest, interface: this.named(name) };
  }

  protected named(name: string): Interface {
    const ifp = this.stack.interfaceNamed(name);
    if (ifp === undefined) throw systemError('ENXIO', `interface ${name}`);
    return ifp;
  }

  #scoped({ address, zone }: Transport.Endpoint): ScopedAddress {
    return { address, zone: this.stack.interfaces[zone]?.name ?? '' };
  }
}

export class ProgramRawSocket extends Socket implements RawSocket {
  readonly #socket: StackRawSocket;

  constructor(stack: Stack, socket: StackRawSocket) {
    super(stack, socket);
    this.#socket = socket;
  }

  send(payload: Uint8Array, to: ScopedAddress, options: SendOptions = {}): void {
    check(this.#socket.send(payload, this.endpoint(to), this.options(options)));
  }

  filter(types: readonly number[]): void {
    this.#socket.filter(types);
  }
}

export class ProgramUdpSocket extends Socket implements UdpSocket {
  readonly #socket: StackUdpSocket;

  constructor(stack: Stack, socket: StackUdpSocket) {
    super(stack, socket);
    this.#socket = socket;
  }

  bind(to: ScopedAddress, port: number): number {
    const bound = this.#socket.bind(this.endpoint(to), port);
    if (typeof bound === 'string') throw systemError(bound);
    return bound;
  }

  connect(to: ScopedAddress, port: number): void {
    check(this.#socket.connect(this.endpoint(to), port));
  }

  send(payload: Uint8Array, to?: ScopedAddress, port = 0, options: SendOptions = {}): void {
    check(this.#socket.send(payload, to && this.endpoint(to), port, this.options(options)));
  }
}
