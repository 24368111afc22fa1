/** Who owns a lab: a file in the lab's run-time folder names the process, so that `gc` never touches a living one's lab. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The run-time folders of all labs of this host. */
export const RUN_FOLDER = process.env['KAMELAB_RUN'] ?? '/run/kamelab';

export interface Owner {
  readonly id: string;
  readonly pid: number;
  /** Clock ticks after boot (/proc/PID/stat): tells a process from a later one with its number. */
  readonly started: string;
  /** The lab is to outlive the process that made it. */
  readonly keep: boolean;
  readonly driver: string;
}

/** This process. */
export function ownerOf(id: string, driver: string, keep: boolean): Owner {
  return { id, pid: process.pid, started: startOf(process.pid) ?? '', keep, driver };
}

/** Does the lab with this owner (as JSON) still have one, or was it made to be kept? */
export function isLiving(json: string | undefined): boolean {
  try {
    const owner = JSON.parse(json ?? '') as Owner;
    return owner.keep || startOf(owner.pid) === owner.started;
  } catch {
    return false;
  }
}

export function isKept(json: string | undefined): boolean {
  try {
    return (JSON.parse(json ?? '') as Owner).keep;
  } catch {
    return false;
  }
}

export function claim(id: string, driver: string, keep: boolean): string {
  const folder = join(RUN_FOLDER, id);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, 'owner.json'), JSON.stringify(ownerOf(id, driver, keep)));
  return folder;
}

export function release(id: string): void {
  rmSync(join(RUN_FOLDER, id), { recursive: true, force: true });
}

/** Every lab with a folder here; `living` when its process runs, or it was made to be kept. */
export function owners(driver: string): { id: string; living: boolean; keep: boolean }[] {
  let ids: string[];
  try {
    ids = readdirSync(RUN_FOLDER).sort();
  } catch {
    return [];
  }
  return ids.flatMap((id) => {
    const json = read(id);
    if (json !== undefined && !json.includes(`"driver":"${driver}"`)) return [];
    return [{ id, living: isLiving(json), keep: isKept(json) }];
  });
}

function read(id: string): string | undefined {
  try {
    return readFileSync(join(RUN_FOLDER, id, 'owner.json'), 'utf8');
  } catch {
    return undefined;
  }
}

function startOf(pid: number): string | undefined {
  try {
    // the name in parentheses may hold anything: count fields from the last ')'
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19];
  } catch {
    return undefined;
  }
}
