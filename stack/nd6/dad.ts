/**
 * Duplicate address detection, RFC 4862 5.4 with the nonce of RFC 7527: has anybody else the address that we are about to use?
 *
 *   tentative --probes unanswered--> preferred
 *       |  another's solicitation from `::`, or its advertisement
 *       +--> duplicated; if it is the link-local address made of the interface's own MAC, IPv6 ends there (5.4.5)
 *
 * KAME: nd6_dad_start, nd6_dad_timer, nd6_dad_duplicated.
 */
import { Timer } from '../env/clock.ts';
import { addLocalRoute, becomeValid, type InterfaceAddress, removeLocalRoute } from '../ip6/addresses.ts';
import { formatZoned } from '../ip6/scope.ts';
import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import { solicitDuplicate } from './solicitation.ts';

/** RFC 7527 4.1: probes more once a looped back one was seen. */
const MAX_MULTICAST_SOLICIT = 3;
const NONCE_LENGTH = 6;

/**
 * Detect whether another node has the address (RFC 4862 5.4), or call it preferred at once where no detection is due (anycast,
 * loopback, `dad_count` 0). Called when an address is added, and for all of an interface that came up; sets `entry.state` and waits
 * for the interface if it is down. The caller has joined the solicited-node group. KAME: nd6_dad_start.
 */
export function dadStart(stack: Stack, entry: InterfaceAddress): void {
  stack.dad.start(entry);
}

/** The address is being removed. KAME: nd6_dad_stop. */
export function dadStop(stack: Stack, entry: InterfaceAddress): void {
  stack.dad.stop(entry);
  // the administrator's way out of a duplicate: the address that shut the interface goes
  if (entry.state === 'duplicated' && shutsInterface(entry)) enableInterface(stack, entry.interface, entry);
}

/** `ndp -i if -disabled`: IPv6 again, every address but `leaving` detected anew. */
export function enableInterface(stack: Stack, ifp: Interface, leaving?: InterfaceAddress): void {
  if (!ifp.nd.disabled) return;
  ifp.nd.disabled = false;
  stack.trace?.event({ type: 'interface', interface: ifp.name, change: 'enabled' });
  for (const entry of [...ifp.addresses]) if (entry !== leaving) stack.dad.start(entry);
}

/** No IPv6 in or out by this interface. KAME: ND6_IFF_IFDISABLED. */
export function disableInterface(stack: Stack, ifp: Interface): void {
  if (ifp.nd.disabled) return;
  ifp.nd.disabled = true;
  stack.dad.stopAll(ifp);
  stack.neighbors.interfaceDown(ifp);
  stack.redirects.interfaceDown(ifp);
  stack.trace?.event({ type: 'interface', interface: ifp.name, change: 'disabled' });
}

/** The detections that run in a node. */
export class DuplicateDetection {
  readonly #stack: Stack;
  readonly #running = new Map<InterfaceAddress, Detection>();

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  start(entry: InterfaceAddress): void {
    this.stop(entry);
    if (entry.state === 'duplicated') addLocalRoute(this.#stack, entry);
    const ifp = entry.interface;
    if (entry.anycast || ifp.kind === 'loopback' || this.#stack.sysctl.ip6.dad_count === 0) {
      return settle(this.#stack, entry);
    }
    entry.state = 'tentative';
    // no probe is lost on a link that is not ready (ND-08)
    if (!ifp.up || !ifp.running || ifp.nd.disabled) return;
    this.#running.set(entry, new Detection(this.#stack, entry));
    this.#stack.counters.nd6.dadStarted++;
    this.#tell(entry, 'started');
  }

  stop(entry: InterfaceAddress): void {
    this.#running.get(entry)?.stop();
    this.#running.delete(entry);
  }

  stopAll(ifp: Interface): void {
    for (const entry of ifp.addresses) this.stop(entry);
  }

  /** Another node, or our own echo, solicits a tentative address from `::`. */
  onSolicitation(entry: InterfaceAddress, nonce: Uint8Array | undefined): void {
    const detection = this.#running.get(entry);
    if (detection?.isOwn(nonce)) {
      this.#stack.counters.nd6.ownEcho++;
      return detection.onEcho();
    }
    this.#duplicate(entry, 'solicitation');
  }

  /** Another node advertises a tentative address as its own. */
  onAdvertisement(entry: InterfaceAddress): void {
    this.#duplicate(entry, 'advertisement');
  }

  /** Only Detection calls it: nobody answered. */
  unique(entry: InterfaceAddress): void {
    this.#running.delete(entry);
    this.#tell(entry, 'unique');
    settle(this.#stack, entry);
  }

  #duplicate(entry: InterfaceAddress, by: string): void {
    const ifp = entry.interface;
    this.stop(entry);
    entry.state = 'duplicated';
    removeLocalRoute(this.#stack, entry);
    this.#stack.counters.nd6.dadDuplicate++;
    this.#tell(entry, 'duplicate');
    const shut = shutsInterface(entry);
    const address = formatZoned(this.#stack, entry.address, entry.zone);
    const result = shut ? 'IPv6 is disabled on the interface' : 'it is not used';
    const message = `${ifp.name}: DAD detected duplicate IPv6 address ${address} by another node's ${by}; ${result}`;
    this.#stack.trace?.event({ type: 'log', message });
    if (shut) disableInterface(this.#stack, ifp);
  }

  #tell(entry: InterfaceAddress, result: 'started' | 'unique' | 'duplicate'): void {
    const trace = this.#stack.trace;
    if (trace === undefined) return;
    const address = formatZoned(this.#stack, entry.address, entry.zone);
    trace.event({ type: 'dad', interface: entry.interface.name, address, result });
  }
}

/** One address's detection. KAME: struct dadq. */
class Detection {
  readonly #stack: Stack;
  readonly #entry: InterfaceAddress;
  readonly #timer = new Timer(() => this.#onTime());
  /** Of the probes sent, so that our own are known again. */
  readonly #nonces: Uint8Array[] = [];
  #left: number;
  #echoed = false;

  constructor(stack: Stack, entry: InterfaceAddress) {
    this.#stack = stack;
    this.#entry = entry;
    this.#left = stack.sysctl.ip6.dad_count;
    stack.clock.arm(this.#timer, Math.max(0, entry.interface.nd.settlesAt - stack.clock.now));
  }

  stop(): void {
    this.#stack.clock.disarm(this.#timer);
  }

  isOwn(nonce: Uint8Array | undefined): boolean {
    return nonce !== undefined && this.#nonces.some((own) => own.every((byte, at) => byte === nonce[at]));
  }

  /**
   * The link loops our frames back. RFC 7527 4.1 probes on until the loop is gone; we do so once and then trust the nonces, which
   * tell ours from another's: an interface that always echoes must work (KAME note 1.2).
   */
  onEcho(): void {
    if (this.#echoed) return;
    this.#echoed = true;
    this.#left += MAX_MULTICAST_SOLICIT;
  }

  #onTime(): void {
    if (this.#left === 0) return this.#stack.dad.unique(this.#entry);
    this.#left--;
    this.#stack.clock.arm(this.#timer, this.#entry.interface.nd.retransTimer);
    solicitDuplicate(this.#stack, this.#entry, this.#newNonce());
  }

  #newNonce(): Uint8Array | undefined {
    if (this.#stack.sysctl.icmp6.nd6_nonce === 0) return undefined;
    const nonce = new Uint8Array(NONCE_LENGTH);
    this.#stack.neighbors.random.bytes(nonce);
    this.#nonces.push(nonce);
    return nonce;
  }
}

/** The address is ours. Groups reported from `::` until now are reported from it (RFC 3590 4). */
function settle(stack: Stack, entry: InterfaceAddress): void {
  const before = entry.usable;
  becomeValid(stack, entry);
  if (!before && Address.isLinkLocal(entry.view, 0)) stack.mld.linkLocalValid(entry.interface);
}

/** RFC 4862 5.4.5: only a link-local address of the interface's own, supposedly unique, MAC proves that the MAC is not unique. */
function shutsInterface(entry: InterfaceAddress): boolean {
  const { mac } = entry.interface;
  return mac !== undefined && Address.equal(entry.address, Address.linkLocal(mac));
}
