/**
 * One neighbor: its link-layer address and whether it can be reached, RFC 4861 7.3 and appendix C.
 *
 *   none --send--> incomplete --advertised--> reachable --30 s--> stale --send--> delay --5 s--> probe --3 asked--> none
 *                      |                          ^                                 |              |
 *                      +--3 asked--> none         +---------- advertised or confirmed -------------+
 *
 * On a link without link-layer addresses there is nothing to resolve: a neighbor starts as stale.
 *
 * KAME: struct llinfo_nd6, nd6_llinfo_timer, nd6_output, nd6_cache_lladdr, nd6_nud_hint.
 */
import { drop } from '../drop.ts';
import { Timer } from '../env/clock.ts';
import { icmp6Error } from '../ip6/icmp6-error.ts';
import { formatZoned } from '../ip6/scope.ts';
import { etherOutput } from '../link/ethernet.ts';
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import { PacketQueue } from '../packet/queue.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import { Type, Unreachable } from '../wire/icmp6.ts';
import type { Lane, NeighborCache } from './neighbors.ts';
import { reachableTime } from './reachable-time.ts';
import { solicitNeighbor } from './solicitation.ts';

/** 'static': set by hand, no detection. */
export type NeighborState = 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe' | 'static';

export class Neighbor {
  readonly interface: Interface;
  readonly address: Uint8Array;
  readonly view: DataView;
  state: NeighborState = 'incomplete';
  /** Undefined while incomplete, and always on links without link-layer addresses. */
  linkAddress: Uint8Array | undefined = undefined;
  /** It said so in its last advertisement. KAME: ln_router. */
  router = false;
  /** Solicitations sent since the state began. KAME: ln_asked. */
  asked = 0;
  /** Upper-layer hints taken since the last real confirmation. KAME: ln_byhint. */
  hints = 0;

  /** The cache's: how soon it may be evicted, and its list. */
  lane: Lane = 'unproven';
  older: Neighbor | undefined = undefined;
  newer: Neighbor | undefined = undefined;

  #proxy = false;
  readonly #cache: NeighborCache;
  readonly #stack: Stack;
  readonly #queue = new PacketQueue();
  readonly #timer = new Timer(() => this.#onTime());
  /** It answered when asked, once at least: not just an address that somebody made us store. */
  #proven = false;
  /** The state last told to the trace. */
  #told: NeighborState | 'none' = 'none';

  constructor(cache: NeighborCache, ifp: Interface, view: DataView, at: number) {
    this.#cache = cache;
    this.#stack = cache.stack;
    this.interface = ifp;
    this.address = Address.get(view, at);
    this.view = Address.viewOf(this.address);
    if (ifp.link.medium === 'ip') this.#enterStale();
  }

  /** When the state's timer fires, in the clock's milliseconds; Infinity for never. */
  get expires(): number {
    return this.#timer.armed ? this.#timer.due : Number.POSITIVE_INFINITY;
  }

  /** We answer for it with `linkAddress`. KAME: RTF_ANNOUNCE. */
  get proxy(): boolean {
    return this.#proxy;
  }

  // ---- events

  /** A packet goes to it: sent now, or held until it is resolved. On the data path. KAME: nd6_output. */
  onSend(pkt: Packet): void {
    switch (this.state) {
      case 'reachable':
      case 'delay':
      case 'probe':
      case 'static':
        return this.#transmit(pkt);
      case 'stale':
        if (this.interface.nd.nud) this.#enter('delay', this.#stack.sysctl.icmp6.nd6_delay * 1000);
        return this.#transmit(pkt);
      case 'incomplete':
        return this.#hold(pkt);
    }
  }

  /** It advertised itself (RFC 4861 7.2.5). `mac`: its target link-layer option, lent. KAME: nd6_na_input. */
  onAdvertisement(mac: Uint8Array | undefined, solicited: boolean, override: boolean, router: boolean): void {
    switch (this.state) {
      case 'static':
        return this.#saysRouter(router);
      case 'incomplete':
        // without an address there is still nothing to send to
        if (mac === undefined) return;
        this.#saysRouter(router);
        this.#setLinkAddress(mac);
        if (solicited) this.#confirm();
        else this.#enterStale();
        return this.#release();
      case 'reachable':
      case 'stale':
      case 'delay':
      case 'probe': {
        const moved = mac !== undefined && !this.#isAt(mac);
        if (moved && !override) {
          if (this.state === 'reachable') this.#enterStale();
          return;
        }
        this.#saysRouter(router);
        if (moved) this.#setLinkAddress(mac);
        if (solicited) return this.#confirm();
        if (moved) this.#enterStale();
        return;
      }
    }
  }

  /**
   * A solicitation, router message or redirect told its link-layer address, lent (RFC 4861 7.2.3, 6.2.6, 6.3.4, 8.3); undefined on links
   * that have none. It says nothing of the way to the neighbor. KAME: nd6_cache_lladdr.
   */
  onHeard(mac: Uint8Array | undefined): void {
    switch (this.state) {
      case 'static':
        return;
      case 'incomplete':
        if (mac === undefined) return this.#waitForUse();
        this.#setLinkAddress(mac);
        this.#enterStale();
        return this.#release();
      case 'reachable':
      case 'stale':
      case 'delay':
      case 'probe':
        if (mac === undefined || this.#isAt(mac)) return;
        this.#setLinkAddress(mac);
        return this.#enterStale();
    }
  }

  /**
   * An upper layer made forward progress through it (RFC 4861 7.3.1). So many such hints in a row are believed, then it is asked for real:
   * nobody may keep a dead entry alive for all (KAME note 1.2). KAME: nd6_nud_hint.
   */
  onConfirm(): void {
    switch (this.state) {
      case 'incomplete':
      case 'static':
        return;
      case 'reachable':
      case 'stale':
      case 'delay':
      case 'probe':
        if (this.hints >= this.#stack.sysctl.icmp6.nd6_maxnudhint) {
          this.#stack.counters.nd6.hintsIgnored++;
          return;
        }
        this.hints++;
        this.#stack.counters.nd6.hintsTaken++;
        return this.#enterReachable();
    }
  }

  /** `ndp -s`: the address is `mac`, for `lifetime` milliseconds or for ever. */
  onSet(mac: Uint8Array, lifetime: number): void {
    this.#setLinkAddress(mac);
    this.#enter('static', lifetime);
    this.#release();
  }

  /** `ndp -s ... proxy`: solicitations for it go to its group, so we listen there. */
  setProxy(proxy: boolean): void {
    if (proxy === this.#proxy) return;
    this.#proxy = proxy;
    const group = Address.solicitedNode(this.address);
    if (proxy) this.#stack.mld.join(this.interface, group);
    else this.#stack.mld.leave(this.interface, group);
  }

  /** Forget it; what waited for it is dropped. */
  remove(): void {
    this.#end();
    for (let pkt = this.#take(); pkt !== undefined; pkt = this.#take()) drop(this.#stack, pkt, 'nd6', 'heldDropped');
  }

  #onTime(): void {
    const { nd6_mmaxtries, nd6_umaxtries } = this.#stack.sysctl.icmp6;
    switch (this.state) {
      case 'incomplete':
        if (this.asked === 0) return this.remove();
        return this.asked < nd6_mmaxtries ? this.#ask() : this.#giveUp();
      case 'reachable':
        return this.#enterStale();
      case 'delay':
        if (!this.interface.nd.nud) return this.#enterStale();
        this.#enter('probe', this.interface.nd.retransTimer);
        return this.#ask();
      case 'probe':
        if (!this.interface.nd.nud) return this.#enterStale();
        return this.asked < nd6_umaxtries ? this.#ask() : this.#lose();
      case 'stale':
      case 'static':
        return this.remove();
    }
  }

  // ---- steps

  #ask(): void {
    this.asked++;
    this.#stack.clock.arm(this.#timer, this.interface.nd.retransTimer);
    solicitNeighbor(this.#stack, this, this.#queue.last);
  }

  /** Only its address is known, by a redirect (ND-09): nothing is asked before a packet goes there. KAME: ND6_LLINFO_NOSTATE. */
  #waitForUse(): void {
    if (this.asked > 0) return;
    this.#tell('incomplete');
    this.#stack.clock.arm(this.#timer, this.#stack.sysctl.icmp6.nd6_gctimer * 1000);
  }

  #saysRouter(router: boolean): void {
    const resigned = this.router && !router;
    this.router = router;
    if (resigned) this.#stack.redirects.neighborLost(this.interface, this.view);
  }

  /** It answered no probe. */
  #lose(): void {
    this.#stack.redirects.neighborLost(this.interface, this.view);
    this.remove();
  }

  /** Resolution failed: who sent what waits learns it (RFC 4861 7.2.2), this node's own programs too. */
  #giveUp(): void {
    this.#stack.redirects.neighborLost(this.interface, this.view);
    this.#end();
    for (let pkt = this.#take(); pkt !== undefined; pkt = this.#take()) {
      this.#stack.counters.nd6.unresolved++;
      // one made here: the error comes back to us, about this link
      if (pkt.receivedOn === 0) pkt.receivedOn = this.interface.index;
      icmp6Error(this.#stack, pkt, Type.unreachable, Unreachable.address);
    }
  }

  #hold(pkt: Packet): void {
    pkt.ip = pkt.head;
    this.#queue.add(pkt);
    this.#cache.held++;
    while (this.#queue.length > this.#stack.sysctl.icmp6.nd6_maxqueuelen) {
      drop(this.#stack, this.#take()!, 'nd6', 'heldDropped');
    }
    if (this.asked > 0) return;
    this.#tell('incomplete');
    this.#ask();
  }

  #release(): void {
    for (let pkt = this.#take(); pkt !== undefined; pkt = this.#take()) this.onSend(pkt);
  }

  #take(): Packet | undefined {
    const pkt = this.#queue.take();
    if (pkt !== undefined) this.#cache.held--;
    return pkt;
  }

  #transmit(pkt: Packet): void {
    const mac = this.linkAddress;
    if (mac === undefined) this.interface.transmit(pkt);
    else etherOutput(this.interface, pkt, mac);
  }

  /** It answered. */
  #confirm(): void {
    this.hints = 0;
    // an answer to no question proves nothing: whoever fills the cache may send it as well
    if (this.state === 'incomplete' || this.state === 'probe') this.#proven = true;
    this.#enterReachable();
  }

  #enterReachable(): void {
    this.#enter('reachable', reachableTime(this.#stack, this.interface));
  }

  #enterStale(): void {
    this.#enter('stale', this.#stack.sysctl.icmp6.nd6_gctimer * 1000);
  }

  #enter(state: NeighborState, duration: number): void {
    this.state = state;
    this.asked = 0;
    this.#cache.moved(this, this.#laneNow());
    if (duration === Number.POSITIVE_INFINITY) this.#stack.clock.disarm(this.#timer);
    else this.#stack.clock.arm(this.#timer, duration);
    this.#tell(state);
  }

  #laneNow(): Lane {
    if (this.state === 'static') return 'kept';
    if (!this.#proven) return 'unproven';
    return this.state === 'stale' ? 'idle' : 'kept';
  }

  #end(): void {
    this.setProxy(false);
    this.#stack.clock.disarm(this.#timer);
    this.#cache.removed(this);
    this.#tell('none');
  }

  #isAt(mac: Uint8Array): boolean {
    const known = this.linkAddress;
    if (known === undefined) return false;
    for (let byte = 5; byte >= 0; byte--) if (known[byte] !== mac[byte]) return false;
    return true;
  }

  #setLinkAddress(mac: Uint8Array): void {
    this.linkAddress ??= new Uint8Array(6);
    this.linkAddress.set(mac);
  }

  #tell(to: NeighborState | 'none'): void {
    const from = this.#told;
    this.#told = to;
    const trace = this.#stack.trace;
    if (trace === undefined || from === to) return;
    const mac = this.linkAddress;
    trace.event({
      type: 'neighbor',
      interface: this.interface.name,
      address: formatZoned(this.#stack, this.address, this.interface.index),
      from,
      to,
      linkAddress: mac && Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':'),
    });
  }
}
