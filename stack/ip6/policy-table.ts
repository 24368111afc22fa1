/**
 * The policy table of address selection, RFC 3484 2.1: prefix, precedence, label. Empty at boot, as in KAME: the start-up file
 * installs the default policy with ip6addrctl. KAME: struct in6_addrpolicy.
 */
import { masked, prefixMatches, viewOf } from '../wire/address.ts';

export interface Policy {
  readonly prefix: Uint8Array;
  readonly length: number;
  readonly precedence: number;
  readonly label: number;
}

/** What an address has that no policy covers. */
export const NO_LABEL = -1;

export class PolicyTable {
  /** Longest prefix first. */
  #policies: { policy: Policy; view: DataView }[] = [];

  policies(): Policy[] {
    return this.#policies.map(({ policy }) => policy);
  }

  /** Add, or replace the policy of the same prefix. */
  add(policy: Policy): void {
    const prefix = masked(policy.prefix, policy.length);
    this.delete(prefix, policy.length);
    this.#policies.push({ policy: { ...policy, prefix }, view: viewOf(prefix) });
    this.#policies.sort((a, b) => b.policy.length - a.policy.length);
  }

  delete(prefix: Uint8Array, length: number): boolean {
    const view = viewOf(masked(prefix, length));
    const kept = this.#policies.filter(
      (one) => one.policy.length !== length || !prefixMatches(one.view, 0, view, 0, 128),
    );
    const found = kept.length < this.#policies.length;
    this.#policies = kept;
    return found;
  }

  flush(): void {
    this.#policies = [];
  }

  label(view: DataView, at: number): number {
    return this.#find(view, at)?.label ?? NO_LABEL;
  }

  precedence(view: DataView, at: number): number {
    return this.#find(view, at)?.precedence ?? NO_LABEL;
  }

  #find(view: DataView, at: number): Policy | undefined {
    for (const one of this.#policies) if (prefixMatches(one.view, 0, view, at, one.policy.length)) return one.policy;
    return undefined;
  }
}
