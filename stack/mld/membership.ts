/**
 * One group that one interface listens to: the listener of RFC 2710 5.
 *
 *   start: report, timer        query: timer, if sooner        timer: report -> idle
 *   delaying + another's report: idle, not the last reporter   stop: done, if the last reporter
 *
 * KAME: struct in6_multi, mld6_start_listening, mld6_stop_listening, mld6_fasttimeo.
 */
import { Timer } from '../env/clock.ts';
import { uniform } from '../env/random.ts';
import type { Interface } from '../link/interface.ts';
import * as Address from '../wire/address.ts';
import type { Mld } from './mld.ts';

/** Unsolicited Report Interval (RFC 2710 7.10), milliseconds. */
const UNSOLICITED_REPORT_INTERVAL = 10_000;

/** 'silent': the interface is down, or the group is never reported. 'delaying': a report is due. */
export type ListenerState = 'silent' | 'delaying' | 'idle';

export class Membership {
  readonly interface: Interface;
  readonly group: Uint8Array;
  readonly view: DataView;
  /** Joins less leaves; the membership ends at 0. */
  joins = 1;
  state: ListenerState = 'silent';
  readonly #mld: Mld;
  readonly #reported: boolean;
  readonly #timer: Timer;
  /** We sent the last report that was heard: leaving is worth a Done. */
  #lastReporter = false;

  constructor(mld: Mld, ifp: Interface, group: Uint8Array) {
    this.#mld = mld;
    this.interface = ifp;
    this.group = group.slice(0, 16);
    this.view = new DataView(this.group.buffer);
    this.#reported = isReported(this.view) && ifp.kind !== 'loopback';
    this.#timer = new Timer(() => this.#onTime());
  }

  /** First join, the interface came up, or it got its first valid link-local source (RFC 3590 4). */
  start(): void {
    if (!this.#reported) return;
    this.#report();
    this.state = 'delaying';
    this.#arm(UNSOLICITED_REPORT_INTERVAL);
  }

  /** The interface went down: nothing can be said, the group is kept. */
  silence(): void {
    this.#mld.stack.clock.disarm(this.#timer);
    this.#lastReporter = false;
    this.state = 'silent';
  }

  /** Last leave. */
  stop(): void {
    const done = this.#lastReporter;
    this.silence();
    if (done) this.#mld.sendDone(this);
  }

  /** A valid Query for all groups or this one asks for an answer within `delay` milliseconds. */
  onQuery(delay: number): void {
    switch (this.state) {
      case 'silent':
        return;
      case 'delaying':
        if (delay < this.#timer.due - this.#mld.stack.clock.now) this.#arm(delay);
        return;
      case 'idle':
        this.state = 'delaying';
        this.#arm(delay);
    }
  }

  /** Another listener of the link reported the group: ours would say nothing new. */
  onReport(): void {
    if (this.state !== 'delaying') return;
    this.#mld.stack.clock.disarm(this.#timer);
    this.#lastReporter = false;
    this.state = 'idle';
  }

  #onTime(): void {
    this.state = 'idle';
    this.#report();
  }

  #report(): void {
    this.#lastReporter = true;
    this.#mld.sendReport(this);
  }

  #arm(longest: number): void {
    this.#mld.stack.clock.arm(this.#timer, uniform(this.#mld.random, 0, longest));
  }
}

/** No messages for ff02::1, nor for the reserved and interface-local scopes (RFC 2710 5). */
function isReported(group: DataView): boolean {
  return Address.multicastScope(group, 0) > Address.Scope.interfaceLocal && !Address.same(group, 0, Address.ALL_NODES);
}
