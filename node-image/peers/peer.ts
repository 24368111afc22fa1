/**
 * One node as scenarios see it: the same questions and orders for every implementation, put in each one's own words by
 * its adapter (`peers/<kind>/adapter.ts`). What an implementation can't do is not among its capabilities.
 */
import type { LabNode } from '#orchestrator/drivers/driver.ts';

export interface Peer {
  readonly node: LabNode;
  readonly name: string;
  readonly kind: string;
  /** `address` may carry a zone (`fe80::1%ab`). */
  ping(address: string, options?: PingOptions): Promise<PingResult>;
  neighbors(): Promise<PeerNeighbor[]>;
  flushNeighbors(): Promise<void>;
  addresses(interfaceName: string): Promise<PeerAddress[]>;
  /** The link-local address of the interface, once it has one; text without zone. */
  linkLocal(interfaceName: string): Promise<string | undefined>;
  addAddress(interfaceName: string, prefix: string): Promise<void>;
  removeAddress(interfaceName: string, prefix: string): Promise<void>;
  addRoute(destination: string, via: string | undefined, interfaceName: string): Promise<void>;
  /** Answer for `address` on the interface, and forward to it. */
  proxy(interfaceName: string, address: string): Promise<void>;
  setUp(interfaceName: string, up: boolean): Promise<void>;
  /** Base reachable time, milliseconds, so that a scenario need not wait for 30 s. */
  setReachableTime(interfaceName: string, milliseconds: number): Promise<void>;
  /** Neighbor unreachability detection on the interface (capability `nud-switch`). */
  setNud(interfaceName: string, on: boolean): Promise<void>;
  /** Why no neighbor's reachability is watched on the interface whatever is set; undefined where it is. */
  withoutNud(interfaceName: string): Promise<string | undefined>;
  /** Falls silent: receives, answers and sends nothing more; carrier stays. */
  silence(interfaceName: string): Promise<void>;
  /** The interface was disabled for IPv6 after a duplicate link-local address (RFC 4862 5.4.5). */
  disabled(interfaceName: string): Promise<boolean>;
  traceroute(address: string): Promise<{ hop: number; from: string | undefined; note: string }[]>;
  /** Multicast an unsolicited advertisement (capability `unsolicited-na`). */
  advertise(interfaceName: string, address: string): Promise<void>;
  setMtu(interfaceName: string, mtu: number): Promise<void>;
}

export interface PingOptions {
  readonly count?: number;
  /** Milliseconds, default 1000 (some refuse less than 200 without privilege). */
  readonly interval?: number;
  /** ICMPv6 payload bytes, default 56. */
  readonly size?: number;
  readonly hopLimit?: number;
  /** Send as large as the link takes and learn the path's MTU, where the tool would fragment at 1280 on its own. */
  readonly discover?: boolean;
  readonly source?: string;
  readonly interface?: string;
  /** Milliseconds to wait for the last reply. */
  readonly wait?: number;
}

export interface PingResult {
  readonly sent: number;
  readonly received: number;
  /** Milliseconds, one a reply. */
  readonly times: readonly number[];
  /** Errors the tool told: `Destination unreachable: Address unreachable`. */
  readonly errors: readonly string[];
  readonly output: string;
}

export interface PeerNeighbor {
  readonly address: string;
  readonly interface: string;
  readonly linkAddress: string | undefined;
  readonly state: 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe' | 'failed' | 'static';
  readonly router: boolean;
}

export interface PeerAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly state: 'tentative' | 'preferred' | 'deprecated' | 'duplicated';
}
