/** Addresses and routes of the kernel, by rtnetlink. */
import { addressBytes, addressText, type Prefix, prefix } from './address.ts';
import { indexOf } from './link.ts';
import type { Namespace } from './namespace.ts';
import { converse, Message, NLM_F } from './netlink.ts';

const RTM = { newAddress: 20, delAddress: 21, getAddress: 22, newRoute: 24, delRoute: 25 } as const;
const IFA = { address: 1, local: 2, flags: 8 } as const;
const IFA_F = { noDad: 0x02, dadFailed: 0x08, tentative: 0x40 } as const;
const RTA = { destination: 1, outInterface: 4, gateway: 5, priority: 6, via: 18 } as const;
const FAMILY = { inet: 2, inet6: 10 } as const;
const ROUTE = {
  tableMain: 254,
  protocolStatic: 4,
  scopeUniverse: 0,
  scopeLink: 253,
  unicast: 1,
  unreachable: 7,
} as const;

const family = (bytes: Uint8Array): number => (bytes.length === 4 ? FAMILY.inet : FAMILY.inet6);

export interface AddressOptions {
  readonly device: string;
  readonly namespace?: Namespace | undefined;
  /** `2001:db8::1/64`; without a slash `prefixLength` counts, or the whole address. */
  readonly address: string;
  readonly prefixLength?: number | undefined;
  /** IPv6: usable at once, without duplicate address detection. */
  readonly noDad?: boolean | undefined;
}

export interface DeviceAddress {
  readonly address: string;
  readonly prefixLength: number;
  /** IPv6: duplicate address detection is not over, or has failed. */
  readonly tentative: boolean;
  readonly dadFailed: boolean;
}

export function addAddress(options: AddressOptions): void {
  changeAddress(options, 'add address', RTM.newAddress, NLM_F.ack | NLM_F.create | NLM_F.excl);
}

export function removeAddress(options: AddressOptions): void {
  changeAddress(options, 'remove address', RTM.delAddress, NLM_F.ack);
}

function changeAddress(options: AddressOptions, operation: string, type: number, flags: number): void {
  const { device, namespace, noDad = false } = options;
  const { bytes, length } = wholePrefix(options);
  const attempt = { operation: `${operation} ${options.address} to`, device, namespace };
  const message = new Message(type, flags)
    .u8(family(bytes), length, noDad ? IFA_F.noDad : 0, ROUTE.scopeUniverse)
    .u32(indexOf(device, namespace))
    .value(IFA.local, bytes)
    .value(IFA.address, bytes);
  converse(attempt, message);
}

function wholePrefix(options: AddressOptions): Prefix {
  const { address, prefixLength } = options;
  return prefix(prefixLength === undefined || address.includes('/') ? address : `${address}/${prefixLength}`);
}

export function listAddresses(device: string, namespace?: Namespace): DeviceAddress[] {
  const index = indexOf(device, namespace);
  const message = new Message(RTM.getAddress, NLM_F.dump).u8(0, 0, 0, 0).u32(0);
  return converse({ operation: 'list addresses of', device, namespace }, message)
    .filter((reply) => reply.u32(4) === index)
    .map((reply) => {
      const attributes = reply.attributes(8);
      const flags = attributes.get(IFA.flags)?.u32(0) ?? reply.bytes[2]!;
      const bytes = (attributes.get(IFA.local) ?? attributes.get(IFA.address))?.bytes ?? new Uint8Array(4);
      return {
        address: addressText(bytes),
        prefixLength: reply.bytes[1]!,
        tentative: (flags & IFA_F.tentative) !== 0,
        dadFailed: (flags & IFA_F.dadFailed) !== 0,
      };
    });
}

export interface RouteOptions {
  readonly namespace?: Namespace | undefined;
  /** A prefix, or `default` (of the family of `via`, IPv6 without). */
  readonly destination: string;
  readonly via?: string | undefined;
  readonly device?: string | undefined;
  /** Packets are answered with Destination Unreachable. */
  readonly unreachable?: boolean | undefined;
  /** Lower wins. */
  readonly metric?: number | undefined;
}

export function addRoute(options: RouteOptions): void {
  changeRoute(options, 'add route', RTM.newRoute, NLM_F.ack | NLM_F.create | NLM_F.excl);
}

export function removeRoute(options: RouteOptions): void {
  changeRoute(options, 'remove route', RTM.delRoute, NLM_F.ack);
}

function changeRoute(options: RouteOptions, operation: string, type: number, flags: number): void {
  const { namespace, destination, via, device, unreachable = false, metric } = options;
  const gateway = via === undefined ? undefined : addressBytes(via);
  const { bytes, length } = destination === 'default' ? everything(gateway) : prefix(destination);
  const scope = family(bytes) === FAMILY.inet && gateway === undefined ? ROUTE.scopeLink : ROUTE.scopeUniverse;
  const kind = unreachable ? ROUTE.unreachable : ROUTE.unicast;
  const message = new Message(type, flags)
    .u8(
      family(bytes),
      length,
      0,
      0,
      ROUTE.tableMain,
      ROUTE.protocolStatic,
      unreachable ? ROUTE.scopeUniverse : scope,
      kind,
    )
    .u32(0);
  if (length > 0) message.value(RTA.destination, bytes);
  if (device !== undefined) message.number(RTA.outInterface, indexOf(device, namespace));
  if (metric !== undefined) message.number(RTA.priority, metric);
  if (gateway !== undefined && gateway.length === bytes.length) message.value(RTA.gateway, gateway);
  else if (gateway !== undefined) message.attribute(RTA.via, (value) => value.u16(family(gateway)).bytes(gateway));
  const through = `${via === undefined ? '' : ` via ${via}`}${unreachable ? ' (unreachable)' : ''}`;
  converse({ operation: `${operation} ${destination}${through}`, device, namespace }, message);
}

function everything(gateway: Uint8Array | undefined): Prefix {
  return { bytes: new Uint8Array(gateway?.length ?? 16), length: 0 };
}
