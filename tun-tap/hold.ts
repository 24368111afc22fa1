import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { attempting } from './errors.ts';
import { type Namespace, withDescriptor } from './namespace.ts';
import { native } from './native.ts';

/**
 * Keeps the TUN and TAP devices that other processes of a namespace have open: a device is there, with its carrier, as long as
 * one descriptor of it is open. Closing what is returned lets them go; until then nobody needs to read.
 */
export function holdTaps(namespace: Namespace): Disposable {
  const held: number[] = [];
  const release = (): void => {
    for (const descriptor of held.splice(0)) native().closeDescriptor(descriptor);
  };
  try {
    for (const pid of processesIn(namespace)) {
      for (const { descriptor, device } of devicesOf(pid)) {
        held.push(
          attempting({ operation: `hold, of process ${pid},`, device, namespace }, () =>
            native().takeDescriptor(pid, descriptor),
          ),
        );
      }
    }
  } catch (error) {
    release();
    throw error;
  }
  return { [Symbol.dispose]: release };
}

function processesIn(namespace: Namespace): number[] {
  const wanted = withDescriptor(namespace, (descriptor) => statSync(`/proc/self/fd/${descriptor}`).ino);
  return numbersIn('/proc').filter((pid) => attempt(() => readlinkSync(`/proc/${pid}/ns/net`)) === `net:[${wanted}]`);
}

function devicesOf(pid: number): { descriptor: number; device: string }[] {
  return numbersIn(`/proc/${pid}/fdinfo`).flatMap((descriptor) => {
    const told = attempt(() => readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'utf8'));
    const device = /^iff:\t(\S+)$/m.exec(told ?? '')?.[1];
    return device === undefined ? [] : [{ descriptor, device }];
  });
}

const numbersIn = (folder: string): number[] =>
  (attempt(() => readdirSync(folder)) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);

/** A process may end while it is looked at. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
