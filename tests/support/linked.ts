/** The smallest world: one node with 2001:db8::1 on a point-to-point link, and a station that says what a test says. */
import type { Interface } from '#stack/link/interface.ts';
import type { Stack } from '#stack/stack.ts';
import type { Pattern } from '#stack/wire/decode.ts';
import { addressOn, type Frame, type Tester, World } from './world.ts';

export const PEER = '2001:db8::2';
export const NODE = '2001:db8::1';

export interface Linked {
  readonly world: World;
  readonly node: Stack;
  readonly ifp: Interface;
  readonly tester: Tester;
  /** Send a packet, wait, and get what came back: no Neighbor Discovery, no MLD. */
  ask(...packets: Uint8Array[]): Frame[];
}

export function linked(sysctl: Record<string, number> = {}, options: { mtu?: number } = {}): Linked {
  const world = new World();
  const node = world.node('node', sysctl);
  const wire = world.p2p(options);
  const ifp = world.attach(node, wire);
  addressOn(ifp, `${NODE}/64`);
  const tester = wire.tester();
  world.run(3000);
  const ask = (...packets: Uint8Array[]): Frame[] => {
    tester.heard.length = 0;
    for (const bytes of packets) tester.send(bytes);
    world.run(100);
    return tester.heard.filter((frame) => !isHousekeeping(frame));
  };
  return { world, node, ifp, tester, ask };
}

function isHousekeeping(frame: Frame): boolean {
  const type = frame.decoded.icmp6?.type ?? 0;
  return type >= 130 && type <= 136;
}

export const REPLY: Pattern = { icmp6: { name: 'echoReply', checksumOk: true } };

/** `{ type, code, pointer }` of an error, for short expectations. */
export function summary(frame: Frame | undefined): unknown {
  const icmp6 = frame?.decoded.icmp6;
  if (icmp6 === undefined) return undefined;
  const { type, code, pointer, mtu } = icmp6;
  return { type, code, ...(pointer !== undefined && { pointer }), ...(mtu !== undefined && { mtu }) };
}
