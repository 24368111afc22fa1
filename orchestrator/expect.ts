/** Expectations over frames seen, state and counters. Each one becomes a Check of the cell, kept whether it held or not. */

import type { Pattern } from '#stack/wire/decode.ts';
import type { Frame, LabLink } from './drivers/driver.ts';

export interface Expect {
  /** A frame that matches is or will be seen on the link; fails the cell after `within` milliseconds. Resolves to it. */
  frame(
    link: LabLink,
    text: string,
    pattern: Pattern,
    options?: { within?: number; since?: number; from?: string },
  ): Promise<Frame>;
  /** For `during` milliseconds from `since` (default now) none is seen. */
  noFrame(
    link: LabLink,
    text: string,
    pattern: Pattern,
    options: { during: number; since?: number; from?: string },
  ): Promise<void>;
  /** Exactly this many were seen since. Judged at once. */
  frames(
    link: LabLink,
    text: string,
    pattern: Pattern,
    count: number,
    options?: { since?: number; from?: string },
  ): Promise<readonly Frame[]>;
  /** `check` becomes true within the time. */
  eventually(
    text: string,
    check: () => boolean | Promise<boolean>,
    options?: { within?: number; detail?: () => string },
  ): Promise<void>;
  /** Judged at once; a failing check ends the cell. */
  that(ok: boolean, text: string, detail?: string): void;
  /** A measured time lies in [min, max], widened by the lab's tolerance; recorded as a measurement with its source. */
  within(name: string, value: number, bounds: { min?: number; max?: number; source: string }, unit?: string): void;
}
