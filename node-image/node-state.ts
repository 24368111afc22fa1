/** A node as JSON, for machines: what ifconfig, ndp, netstat and sysctl print for people. Addresses are text without zone. */
import type { Counters } from '#stack/counters.ts';
import { formatAddress } from '#stack/wire/address.ts';
import { formatMac } from '#stack/wire/ethernet.ts';
import type { Kernel, NdInterfaceInfo, NeighborState } from './system.ts';

export interface NodeState {
  readonly hostname: string;
  /** Milliseconds by the node's clock. */
  readonly time: number;
  readonly interfaces: readonly InterfaceState[];
  readonly neighbors: readonly NeighborEntryState[];
  readonly routes: readonly RouteState[];
  /** By protocol and counter, as in stack/counters.ts. */
  readonly counters: Counters;
  /** By ICMPv6 type; only those that occurred. */
  readonly icmp6In: Readonly<Record<string, number>>;
  readonly icmp6Out: Readonly<Record<string, number>>;
  readonly sysctls: Readonly<Record<string, number | string>>;
}

export interface InterfaceState {
  readonly name: string;
  readonly index: number;
  readonly kind: 'ethernet' | 'pointToPoint' | 'loopback';
  readonly up: boolean;
  readonly running: boolean;
  readonly mtu: number;
  readonly mac: string | undefined;
  readonly addresses: readonly AddressEntryState[];
  readonly groups: readonly string[];
  readonly nd: NdInterfaceInfo;
  readonly inPackets: number;
  readonly inBytes: number;
  readonly inErrors: number;
  readonly inDropped: number;
  readonly outPackets: number;
  readonly outBytes: number;
  readonly outErrors: number;
}

export interface AddressEntryState {
  readonly address: string;
  readonly prefixLength: number;
  readonly state: 'tentative' | 'preferred' | 'deprecated' | 'duplicated';
  readonly anycast: boolean;
}

export interface NeighborEntryState {
  readonly address: string;
  readonly interface: string;
  readonly linkAddress: string | undefined;
  readonly state: NeighborState;
  readonly router: boolean;
  readonly proxy: boolean;
  /** Milliseconds until its timer; null for none. */
  readonly expires: number | null;
  readonly probes: number;
}

export interface RouteState {
  readonly destination: string;
  readonly gateway: string | undefined;
  readonly interface: string;
  readonly flags: string;
  readonly mtu: number;
  readonly use: number;
}

export function nodeState(kernel: Kernel, hostname: string, time: number): NodeState {
  return {
    hostname,
    time,
    interfaces: kernel.interfaces().map((info) => ({
      name: info.name,
      index: info.index,
      kind: info.kind,
      up: info.up,
      running: info.running,
      mtu: info.mtu,
      mac: info.mac && formatMac(info.mac),
      addresses: info.addresses.map(({ address, prefixLength, state, anycast }) => ({
        address: formatAddress(address),
        prefixLength,
        state,
        anycast,
      })),
      groups: kernel.groups(info.name).map(({ group }) => formatAddress(group)),
      nd: kernel.nd(info.name),
      inPackets: info.inPackets,
      inBytes: info.inBytes,
      inErrors: info.inErrors,
      inDropped: info.inDropped,
      outPackets: info.outPackets,
      outBytes: info.outBytes,
      outErrors: info.outErrors,
    })),
    neighbors: kernel.neighbors().map((entry) => ({
      address: formatAddress(entry.address),
      interface: entry.interface,
      linkAddress: entry.linkAddress && formatMac(entry.linkAddress),
      state: entry.state,
      router: entry.router,
      proxy: entry.proxy,
      expires: Number.isFinite(entry.expires) ? entry.expires : null,
      probes: entry.probes,
    })),
    routes: kernel.routes().map((route) => ({
      destination: `${formatAddress(route.destination)}/${route.prefixLength}`,
      gateway: route.gateway && formatAddress(route.gateway),
      interface: route.interface,
      flags: route.flags,
      mtu: route.mtu,
      use: route.use,
    })),
    counters: structuredClone(kernel.counters),
    icmp6In: occurred(kernel.histograms.icmp6In),
    icmp6Out: occurred(kernel.histograms.icmp6Out),
    sysctls: Object.fromEntries(kernel.sysctlNames().map((name) => [name, kernel.sysctl(name)])),
  };
}

function occurred(counts: Float64Array): Record<string, number> {
  return Object.fromEntries([...counts.entries()].filter(([, count]) => count > 0));
}
