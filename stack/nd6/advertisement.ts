/**
 * Neighbor advertisements, RFC 4861 7.2.4-7.2.8: answers to solicitations, for our own addresses and for those we are proxy of, and
 * news told unasked. KAME: nd6_na_input, nd6_na_output.
 */
import { Timer } from '../env/clock.ts';
import { uniform } from '../env/random.ts';
import type { InterfaceAddress } from '../ip6/addresses.ts';
import { formatZoned, zoneOf } from '../ip6/scope.ts';
import type { Interface } from '../link/interface.ts';
import type { Packet } from '../packet/packet.ts';
import type { Stack } from '../stack.ts';
import * as Address from '../wire/address.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as Nd from '../wire/nd.ts';
import { linkLayerLength, newMessage, sendMessage } from './message.ts';
import type { Neighbor } from './neighbor.ts';
import { neighborSource } from './source.ts';
import { countOptions, findOption, isValid, linkLayerFits, linkLayerOf, refuse } from './validity.ts';

const BAD = 'badNeighborAdvertisement';

/** RFC 4861 10. Milliseconds. */
const MAX_ANYCAST_DELAY_TIME = 1000;
/** Answers for anycast addresses that wait at once; more go out without delay. */
const MAX_DELAYED = 64;
/** RFC 4861 10: unsolicited advertisements in a row. */
const MAX_NEIGHBOR_ADVERTISEMENT = 3;

const ALL_NODES = Address.viewOf(Address.ALL_NODES);

/** A neighbor advertisement came in; as nsInput. KAME: nd6_na_input. */
export function naInput(stack: Stack, pkt: Packet): boolean {
  const ifp = stack.interfaces[pkt.receivedOn]!;
  const { view, at } = pkt;
  const target = at + Nd.TARGET;
  stack.counters.nd6.advertisementsReceived++;
  if (!isValid(stack, pkt, Nd.ADVERTISEMENT_LENGTH, BAD)) return false;
  if (Address.isMulticast(view, target)) return refuse(stack, pkt, BAD, 'target is a group');
  if (Nd.solicited(view, at) && Address.isMulticast(view, pkt.ip + Ip6.DESTINATION)) {
    return refuse(stack, pkt, BAD, 'solicited but sent to a group');
  }
  const option = findOption(stack, pkt, Nd.ADVERTISEMENT_LENGTH, Nd.OptionType.targetLinkLayer);
  if (!linkLayerFits(ifp, pkt, option)) return refuse(stack, pkt, BAD, 'link-layer address of a wrong length');
  countOptions(stack, pkt, Nd.ADVERTISEMENT_LENGTH);
  const mac = linkLayerOf(ifp, pkt, option);

  const entry = stack.addresses.get(view, target, zoneOf(ifp, view, target));
  // a duplicate is its owner's, whom we may be talking to
  if (entry !== undefined && entry.interface === ifp && entry.state !== 'duplicated') {
    onOwnTarget(stack, ifp, entry, mac);
    return true;
  }
  // never makes an entry: nobody here asked (RFC 4861 7.2.5)
  stack.neighbors
    .find(view, target, ifp.index)
    ?.onAdvertisement(mac, Nd.solicited(view, at), Nd.override(view, at), Nd.router(view, at));
  return true;
}

/** Somebody claims one of our addresses. */
function onOwnTarget(stack: Stack, ifp: Interface, entry: InterfaceAddress, mac: Uint8Array | undefined): void {
  switch (entry.state) {
    case 'tentative':
      return stack.dad.onAdvertisement(entry);
    case 'duplicated':
      return;
    case 'preferred':
    case 'deprecated': {
      // anycast addresses have many owners; our own words may come back
      if (entry.anycast || mac === undefined || mac.every((byte, place) => byte === ifp.mac?.[place])) return;
      const address = formatZoned(stack, entry.address, entry.zone);
      stack.ndLog.tell(stack, BAD, `nd6: another node claims our address ${address} on ${ifp.name}`);
      return;
    }
  }
}

interface Advertisement {
  readonly target: Uint8Array;
  readonly source: Uint8Array;
  /** Who asked, where its address lies; undefined: all nodes. */
  readonly to: DataView | undefined;
  readonly toAt: number;
  readonly override: boolean;
  /** Ours, or the one we are proxy with; undefined on links without. */
  readonly mac: Uint8Array | undefined;
}

function send(stack: Stack, ifp: Interface, what: Advertisement): void {
  const length = Nd.ADVERTISEMENT_LENGTH + (what.mac === undefined ? 0 : linkLayerLength(ifp));
  const pkt = newMessage(stack, what.source, what.to ?? ALL_NODES, what.toAt, length);
  const { view, at } = pkt;
  // RFC 4861 7.2.4: an answer to `::` is for all and answers no question; no link-layer address, nothing to override
  const router = stack.sysctl.ip6.forwarding !== 0;
  Nd.writeAdvertisement(view, at, router, what.to !== undefined, what.override && what.mac !== undefined);
  Address.set(view, at + Nd.TARGET, what.target);
  if (what.mac !== undefined) {
    Nd.writeLinkLayer(view, at + Nd.ADVERTISEMENT_LENGTH, Nd.OptionType.targetLinkLayer, what.mac);
  }
  stack.counters.nd6.advertisementsSent++;
  sendMessage(stack, ifp, pkt);
}

/** Answer for our own address; `to`: where in `view` the asker's address lies, undefined for one without. */
export function advertise(stack: Stack, entry: InterfaceAddress, view: DataView, to: number | undefined): void {
  send(stack, entry.interface, {
    target: entry.address,
    source: entry.address,
    to: to === undefined ? undefined : view,
    toAt: to ?? 0,
    override: true,
    mac: entry.interface.mac,
  });
}

/** For an anycast address: after a random delay, without override, so that the first answer stands (RFC 4861 7.2.7). */
export function advertiseAnycast(stack: Stack, entry: InterfaceAddress, view: DataView, to: number | undefined): void {
  const asker = to === undefined ? undefined : Address.viewOf(Address.get(view, to));
  const answer = (): void => {
    const source = neighborSource(entry.interface, asker ?? entry.view, 0);
    if (source === undefined || !entry.usable || !entry.interface.addresses.includes(entry)) return;
    send(stack, entry.interface, {
      target: entry.address,
      source: source.address,
      to: asker,
      toAt: 0,
      override: false,
      mac: entry.interface.mac,
    });
  };
  stack.delayedAdvertisements.later(stack, answer);
}

/** For a neighbor we are proxy of: at once, without override, so that its own answer wins (RFC 4861 7.2.8, KAME note 1.2). */
export function advertiseProxied(stack: Stack, neighbor: Neighbor, view: DataView, to: number | undefined): void {
  const source = neighborSource(neighbor.interface, to === undefined ? neighbor.view : view, to ?? 0);
  if (source === undefined) return;
  send(stack, neighbor.interface, {
    target: neighbor.address,
    source: source.address,
    to: to === undefined ? undefined : view,
    toAt: to ?? 0,
    override: false,
    mac: neighbor.linkAddress,
  });
}

/** Answers that wait for their random delay; a bounded number. */
export class DelayedAdvertisements {
  #waiting = 0;

  later(stack: Stack, answer: () => void): void {
    if (this.#waiting >= MAX_DELAYED) return answer();
    this.#waiting++;
    const timer = new Timer(() => {
      this.#waiting--;
      answer();
    });
    stack.clock.arm(timer, uniform(stack.neighbors.random, 0, MAX_ANYCAST_DELAY_TIME));
  }
}

/**
 * Tell all nodes of the link our link-layer address for `address`, unasked, as after a change of it (RFC 4861 7.2.6): `count` times
 * (1..3), one retransmission time apart. The administrator's command of KAME note 1.2. An errno name, or undefined.
 */
export function advertiseUnsolicited(
  stack: Stack,
  ifp: Interface,
  address: Uint8Array,
  count: number,
): 'EADDRNOTAVAIL' | 'EINVAL' | 'ENETDOWN' | undefined {
  if (!Number.isInteger(count) || count < 1 || count > MAX_NEIGHBOR_ADVERTISEMENT) return 'EINVAL';
  const entry = ifp.addresses.find((own) => Address.equal(own.address, address));
  if (entry === undefined || !entry.usable) return 'EADDRNOTAVAIL';
  if (entry.anycast || ifp.kind === 'loopback') return 'EINVAL';
  if (!ifp.up || !ifp.running || ifp.nd.disabled) return 'ENETDOWN';
  let left = count;
  const timer = new Timer(() => {
    if (!entry.usable || !ifp.addresses.includes(entry)) return;
    advertise(stack, entry, entry.view, undefined);
    if (--left > 0) stack.clock.arm(timer, ifp.nd.retransTimer);
  });
  timer.fire();
  return undefined;
}
