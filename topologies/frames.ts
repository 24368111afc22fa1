/** Frames of Neighbor Discovery and echo as the RFCs draw them: the patterns that scenarios look for. */

import type { Frame, LabLink } from '#orchestrator/drivers/driver.ts';
import * as Address from '#stack/wire/address.ts';
import { type DecodedNdOption, matches, type Pattern } from '#stack/wire/decode.ts';
import { formatMac, multicastMac } from '#stack/wire/ethernet.ts';

export const ALL_NODES = 'ff02::1';

/** The group in which the owner of an address hears solicitations for it, RFC 4291 2.7.1. */
export const solicitedNode = (address: string): string =>
  Address.formatAddress(Address.solicitedNode(Address.address(address)));

/** RFC 2464 7. */
export const groupMac = (group: string): string => formatMac(multicastMac(Address.address(group)));

const ND = { ip6: { hopLimit: 255 }, icmp6: { code: 0, checksumOk: true } } as const;

const none =
  (name: string) =>
  (options: readonly DecodedNdOption[]): boolean =>
    options.every((option) => option.name !== name);

/** Who sends on an Ethernet link, or the address it sends from on one without link-layer addresses. */
export interface Sender {
  readonly mac: string | undefined;
  readonly address: string;
}

/** Any solicitation for `target`, from anywhere. */
export const anySolicitation = (target: string): Pattern => ({ icmp6: { name: 'neighborSolicitation', target } });

/** Any advertisement of `target`, from anywhere. */
export const anyAdvertisement = (target: string): Pattern => ({ icmp6: { name: 'neighborAdvertisement', target } });

/** Asks everybody who could have the address, RFC 4861 7.2.2. */
export function multicastSolicitation(from: Sender, target: string): Pattern {
  const group = solicitedNode(target);
  return {
    ...(from.mac === undefined ? {} : { eth: { src: from.mac, dst: groupMac(group) } }),
    ip6: { ...ND.ip6, src: from.address, dst: group },
    icmp6: {
      ...ND.icmp6,
      name: 'neighborSolicitation',
      target,
      options: from.mac === undefined ? none('sourceLinkLayer') : [{ name: 'sourceLinkLayer', address: from.mac }],
    },
  };
}

/** Asks a neighbor whether it is still there, RFC 4861 7.3.3. Its link-layer address option is up to the sender. */
export function unicastSolicitation(from: Sender, target: string, targetMac: string | undefined): Pattern {
  return {
    ...(from.mac === undefined || targetMac === undefined ? {} : { eth: { src: from.mac, dst: targetMac } }),
    ip6: { ...ND.ip6, dst: target },
    icmp6: { ...ND.icmp6, name: 'neighborSolicitation', target },
  };
}

/** Duplicate address detection, RFC 4862 5.4.2: from nowhere, and so without a link-layer address (RFC 4861 4.3). */
export function dadSolicitation(mac: string, target: string): Pattern {
  const group = solicitedNode(target);
  return {
    eth: { src: mac, dst: groupMac(group) },
    ip6: { ...ND.ip6, src: '::', dst: group },
    icmp6: { ...ND.icmp6, name: 'neighborSolicitation', target, options: none('sourceLinkLayer') },
  };
}

/** The answer of an address's owner to who asked, RFC 4861 7.2.4. */
export function solicitedAdvertisement(from: Sender, to: Sender): Pattern {
  return {
    ...(from.mac === undefined || to.mac === undefined ? {} : { eth: { src: from.mac, dst: to.mac } }),
    ip6: { ...ND.ip6, dst: to.address },
    icmp6: {
      ...ND.icmp6,
      name: 'neighborAdvertisement',
      target: from.address,
      solicited: true,
      override: true,
      ...(from.mac === undefined ? {} : { options: [{ name: 'targetLinkLayer', address: from.mac }] }),
    },
  };
}

/**
 * The answer to a probe by unicast, RFC 4861 7.2.4: it may go without link-layer address, and then overrides nothing.
 */
export function confirmation(from: Sender, to: Sender): Pattern {
  return {
    ...(from.mac === undefined || to.mac === undefined ? {} : { eth: { src: from.mac, dst: to.mac } }),
    ip6: { ...ND.ip6, dst: to.address },
    icmp6: {
      ...ND.icmp6,
      name: 'neighborAdvertisement',
      target: from.address,
      solicited: true,
      options: (options) => options.every((option) => option.name !== 'targetLinkLayer' || option.address === from.mac),
    },
  };
}

/** The answer of a proxy, RFC 4861 7.2.8: it leaves an answer of the owner's own untouched. */
export const proxyAdvertisement = (proxyMac: string, target: string, to: Sender): Pattern => ({
  eth: { src: proxyMac, ...(to.mac === undefined ? {} : { dst: to.mac }) },
  ip6: { ...ND.ip6, dst: to.address },
  icmp6: {
    ...ND.icmp6,
    name: 'neighborAdvertisement',
    target,
    solicited: true,
    override: false,
    options: [{ name: 'targetLinkLayer', address: proxyMac }],
  },
});

/** The answer to one that has no address yet goes to all nodes, and is not solicited: RFC 4861 7.2.4. */
export function defence(mac: string, target: string): Pattern {
  return {
    eth: { src: mac, dst: groupMac(ALL_NODES) },
    ip6: { ...ND.ip6, dst: ALL_NODES },
    icmp6: {
      ...ND.icmp6,
      name: 'neighborAdvertisement',
      target,
      solicited: false,
      override: true,
      options: [{ name: 'targetLinkLayer', address: mac }],
    },
  };
}

/** Says that its sender listens to the group, RFC 2710 3 or RFC 3810 5.2. */
export const listenerReport = (mac: string, group: string): Pattern => ({
  eth: { src: mac },
  icmp6: {
    name: (name) => name === 'mldReport' || name === 'mld2Report',
    mld: (mld) => mld.group === group || mld.records?.some((record) => record.group === group) === true,
  },
});

/** RFC 4443 4.1 and 4.2; the default hop limit of hosts is 64. */
export function echo(
  name: 'echoRequest' | 'echoReply',
  from: Sender,
  to: Sender,
  { size = 56, hopLimit = 64 }: { size?: number; hopLimit?: number } = {},
): Pattern {
  return {
    ...(from.mac === undefined || to.mac === undefined ? {} : { eth: { src: from.mac, dst: to.mac } }),
    ip6: { src: from.address, dst: to.address, hopLimit },
    icmp6: { name, code: 0, checksumOk: true, echo: { length: size } },
  };
}

/** An error about a packet that was to go from one to the other, RFC 4443 3. */
export const icmpError = (
  name: 'unreachable' | 'packetTooBig' | 'timeExceeded',
  code: number,
  reporter: string,
  about: { readonly from: string; readonly to: string },
  mtu?: number,
): Pattern => ({
  ip6: { src: reporter, dst: about.from },
  icmp6: {
    name,
    code,
    checksumOk: true,
    ...(mtu === undefined ? {} : { mtu }),
    quoted: { ip6: { src: about.from, dst: about.to } },
  },
});

/** What was captured so far and looks like this. */
export const seen = (link: LabLink, pattern: Pattern, since = 0): Frame[] =>
  link.frames.filter((frame) => frame.time >= since && matches(frame.decoded, pattern));

/** What an echo carries, for comparing a reply with its request. */
export const payload = ({ bytes, decoded }: Frame): string =>
  Buffer.from(bytes.subarray(decoded.payloadAt, decoded.payloadAt + decoded.payloadLength)).toString('hex');
