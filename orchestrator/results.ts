/** A run's folder: one case folder a cell, the whole run beside them. */
import type { Frame, Lab } from './drivers/driver.ts';
import type { Judge } from './judge.ts';
import type { CellResult } from './outcome.ts';
import type { Topology } from './topology.ts';

/** What one cell leaves: written as it happens, so that a killed run keeps what it saw. */
export interface CaseFolder {
  /** Relative to the run's folder. */
  readonly relative: string;
  begin(topology: Topology): Promise<void>;
  frame(frame: Frame): void;
  step(time: number, text: string): void;
  /** Logs and states, while the lab still stands. */
  evidence(lab: Lab, judge: Judge): Promise<void>;
  end(result: CellResult): Promise<void>;
}
