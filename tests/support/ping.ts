/** An echo request as ping6 would send it, without ping6: source chosen by the stack, reply seen in the capture. */
import { icmp6Output } from '#stack/ip6/icmp6-output.ts';
import type { OutputOptions, SendError } from '#stack/ip6/output.ts';
import { selectSource } from '#stack/ip6/source-address.ts';
import type { Stack } from '#stack/stack.ts';
import * as Address from '#stack/wire/address.ts';
import * as Icmp6 from '#stack/wire/icmp6.ts';
import * as Ip6 from '#stack/wire/ip6.ts';
import { NextHeader } from '#stack/wire/next-header.ts';

export interface PingOptions extends OutputOptions {
  readonly size?: number;
  readonly seq?: number;
  readonly hops?: number;
  readonly source?: string;
}

/** `fe80::1%em0` or plain; undefined when it was sent. */
export function ping(stack: Stack, to: string, options: PingOptions = {}): SendError | undefined {
  const scoped = Address.parseScoped(to)!;
  const zone = scoped.zone === undefined ? (options.zone ?? 0) : stack.interfaceNamed(scoped.zone)!.index;
  const destination = Address.viewOf(scoped.address);
  const chosen = selectSource(stack, destination, 0, { zone, interface: options.interface });
  const source = options.source === undefined ? chosen : { address: Address.address(options.source) };
  if (typeof source === 'string') return source;
  const size = options.size ?? 56;
  const pkt = stack.pool.take(Ip6.LENGTH + Icmp6.HEADER + size);
  const { view, head } = pkt;
  const at = head + Ip6.LENGTH;
  pkt.tail = at + Icmp6.HEADER + size;
  for (let byte = 0; byte < size; byte++) view.setUint8(at + Icmp6.HEADER + byte, byte & 0xff);
  Ip6.write(view, head, 0, NextHeader.icmp6, options.hops ?? stack.sysctl.ip6.hlim);
  Address.set(view, head + Ip6.SOURCE, source.address);
  Address.set(view, head + Ip6.DESTINATION, scoped.address);
  Icmp6.writeEcho(view, at, Icmp6.Type.echoRequest, 0x1234, options.seq ?? 1);
  return icmp6Output(stack, pkt, at, { ...options, zone });
}
