/**
 * Who owns a lab. Everything that a lab makes can be traced to an owner: a process, told from a later one with its number by
 * the time it started. What has no living owner is left over, unless its lab was made to be kept and is whole.
 *
 * Labs of plain processes have a folder for it, /run/kamelab/LAB/owner.json, there before anything else is made and the last
 * to go; so what is there without such a folder is not ours. Containers carry their owner as a label.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../usage-error.ts';

/** The run-time folders of all labs of this host. */
export const RUN_FOLDER = process.env['KAMELAB_RUN'] ?? '/run/kamelab';

export interface Owner {
  readonly id: string;
  readonly pid: number;
  /** Clock ticks after boot (/proc/PID/stat). */
  readonly started: string;
  readonly boot: string;
  /** The lab is to outlive the process that made it. */
  readonly keep: boolean;
  /** In the environment of every process of the lab. */
  readonly token: string;
}

/** This process. */
export function ownerOf(id: string, keep: boolean): Owner {
  const token = randomBytes(16).toString('hex');
  return { id, pid: process.pid, started: startOf(process.pid) ?? '', boot: boot(), keep, token };
}

export function parseOwner(json: string | undefined): Owner | undefined {
  try {
    return JSON.parse(json ?? '') as Owner;
  } catch {
    return undefined;
  }
}

/** `whole`: the lab came up; a kept one then has no need of its maker, as long as the machine runs. */
export function isLiving(owner: Owner | undefined, whole: boolean): boolean {
  if (owner === undefined || owner.boot !== boot()) return false;
  return (owner.keep && whole) || startOf(owner.pid) === owner.started;
}

export interface Claim {
  readonly folder: string;
  readonly owner: Owner;
  /** The lab is whole, and stays. */
  keep(): void;
}

/** All at once, so that a lab's folder is never there without its owner, and two labs can't have one name. */
export function claim(id: string, keep: boolean): Claim {
  const owner = ownerOf(id, keep);
  const folder = join(RUN_FOLDER, id);
  const draft = join(RUN_FOLDER, `.${owner.pid}-${owner.started}-${owner.token}`);
  mkdirSync(draft, { recursive: true, mode: 0o755 });
  try {
    writeFileSync(join(draft, 'owner.json'), JSON.stringify(owner));
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') {
      throw new UsageError(`a lab '${id}' is there already: kamelab down ${id}, or kamelab gc if it is left over`);
    }
    throw error;
  }
  return { folder, owner, keep: () => writeFileSync(join(folder, 'whole'), '') };
}

/** The lab is not whole any more, so that it is left over if taking it down does not come to its end. */
export function disown(id: string): void {
  rmSync(join(RUN_FOLDER, id, 'whole'), { force: true });
}

export function release(id: string): void {
  rmSync(join(RUN_FOLDER, id), { recursive: true, force: true });
}

export interface Claimed {
  readonly id: string;
  readonly owner: Owner | undefined;
  readonly living: boolean;
}

/** Every lab with a folder here. */
export function claimed(): Claimed[] {
  const names = listing(RUN_FOLDER);
  return names.flatMap((id) => {
    if (id.startsWith('.')) return [];
    const owner = parseOwner(read(join(RUN_FOLDER, id, 'owner.json')));
    const whole = read(join(RUN_FOLDER, id, 'whole')) !== undefined;
    return [{ id, owner, living: isLiving(owner, whole) }];
  });
}

/** Claims that were being made when their process was killed. */
export function deadDrafts(): string[] {
  return listing(RUN_FOLDER).filter((name) => {
    const [pid, started] = name.slice(1).split('-');
    return name.startsWith('.') && startOf(Number(pid)) !== started;
  });
}

function listing(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const boot = (): string => read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';

/** Undefined of a process that is gone, or dead and not yet taken note of. */
export function startOf(pid: number): string | undefined {
  // the name in parentheses may hold anything: count fields from the last ')'
  const [state, ...fields] = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ') ?? [];
  return state === undefined || 'ZX'.includes(state) ? undefined : fields[18];
}
