import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { attempting } from './errors.ts';
import { native, type Place } from './native.ts';

/**
 * A network namespace: the name given to `createNamespace` (or `ip netns add`), a path such as `/proc/123/ns/net`, or an open
 * descriptor. Where it may be left out, that means the namespace of the calling thread.
 */
export type Namespace = string | number;

const FOLDER = '/run/netns';

/** The path of a named namespace, or of the one a process lives in. */
export function namespacePath(nameOrPid: string | number): string {
  if (typeof nameOrPid === 'number') return `/proc/${nameOrPid}/ns/net`;
  requireName(nameOrPid);
  return `${FOLDER}/${nameOrPid}`;
}

/** What the native part takes: names become paths. */
export function place(namespace: Namespace | undefined): Place {
  return typeof namespace === 'string' && !namespace.includes('/') ? namespacePath(namespace) : namespace;
}

/** Makes a namespace that `ip netns` lists too, and returns its path. Its `lo` is down, as there. */
export function createNamespace(name: string): string {
  const path = namespacePath(name);
  attempting({ operation: `create namespace ${name}` }, () => {
    mkdirSync(FOLDER, { recursive: true, mode: 0o755 });
    native().shareMounts(FOLDER);
    closeSync(openSync(path, 'wx', 0o444));
    try {
      native().bindNewNamespace(path);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  });
  return path;
}

/** Takes the name away; the namespace ends when no process or descriptor is left in it. False when there was none. */
export function deleteNamespace(name: string): boolean {
  const path = namespacePath(name);
  return attempting({ operation: `delete namespace ${name}` }, () => {
    if (!listNamespaces().includes(name)) return false;
    native().unmount(path);
    rmSync(path, { force: true });
    return true;
  });
}

/** Names, sorted. */
export function listNamespaces(): string[] {
  try {
    return readdirSync(FOLDER).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Runs synchronous code with the calling thread in a namespace, and comes back, also when it throws.
 *
 * Inside, sockets, /proc/sys/net and started child processes belong to that namespace. Work handed to other threads (asynchronous
 * file access, name look-up) does not, and whatever is awaited would run after the way back: hence no promises.
 */
export function withNamespace<T>(namespace: Namespace, run: () => T): T {
  const home = attempting({ operation: `enter namespace ${namespace}` }, () => native().enter(place(namespace)));
  let result: T;
  try {
    result = run();
  } finally {
    native().leave(home);
  }
  if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
    throw new TypeError('withNamespace: the code to run must be synchronous, and it returned a promise');
  }
  return result;
}

/** Opens a namespace for a message that names it by descriptor, and closes it again. */
export function withDescriptor<T>(namespace: Namespace, run: (descriptor: number) => T): T {
  const target = place(namespace);
  if (typeof target === 'number') return run(target);
  const descriptor = attempting({ operation: `open namespace ${namespace}` }, () => openSync(target!, 'r'));
  try {
    return run(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function requireName(name: string): void {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name) || Buffer.byteLength(name) > 255) {
    throw new RangeError(`'${name}' is not a name for a namespace`);
  }
}
