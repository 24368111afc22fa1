import { indexOf } from './link.ts';
import type { Namespace } from './namespace.ts';
import { converse, Message, NLM_F } from './netlink.ts';

const RTM = { newQdisc: 36, newFilter: 44 } as const;
const TCA = { kind: 1, options: 2 } as const;
const U32 = { select: 5, action: 7 } as const;
const ACTION = { kind: 1, options: 2 } as const;
const MIRRED_PARAMETERS = 2;
const PARENT_INGRESS = 0xffff_fff1;
const HANDLE_INGRESS = 0xffff_0000;
const TERMINAL = 1;
const STOLEN = 4;
const EGRESS_REDIRECT = 1;
const [PRIORITY, ETH_P_ALL] = [1, 0x0003];

/** Makes a cable of two devices of one namespace: what arrives on one leaves by the other (tc ingress, u32, mirred). */
export function mirror(a: string, b: string, namespace?: Namespace): void {
  redirect(a, b, namespace);
  redirect(b, a, namespace);
}

function redirect(from: string, to: string, namespace: Namespace | undefined): void {
  const attempt = { operation: `redirect to ${to} from`, device: from, namespace };
  const [source, target] = [indexOf(from, namespace), indexOf(to, namespace)];
  const create = NLM_F.ack | NLM_F.create | NLM_F.excl;
  converse(
    attempt,
    trafficControl(RTM.newQdisc, create, source, HANDLE_INGRESS, PARENT_INGRESS, 0).text(TCA.kind, 'ingress'),
  );
  const everyProtocol = (ETH_P_ALL << 8) | (PRIORITY << 16);
  const filter = trafficControl(RTM.newFilter, create, source, 0, HANDLE_INGRESS, everyProtocol)
    .text(TCA.kind, 'u32')
    .nested(TCA.options, (options) =>
      options
        // tc_u32_sel with one key whose mask is 0: everything matches
        .attribute(U32.select, (value) => value.u8(TERMINAL, 0, 1, 0).u32(0, 0, 0).u32(0, 0, 0, 0))
        .nested(U32.action, (actions) =>
          actions.nested(1, (first) =>
            first
              .text(ACTION.kind, 'mirred')
              .nested(ACTION.options, (mirred) =>
                mirred.attribute(MIRRED_PARAMETERS, (value) => value.u32(0, 0, STOLEN, 0, 0, EGRESS_REDIRECT, target)),
              ),
          ),
        ),
    );
  converse(attempt, filter);
}

/** tcmsg: family, index of the device, handle, parent, info. */
function trafficControl(
  type: number,
  flags: number,
  index: number,
  handle: number,
  parent: number,
  info: number,
): Message {
  return new Message(type, flags).u8(0, 0).u16(0).u32(index, handle, parent, info);
}
