/**
 * ARP for IPv4 on Ethernet, RFC 826. Always 28 bytes.
 *
 *   0: hardware(1)   2: protocol(0x0800)   4: lengths 6 and 4   6: operation
 *   8: sender MAC(6)   14: sender IP(4)   18: target MAC(6)   24: target IP(4)
 *
 * KAME: struct ether_arp.
 */
export const LENGTH = 28;
export const SENDER_MAC = 8;
export const SENDER_IP = 14;
export const TARGET_MAC = 18;
export const TARGET_IP = 24;

export const Operation = { request: 1, reply: 2 } as const;

export const isEthernetIp4 = (v: DataView, at: number): boolean =>
  v.getUint32(at) === 0x00010800 && v.getUint16(at + 4) === 0x0604;
export const operation = (v: DataView, at: number): number => v.getUint16(at + 6);

/** All but the four addresses. */
export function write(v: DataView, at: number, op: number): void {
  v.setUint32(at, 0x00010800);
  v.setUint16(at + 4, 0x0604);
  v.setUint16(at + 6, op);
}
