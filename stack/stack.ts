import { type Counters, type Histograms, newCounters, newHistograms } from './counters.ts';
import type { Clock } from './env/clock.ts';
import type { Random } from './env/random.ts';
import type { Trace } from './env/trace.ts';
import { AddressTable } from './ip6/address-table.ts';
import type { InterfaceAddress } from './ip6/addresses.ts';
import { bootstrap } from './ip6/bootstrap.ts';
import { ErrorRate } from './ip6/icmp6-error.ts';
import { PathMtu } from './ip6/path-mtu.ts';
import { PolicyTable } from './ip6/policy-table.ts';
import { Reassembly } from './ip6/reassembly.ts';
import { Interface, type InterfaceKind } from './link/interface.ts';
import type { Link } from './link/link.ts';
import { Loopback } from './link/loopback.ts';
import { Mld } from './mld/mld.ts';
import { DelayedAdvertisements } from './nd6/advertisement.ts';
import { DuplicateDetection } from './nd6/dad.ts';
import { NeighborCache } from './nd6/neighbors.ts';
import { Redirects } from './nd6/redirect.ts';
import { NdLog } from './nd6/validity.ts';
import type { Pool } from './packet/pool.ts';
import { RouteExpiry } from './route/routes.ts';
import { RouteTable } from './route/table.ts';
import { newSysctl, type Sysctl } from './sysctl.ts';
import { RawSockets } from './transport/raw.ts';
import { UdpSockets } from './transport/udp.ts';

/** All that a node gets from outside. */
export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly pool: Pool;
  readonly hostname: string;
  readonly trace?: Trace | undefined;
  /** Tests: an internal error ends the run instead of being counted. */
  readonly strict?: boolean;
}

/** One node's tables, wired together. Nothing here reads a clock, a random source or a socket of its own. */
export class Stack {
  readonly env: Env;
  readonly clock: Clock;
  readonly random: Random;
  readonly pool: Pool;
  readonly strict: boolean;
  trace: Trace | undefined;
  hostname: string;

  readonly counters: Counters = newCounters();
  readonly histograms: Histograms = newHistograms();
  readonly sysctl: Sysctl = newSysctl();

  /** By index; [0] is never used. */
  readonly interfaces: (Interface | undefined)[] = [undefined];
  /** Every unicast and anycast address of the node, by address and zone. */
  readonly addresses: AddressTable<InterfaceAddress>;
  readonly routes: RouteTable;
  readonly routeExpiry: RouteExpiry;
  readonly neighbors: NeighborCache;
  readonly dad: DuplicateDetection;
  readonly delayedAdvertisements = new DelayedAdvertisements();
  readonly redirects: Redirects;
  readonly ndLog = new NdLog();
  readonly mld: Mld;
  readonly reassembly: Reassembly;
  /** Where the identifications of fragments come from: nobody outside can guess the next (RFC 7739 5.3). KAME: ip6_randomid. */
  readonly identifications: Random;
  readonly pathMtu: PathMtu;
  readonly policy = new PolicyTable();
  readonly errorRate: ErrorRate;
  readonly udp: UdpSockets;
  readonly raw: RawSockets;
  readonly loopback: Interface;
  /** `ndp -I`: the default zone's link; on a host also where all is on-link while there is no default router. KAME: nd6_defifindex. */
  defaultInterface: Interface | undefined = undefined;

  constructor(env: Env) {
    this.env = env;
    this.clock = env.clock;
    this.random = env.random;
    this.pool = env.pool;
    this.hostname = env.hostname;
    this.trace = env.trace;
    this.strict = env.strict ?? false;

    const salts = env.random.fork('tables');
    this.addresses = new AddressTable(salts.u32());
    this.routes = new RouteTable(salts.u32());
    this.routeExpiry = new RouteExpiry(this);
    this.neighbors = new NeighborCache(this, salts.u32());
    this.dad = new DuplicateDetection(this);
    this.redirects = new Redirects(this);
    this.mld = new Mld(this);
    this.reassembly = new Reassembly(this);
    this.identifications = env.random.fork('fragment identifications');
    this.pathMtu = new PathMtu(this, salts.u32());
    this.errorRate = new ErrorRate(this);
    this.udp = new UdpSockets(this);
    this.raw = new RawSockets(this);
    this.loopback = this.addInterface('lo0', 'loopback', new Loopback(env.clock));
    bootstrap(this);
  }

  addInterface(name: string, kind: InterfaceKind, link: Link): Interface {
    if (this.interfaceNamed(name) !== undefined) throw new Error(`interface ${name} exists`);
    const ifp = new Interface(this, name, this.interfaces.length, kind, link);
    this.interfaces.push(ifp);
    return ifp;
  }

  interfaceNamed(name: string): Interface | undefined {
    return this.interfaces.find((ifp) => ifp?.name === name);
  }

  /** Packets that queues of this node hold. */
  get queues() {
    return {
      neighbors: this.neighbors.held,
      reassembly: this.reassembly.held,
      udp: this.udp.held,
      raw: this.raw.held,
      loopback: (this.loopback.link as Loopback).held,
    };
  }

  /** All of them: what the pool counts as out must be these and those on links. */
  get held(): number {
    return Object.values(this.queues).reduce((sum, held) => sum + held, 0);
  }
}
