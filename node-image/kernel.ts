/** System calls of a node, made from its stack: the one file that knows both sides. KAME: in6_control, rip6_usrreq, route.c. */

import type { Counters, Histograms } from '#stack/counters.ts';
import type { TraceEvent } from '#stack/env/trace.ts';
import { addAddress, type InterfaceAddress, removeAddress, setLifetimes } from '#stack/ip6/addresses.ts';
import { zoneOfScopeId } from '#stack/ip6/scope.ts';
import { selectSource } from '#stack/ip6/source-address.ts';
import type { FrameTap, Interface } from '#stack/link/interface.ts';
import { advertiseUnsolicited } from '#stack/nd6/advertisement.ts';
import { disableInterface, enableInterface } from '#stack/nd6/dad.ts';
import { setDefaultInterface } from '#stack/nd6/default-interface.ts';
import { nd6ForwardingChanged } from '#stack/nd6/interface-events.ts';
import { reachableTime } from '#stack/nd6/reachable-time.ts';
import { deleteNeighbor, setNeighbor } from '#stack/nd6/static-entries.ts';
import { addRoute, changeRoute, deleteRoute, removeRoute } from '#stack/route/routes.ts';
import { type Route, RouteFlag } from '#stack/route/table.ts';
import type { Stack } from '#stack/stack.ts';
import { findTunable, sysctlNames } from '#stack/sysctl.ts';
import { zoneOfDestination } from '#stack/transport/output.ts';
import * as Ip6 from '#stack/wire/address.ts';
import { systemError } from './errno.ts';
import type { NodeTrace } from './node-trace.ts';
import { ProgramRawSocket, ProgramUdpSocket } from './sockets.ts';
import {
  type AddressInfo,
  type AddressOptions,
  type CapturedFrame,
  type InterfaceInfo,
  type Kernel,
  type NdInterfaceInfo,
  type NeighborInfo,
  type RawSocket,
  type RouteInfo,
  type RouteRequest,
  type ScopedAddress,
  SystemError,
  type UdpSocket,
} from './system.ts';

const HOSTNAME = 'kern.hostname';
const HOSTNAME_LENGTH = 255;

/** Handles that one program has open, closed at its end. */
export type OpenHandles = Set<{ close(): void }>;

export class StackKernel implements Kernel {
  readonly #stack: Stack;
  readonly #trace: NodeTrace;
  readonly #open: OpenHandles;

  constructor(stack: Stack, trace: NodeTrace, open: OpenHandles) {
    this.#stack = stack;
    this.#trace = trace;
    this.#open = open;
  }

  get counters(): Counters {
    return this.#stack.counters;
  }

  get histograms(): Histograms {
    return this.#stack.histograms;
  }

  // ---- sysctl

  sysctlNames(): string[] {
    return [HOSTNAME, ...sysctlNames()];
  }

  sysctl(name: string): number | string {
    if (name === HOSTNAME) return this.#stack.hostname;
    const found = findTunable(name);
    if (found === undefined) throw systemError('ENOENT', name);
    return (this.#stack.sysctl[found.group] as Record<string, number>)[found.key]!;
  }

  setSysctl(name: string, value: number | string): void {
    if (name === HOSTNAME) {
      const text = String(value);
      if (text === '' || text.length > HOSTNAME_LENGTH) throw systemError('EINVAL', name);
      this.#stack.hostname = text;
      return;
    }
    const found = findTunable(name);
    if (found === undefined) throw systemError('ENOENT', name);
    const { least, most } = { least: found.tunable.min ?? -0x8000_0000, most: found.tunable.max ?? 0x7fff_ffff };
    if (found.tunable.readOnly) throw systemError('EPERM', name);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw new SystemError('EINVAL', `${name}: ${value} is not a whole number from ${least} to ${most}`);
    }
    (this.#stack.sysctl[found.group] as Record<string, number>)[found.key] = value;
    if (found.key === 'forwarding') nd6ForwardingChanged(this.#stack);
  }

  // ---- interfaces

  interfaces(): InterfaceInfo[] {
    return this.#interfaces().map((ifp) => this.#describe(ifp));
  }

  interface(name: string): InterfaceInfo {
    return this.#describe(this.#named(name));
  }

  setUp(name: string, up: boolean): void {
    this.#named(name).setUp(up);
  }

  setMtu(name: string, mtu: number): void {
    const ifp = this.#named(name);
    if (mtu < 1280 || mtu > ifp.link.mtu) {
      throw new SystemError(
        'EINVAL',
        `${name}: mtu must be from 1280 (RFC 8200) to the link's ${ifp.link.mtu}: ${mtu}`,
      );
    }
    ifp.mtu = mtu;
  }

  setLinkAddress(name: string, mac: Uint8Array): void {
    const ifp = this.#named(name);
    if (ifp.mac === undefined || mac.length !== 6 || (mac[0]! & 1) !== 0) throw systemError('EINVAL', name);
    ifp.mac = mac.slice();
    ifp.link.setMac?.(ifp.mac);
  }

  addAddress(name: string, address: Uint8Array, prefixLength: number, options: AddressOptions = {}): void {
    const ifp = this.#named(name);
    const whole = options.eui64 ? Ip6.withInterfaceId(address, interfaceId(ifp)) : address;
    const { anycast = false, preferredLifetime, validLifetime, destination } = options;
    const known = ifp.addresses.find((one) => Ip6.equal(one.address, whole) && one.prefixLength === prefixLength);
    if (known !== undefined && (preferredLifetime !== undefined || validLifetime !== undefined)) {
      const valid = validLifetime ?? Number.POSITIVE_INFINITY;
      const preferred = preferredLifetime ?? valid;
      if (preferred > valid) throw systemError('EINVAL', Ip6.formatAddress(whole));
      return setLifetimes(known, preferred, valid);
    }
    const entry = addAddress(this.#stack, ifp, whole, prefixLength, {
      anycast,
      ...(preferredLifetime === undefined ? {} : { preferredLifetime }),
      ...(validLifetime === undefined ? {} : { validLifetime }),
      ...(destination === undefined ? {} : { destination }),
    });
    if (typeof entry === 'string') throw systemError(entry, Ip6.formatAddress(whole));
  }

  removeAddress(name: string, address: Uint8Array): void {
    const entry = this.#named(name).addresses.find((one) => Ip6.equal(one.address, address));
    if (entry === undefined) throw systemError('EADDRNOTAVAIL', Ip6.formatAddress(address));
    removeAddress(this.#stack, entry);
  }

  groups(name: string): { group: Uint8Array; joins: number }[] {
    return this.#stack.mld.groups(this.#named(name)).map(({ group, joins }) => ({ group, joins }));
  }

  // ---- neighbors

  neighbors(): NeighborInfo[] {
    const { now } = this.#stack.clock;
    return [...this.#stack.neighbors.all()].map(
      ({ address, interface: ifp, linkAddress, state, router, proxy, expires, asked }) => ({
        address,
        interface: ifp.name,
        linkAddress,
        state,
        router,
        proxy,
        expires: expires - now,
        probes: asked,
      }),
    );
  }

  setNeighbor(to: ScopedAddress, mac: Uint8Array, options: { temporary: boolean; proxy: boolean }): void {
    this.#check(setNeighbor(this.#stack, to.address, this.#zoneInterface(to), mac, options), to.address);
  }

  deleteNeighbor(to: ScopedAddress): void {
    this.#check(deleteNeighbor(this.#stack, to.address, this.#zoneInterface(to)), to.address);
  }

  flushNeighbors(): number {
    return this.#stack.neighbors.flush();
  }

  nd(name: string): NdInterfaceInfo {
    const ifp = this.#named(name);
    const { nud, disabled, acceptRouterAdvertisements, preferSource, baseReachableTime, retransTimer } = ifp.nd;
    return {
      nud,
      disabled,
      acceptRouterAdvertisements,
      preferSource,
      baseReachableTime,
      // as it was last drawn: a look that draws would make it another run
      reachableTime: ifp.nd.reachableTime,
      retransTimer,
      hopLimit: ifp.nd.hopLimit === 0 ? this.#stack.sysctl.ip6.hlim : ifp.nd.hopLimit,
      linkMtu: ifp.linkMtu,
    };
  }

  setNd(name: string, change: Partial<NdInterfaceInfo>): void {
    const ifp = this.#named(name);
    const { disabled, nud, acceptRouterAdvertisements, preferSource, baseReachableTime, retransTimer, hopLimit } =
      change;
    if (nud !== undefined) ifp.nd.nud = nud;
    if (acceptRouterAdvertisements !== undefined) ifp.nd.acceptRouterAdvertisements = acceptRouterAdvertisements;
    if (preferSource !== undefined) ifp.nd.preferSource = preferSource;
    if (baseReachableTime !== undefined) {
      ifp.nd.baseReachableTime = baseReachableTime;
      reachableTime(this.#stack, ifp);
    }
    if (retransTimer !== undefined) ifp.nd.retransTimer = retransTimer;
    if (hopLimit !== undefined) ifp.nd.hopLimit = hopLimit;
    if (disabled === true) disableInterface(this.#stack, ifp);
    else if (disabled === false) enableInterface(this.#stack, ifp);
  }

  defaultInterface(): string {
    return this.#stack.defaultInterface?.name ?? '';
  }

  setDefaultInterface(name: string): void {
    setDefaultInterface(this.#stack, name === '' ? undefined : this.#named(name));
  }

  advertise(name: string, address: Uint8Array, count: number): void {
    this.#check(advertiseUnsolicited(this.#stack, this.#named(name), address, count), address);
  }

  // ---- routes

  routes(): RouteInfo[] {
    return [...this.#stack.routes.routes()].map((route) => this.#describeRoute(route));
  }

  addRoute(request: RouteRequest): void {
    const { destination, prefixLength, gateway, mtu = 0 } = request;
    let flags: number = RouteFlag.static;
    if (request.reject) flags |= RouteFlag.reject;
    if (request.blackhole) flags |= RouteFlag.blackhole;
    const zone = this.#zone(destination);
    const spec = {
      destination: destination.address,
      prefixLength,
      zone,
      interface: this.#hopInterface(request),
      flags,
      mtu,
    };
    const route = addRoute(this.#stack, { ...spec, gateway: gateway?.address });
    if (typeof route === 'string') throw systemError(route, this.#routeText(request));
  }

  changeRoute(request: RouteRequest): void {
    const { destination, prefixLength, gateway } = request;
    const route = this.#stack.routes.find(destination.address, prefixLength, this.#zone(destination));
    if (route === undefined) throw systemError('ESRCH', this.#routeText(request));
    if (gateway !== undefined || request.interface !== undefined) {
      const error = changeRoute(this.#stack, route, gateway?.address, this.#hopInterface(request));
      if (error !== undefined) throw systemError(error, this.#routeText(request));
    }
    if (request.mtu !== undefined) route.mtu = request.mtu;
  }

  deleteRoute(destination: ScopedAddress, prefixLength: number): void {
    const masked = Ip6.masked(destination.address, prefixLength);
    const error = deleteRoute(this.#stack, masked, prefixLength, this.#zone(destination));
    if (error !== undefined) throw systemError(error, this.#routeText({ destination, prefixLength }));
  }

  getRoute(destination: ScopedAddress): RouteInfo | undefined {
    const route = this.#stack.routes.lookup(Ip6.viewOf(destination.address), 0, this.#zone(destination));
    return route && this.#describeRoute(route);
  }

  flushRoutes(): number {
    const gone = [...this.#stack.routes.routes()].filter((route) => (route.flags & RouteFlag.gateway) !== 0);
    for (const route of gone) removeRoute(this.#stack, route);
    return gone.length;
  }

  sourceFor(destination: ScopedAddress): ScopedAddress | undefined {
    const { address } = destination;
    const to = { address, zone: destination.zone === '' ? 0 : this.#named(destination.zone).index };
    const zone = zoneOfDestination(this.#stack, to, undefined, undefined);
    if (typeof zone === 'string') return undefined;
    const source = selectSource(this.#stack, Ip6.viewOf(address), 0, { zone });
    return typeof source === 'string' ? undefined : { address: source.address, zone: source.interface.name };
  }

  openEvents(receive: (event: TraceEvent) => void): { close(): void } {
    return this.#opened({ close: this.#trace.listen((event) => event.type !== 'drop' && receive(event), false) });
  }

  // ---- sockets

  openRaw(protocol: number): RawSocket {
    const socket = this.#stack.raw.open(protocol);
    if (typeof socket === 'string') throw systemError(socket);
    return this.#opened(new ProgramRawSocket(this.#stack, socket));
  }

  openUdp(): UdpSocket {
    return this.#opened(new ProgramUdpSocket(this.#stack, this.#stack.udp.open()));
  }

  openCapture(name: string, receive: (frame: CapturedFrame) => void): { close(): void } {
    const watched = (name === '' ? this.#interfaces() : [this.#named(name)]).map((ifp) => {
      const tap: FrameTap = (pkt, outgoing) => {
        // lo0 has every packet twice
        if (outgoing && ifp.kind === 'loopback') return;
        const bytes = pkt.bytes.subarray(pkt.head, pkt.tail);
        receive({ interface: ifp.name, outgoing, bytes, medium: ifp.link.medium, time: this.#stack.clock.now });
      };
      ifp.taps.push(tap);
      return { ifp, tap };
    });
    return this.#opened({
      close: () => {
        for (const { ifp, tap } of watched.splice(0)) ifp.taps.splice(ifp.taps.indexOf(tap), 1);
      },
    });
  }

  // ----

  #opened<T extends { close(): void }>(handle: T): T {
    this.#open.add(handle);
    return handle;
  }

  #interfaces(): Interface[] {
    return this.#stack.interfaces.filter((ifp) => ifp !== undefined);
  }

  #named(name: string): Interface {
    const ifp = this.#stack.interfaceNamed(name);
    if (ifp === undefined) throw systemError('ENXIO', `interface ${name}`);
    return ifp;
  }

  /** The zone number of an address; 0 for a global one, and for one that leaves it open. */
  #zone({ address, zone }: ScopedAddress): number {
    const result = zoneOfScopeId(this.#stack, Ip6.viewOf(address), 0, zone === '' ? 0 : this.#named(zone).index);
    if (typeof result === 'string') throw systemError(result, Ip6.formatAddress(address));
    return result;
  }

  #zoneInterface(to: ScopedAddress): Interface | undefined {
    const zone = this.#zone(to);
    return zone === 0 ? undefined : this.#stack.interfaces[zone];
  }

  #check(code: string | undefined, address: Uint8Array): void {
    if (code !== undefined) throw systemError(code, Ip6.formatAddress(address));
  }

  #describe(ifp: Interface): InterfaceInfo {
    const { name, index, kind, up, running, mtu, mac } = ifp;
    const { inPackets, inBytes, inErrors, inDropped, inMulticast, outPackets, outBytes, outErrors, outMulticast } = ifp;
    return {
      name,
      index,
      kind,
      up,
      running,
      mtu,
      mac,
      addresses: ifp.addresses.map((entry) => this.#describeAddress(entry)),
      inPackets,
      inBytes,
      inErrors,
      inDropped,
      inMulticast,
      outPackets,
      outBytes,
      outErrors: outErrors + (ifp.link.lost ?? 0),
      outMulticast,
    };
  }

  #describeAddress(entry: InterfaceAddress): AddressInfo {
    const { address, prefixLength, state, anycast, autoconf, temporary, destination } = entry;
    const now = this.#stack.clock.now;
    return {
      address,
      prefixLength,
      state,
      destination,
      anycast,
      autoconf,
      temporary,
      preferredLifetime: (entry.preferredUntil - now) / 1000,
      validLifetime: (entry.validUntil - now) / 1000,
    };
  }

  /** The interface of a next hop as the request names it; undefined: the stack finds it. */
  #hopInterface({ gateway, interface: name, destination, reject, blackhole }: RouteRequest): Interface | undefined {
    if (name !== undefined) return this.#named(name);
    if (reject || blackhole) return this.#stack.loopback;
    if (gateway !== undefined && gateway.zone !== '') return this.#named(gateway.zone);
    return gateway === undefined && destination.zone !== '' ? this.#named(destination.zone) : undefined;
  }

  #describeRoute(route: Route): RouteInfo {
    const { destination, prefixLength, zone, gateway, mtu, use } = route;
    return {
      destination,
      prefixLength,
      zone: zone === 0 ? '' : (this.#stack.interfaces[zone]?.name ?? ''),
      gateway,
      interface: route.interface.name,
      flags: letters(route.flags),
      mtu: mtu === 0 ? route.interface.linkMtu : mtu,
      use,
      expires: route.expires - this.#stack.clock.now,
    };
  }

  #routeText({ destination, prefixLength }: Pick<RouteRequest, 'destination' | 'prefixLength'>): string {
    return Ip6.formatPrefix({ address: Ip6.masked(destination.address, prefixLength), length: prefixLength });
  }
}

/** netstat's letters, in its order. */
const LETTERS: readonly (readonly [number, string])[] = [
  [RouteFlag.up, 'U'],
  [RouteFlag.gateway, 'G'],
  [RouteFlag.host, 'H'],
  [RouteFlag.reject, 'R'],
  [RouteFlag.dynamic, 'D'],
  [RouteFlag.modified, 'M'],
  [RouteFlag.cloning, 'C'],
  [RouteFlag.linkLayer, 'L'],
  [RouteFlag.static, 'S'],
  [RouteFlag.blackhole, 'B'],
];

function letters(flags: number): string {
  return LETTERS.filter(([bit]) => (flags & bit) !== 0)
    .map(([, letter]) => letter)
    .join('');
}

/** From the MAC, or that of the link-local address where there is none. */
function interfaceId(ifp: Interface): Uint8Array {
  if (ifp.mac !== undefined) return Ip6.interfaceId(ifp.mac);
  const own = ifp.addresses.find((entry) => Ip6.isLinkLocal(entry.view, 0));
  if (own === undefined)
    throw new SystemError('EADDRNOTAVAIL', `${ifp.name}: no interface identifier: no MAC and no link-local address`);
  return own.address.subarray(8);
}
