import type { Interface } from '../link/interface.ts';
import type { Stack } from '../stack.ts';

/** RFC 4862 2. 'duplicated': DAD found it in use; nothing is sent from it (KAME: IN6_IFF_DUPLICATED). */
export type AddressState = 'tentative' | 'preferred' | 'deprecated' | 'duplicated';

/** One address of an interface. KAME: struct in6_ifaddr. */
export class InterfaceAddress {
  readonly interface: Interface;
  readonly address: Uint8Array;
  readonly view: DataView;
  readonly prefixLength: number;
  /** Interface index for a link-local address, else 0. */
  readonly zone: number;
  readonly anycast: boolean;
  /** Made from a router advertisement. */
  readonly autoconf: boolean;
  readonly temporary: boolean;
  state: AddressState = 'preferred';
  /** When it becomes deprecated and when it goes, in the clock's milliseconds; Infinity for never. */
  preferredUntil = Number.POSITIVE_INFINITY;
  validUntil = Number.POSITIVE_INFINITY;

  constructor(
    ifp: Interface,
    address: Uint8Array,
    prefixLength: number,
    zone: number,
    options: { anycast?: boolean; autoconf?: boolean; temporary?: boolean } = {},
  ) {
    this.interface = ifp;
    this.address = address.slice();
    this.view = new DataView(this.address.buffer);
    this.prefixLength = prefixLength;
    this.zone = zone;
    this.anycast = options.anycast ?? false;
    this.autoconf = options.autoconf ?? false;
    this.temporary = options.temporary ?? false;
  }

  /** It may be used as a source and answered for. */
  get usable(): boolean {
    return this.state === 'preferred' || this.state === 'deprecated';
  }
}

export interface AddOptions {
  readonly anycast?: boolean;
  readonly autoconf?: boolean;
  readonly temporary?: boolean;
  /** Seconds; absent for ever. */
  readonly preferredLifetime?: number;
  readonly validLifetime?: number;
  /** Skip DAD (`ifconfig ... nodad` is not KAME's; tests and anycast use it). */
  readonly noDad?: boolean;
}

/**
 * `ifconfig if inet6 address prefixlen n`: table entry, host route to lo0, on-link prefix route, solicited-node group,
 * then DAD if the interface is up. Returns the entry, or an errno name ('EEXIST', 'EINVAL' ...). KAME: in6_update_ifa.
 */
export function addAddress(
  _stack: Stack,
  _ifp: Interface,
  _address: Uint8Array,
  _prefixLength: number,
  _options: AddOptions = {},
): InterfaceAddress | string {
  throw new Error('not built yet');
}

/** KAME: in6_purgeaddr. */
export function removeAddress(_stack: Stack, _entry: InterfaceAddress): void {
  throw new Error('not built yet');
}
