/**
 * MLDv1 messages as they go out: hop limit 1, router alert, a link-local source or `::` before there is a valid one
 * (RFC 2710 3, RFC 3590). KAME: mld6_sendpkt.
 */
import { sendMessage } from '../nd6/message.ts';
import { linkLocalSource } from '../nd6/source.ts';
import type { Stack } from '../stack.ts';
import { ALL_ROUTERS, set, UNSPECIFIED } from '../wire/address.ts';
import * as Icmp6 from '../wire/icmp6.ts';
import * as Ip6 from '../wire/ip6.ts';
import * as MldMessage from '../wire/mld.ts';
import { NextHeader } from '../wire/next-header.ts';
import * as Options from '../wire/options.ts';
import type { Membership } from './membership.ts';

const LENGTH = Options.ROUTER_ALERT_HEADER + MldMessage.LENGTH;

export function sendMldMessage(stack: Stack, membership: Membership, kind: 'report' | 'done'): void {
  const ifp = membership.interface;
  const pkt = stack.pool.take(Ip6.LENGTH + LENGTH);
  const { view, head } = pkt;
  pkt.tail = head + Ip6.LENGTH + LENGTH;
  pkt.ip = head;
  Ip6.write(view, head, LENGTH, NextHeader.hopByHop, 1);
  set(view, head + Ip6.SOURCE, linkLocalSource(ifp)?.address ?? UNSPECIFIED);
  set(view, head + Ip6.DESTINATION, kind === 'report' ? membership.group : ALL_ROUTERS);
  const options = head + Ip6.LENGTH;
  Options.writeRouterAlert(view, options, NextHeader.icmp6, Options.RouterAlert.mld);
  const message = options + Options.ROUTER_ALERT_HEADER;
  const type = kind === 'report' ? Icmp6.Type.mldReport : Icmp6.Type.mldDone;
  MldMessage.write(view, message, type);
  set(view, message + MldMessage.GROUP, membership.group);
  pkt.at = message;
  sendMessage(stack, ifp, pkt);
}
