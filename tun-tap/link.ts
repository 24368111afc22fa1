/** Network devices by rtnetlink: make, name, wire up, move, list, remove. Every call ends when the kernel has done it. */
import { setTimeout } from 'node:timers/promises';
import { macBytes, macText } from './address.ts';
import { requireDeviceName } from './device-name.ts';
import { type Attempt, NetworkError } from './errors.ts';
import { type Namespace, withDescriptor } from './namespace.ts';
import { converse, Message, NLM_F, type Reply } from './netlink.ts';

const RTM = { newLink: 16, delLink: 17, getLink: 18 } as const;
const IFLA = { address: 1, ifname: 3, mtu: 4, link: 5, master: 10, operState: 16, linkInfo: 18, stats64: 23 } as const;
const IFLA_NET_NS_FD = 28;
const IFLA_CARRIER = 33;
const INFO = { kind: 1, data: 2 } as const;
const VETH_INFO_PEER = 1;
const BRIDGE = { forwardDelay: 1, stpState: 5, multicastSnooping: 23 } as const;
const IFF_UP = 1;

/** ifinfomsg: family, type, index, flags, mask of flags to change. */
const HEADER = 16;

export interface VethOptions {
  readonly name: string;
  readonly namespace?: Namespace | undefined;
  readonly peerName: string;
  /** That of `name` where left out. */
  readonly peerNamespace?: Namespace | undefined;
  /** Of both ends. */
  readonly mtu?: number | undefined;
  readonly mac?: string | undefined;
  readonly peerMac?: string | undefined;
}

export interface BridgeOptions {
  readonly name: string;
  readonly namespace?: Namespace | undefined;
  readonly mtu?: number | undefined;
  readonly mac?: string | undefined;
}

export interface Device {
  readonly index: number;
  readonly name: string;
  /** `veth`, `bridge`, `tun`, ...; empty for a physical device and `lo`. */
  readonly kind: string;
  /** Empty where the device has none. */
  readonly mac: string;
  readonly mtu: number;
  /** IFF_* of linux/if.h. */
  readonly flags: number;
  readonly up: boolean;
  readonly operState: string;
  readonly carrier: boolean;
  /** Index of the bridge it is a port of, or 0. */
  readonly master: number;
}

export interface Statistics {
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly receiveErrors: number;
  readonly receiveDropped: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
  readonly sendErrors: number;
  readonly sendDropped: number;
}

/** Two devices joined by a cable. Both are down. */
export function createVeth(options: VethOptions): void {
  const { name, namespace, peerName, peerNamespace, mtu, mac, peerMac } = options;
  requireDeviceName(name);
  requireDeviceName(peerName);
  const attempt = { operation: `create veth (peer ${peerName})`, device: name, namespace };
  const make = (peerDescriptor: number | undefined): void => {
    const message = newDevice(name, mtu, mac).nested(IFLA.linkInfo, (info) =>
      info.text(INFO.kind, 'veth').nested(INFO.data, (data) =>
        data.nested(VETH_INFO_PEER, (peer) => {
          deviceHeader(peer);
          describe(peer, peerName, mtu, peerMac);
          if (peerDescriptor !== undefined) peer.number(IFLA_NET_NS_FD, peerDescriptor);
        }),
      ),
    );
    converse(attempt, message);
  };
  if (peerNamespace === undefined) make(undefined);
  else withDescriptor(peerNamespace, make);
}

/** A bridge that is nothing but a switch: no STP, no forward delay, no multicast snooping. It is down. */
export function createBridge(options: BridgeOptions): void {
  const { name, namespace, mtu, mac } = options;
  requireDeviceName(name);
  const message = newDevice(name, mtu, mac).nested(IFLA.linkInfo, (info) =>
    info.text(INFO.kind, 'bridge').nested(INFO.data, (data) =>
      data
        .number(BRIDGE.forwardDelay, 0)
        .number(BRIDGE.stpState, 0)
        .attribute(BRIDGE.multicastSnooping, (value) => value.u8(0)),
    ),
  );
  converse({ operation: 'create bridge', device: name, namespace }, message);
}

/** Makes the device a port of a bridge; undefined takes it out. */
export function setMaster(device: string, master: string | undefined, namespace?: Namespace): void {
  const index = master === undefined ? 0 : indexOf(master, namespace);
  const operation = master === undefined ? 'take out of its bridge' : `add to bridge ${master}`;
  change({ operation, device, namespace }, (message) => message.number(IFLA.master, index));
}

/** Returns before a veth's other end has its carrier: see `whenUp`. */
export function setUp(device: string, namespace?: Namespace): void {
  change({ operation: 'set up', device, namespace }, undefined, IFF_UP);
}

export function setDown(device: string, namespace?: Namespace): void {
  change({ operation: 'set down', device, namespace }, undefined, 0);
}

export function setMtu(device: string, mtu: number, namespace?: Namespace): void {
  change({ operation: `set MTU ${mtu} of`, device, namespace }, (message) => message.number(IFLA.mtu, mtu));
}

export function setMac(device: string, mac: string, namespace?: Namespace): void {
  const bytes = macBytes(mac);
  change({ operation: `set MAC ${mac} of`, device, namespace }, (message) => message.value(IFLA.address, bytes));
}

/** Kernels before 6.2 want the device down. */
export function rename(device: string, newName: string, namespace?: Namespace): void {
  requireDeviceName(newName);
  const attempt = { operation: `rename to ${newName}`, device, namespace };
  const index = indexOf(device, namespace);
  converse(attempt, deviceHeader(new Message(RTM.newLink, NLM_F.ack), index).text(IFLA.ifname, newName));
}

/** The device arrives down and without addresses, and keeps its MAC, MTU and, being a TUN or TAP, its open descriptors. */
export function move(device: string, from: Namespace | undefined, to: Namespace, newName = device): void {
  requireDeviceName(newName);
  const attempt = { operation: `move to namespace ${to}`, device, namespace: from };
  const index = indexOf(device, from);
  withDescriptor(to, (descriptor) => {
    const message = deviceHeader(new Message(RTM.newLink, NLM_F.ack), index);
    converse(attempt, message.text(IFLA.ifname, newName).number(IFLA_NET_NS_FD, descriptor));
  });
}

/** A veth's peer goes with it. */
export function remove(device: string, namespace?: Namespace): void {
  requireDeviceName(device);
  const message = deviceHeader(new Message(RTM.delLink, NLM_F.ack)).text(IFLA.ifname, device);
  converse({ operation: 'remove', device, namespace }, message);
}

export function list(namespace?: Namespace): Device[] {
  const message = deviceHeader(new Message(RTM.getLink, NLM_F.dump));
  return converse({ operation: 'list devices', namespace }, message).map(readDevice);
}

/** One device, or a NetworkError with code ENODEV. */
export function get(device: string, namespace?: Namespace): Device {
  return readDevice(query(device, namespace));
}

/**
 * The device once it carries frames. The kernel gives a veth its carrier a moment after its other end was set up, and silently drops
 * what is sent before; a bridge port is the same. Rejects when that did not happen within `patience` milliseconds.
 */
export async function whenUp(device: string, namespace?: Namespace, patience = 5_000): Promise<Device> {
  for (let waited = 0; ; waited += 5) {
    const found = get(device, namespace); // from Linux 6.8 on, asking makes the kernel finish what is pending
    if (found.up && found.carrier && (found.operState === 'up' || found.operState === 'unknown')) return found;
    if (waited >= patience) {
      const state = found.up ? `has no carrier (${found.operState})` : 'is down';
      const failure = { code: 'ENETDOWN', errno: 100, syscall: 'wait', message: `it ${state} after ${patience} ms` };
      throw new NetworkError({ operation: 'wait for', device, namespace }, failure);
    }
    await setTimeout(5);
  }
}

export function statistics(device: string, namespace?: Namespace): Statistics {
  const stats = query(device, namespace).attributes(HEADER).get(IFLA.stats64);
  if (stats === undefined) throw new Error(`${device}: the kernel gave no statistics`);
  const nth = (index: number): number => stats.u64(8 * index);
  return {
    receivedPackets: nth(0),
    receivedBytes: nth(2),
    receiveErrors: nth(4),
    receiveDropped: nth(6),
    sentPackets: nth(1),
    sentBytes: nth(3),
    sendErrors: nth(5),
    sendDropped: nth(7),
  };
}

/** The number the kernel knows the device by. */
export function indexOf(device: string, namespace?: Namespace): number {
  return query(device, namespace).i32(4);
}

function query(device: string, namespace: Namespace | undefined): Reply {
  requireDeviceName(device);
  const attempt = { operation: 'find', device, namespace };
  const message = deviceHeader(new Message(RTM.getLink, NLM_F.ack)).text(IFLA.ifname, device);
  const reply = converse(attempt, message)[0];
  if (reply !== undefined) return reply;
  throw new NetworkError(attempt, { code: 'ENODEV', errno: 19, syscall: 'netlink', message: 'no such device' });
}

function change(attempt: Attempt & { device: string }, write?: (message: Message) => void, up?: number): void {
  requireDeviceName(attempt.device);
  const message = new Message(RTM.newLink, NLM_F.ack);
  deviceHeader(message, 0, up ?? 0, up === undefined ? 0 : IFF_UP).text(IFLA.ifname, attempt.device);
  write?.(message);
  converse(attempt, message);
}

function newDevice(name: string, mtu: number | undefined, mac: string | undefined): Message {
  const message = new Message(RTM.newLink, NLM_F.ack | NLM_F.create | NLM_F.excl);
  describe(deviceHeader(message), name, mtu, mac);
  return message;
}

function deviceHeader(message: Message, index = 0, flags = 0, mask = 0): Message {
  return message.u8(0, 0).u16(0).u32(index, flags, mask);
}

function describe(message: Message, name: string, mtu: number | undefined, mac: string | undefined): void {
  message.text(IFLA.ifname, name);
  if (mtu !== undefined) message.number(IFLA.mtu, mtu);
  if (mac !== undefined) message.value(IFLA.address, macBytes(mac));
}

const OPER_STATES = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'];

function readDevice(reply: Reply): Device {
  const attributes = reply.attributes(HEADER);
  const flags = reply.u32(8);
  return {
    index: reply.i32(4),
    name: attributes.get(IFLA.ifname)?.text() ?? '',
    kind: attributes.get(IFLA.linkInfo)?.attributes(0).get(INFO.kind)?.text() ?? '',
    mac: macText(attributes.get(IFLA.address)?.bytes ?? new Uint8Array()),
    mtu: attributes.get(IFLA.mtu)?.u32(0) ?? 0,
    flags,
    up: (flags & IFF_UP) !== 0,
    operState: OPER_STATES[attributes.get(IFLA.operState)?.bytes[0] ?? 0] ?? 'unknown',
    carrier: attributes.get(IFLA_CARRIER)?.bytes[0] === 1,
    master: attributes.get(IFLA.master)?.u32(0) ?? 0,
  };
}
