import { readFileSync, writeFileSync } from 'node:fs';
import { attempting } from './errors.ts';
import { type Namespace, withNamespace } from './namespace.ts';

/** Reads a `net.` setting of a namespace, e.g. `net.ipv6.conf.eth0.forwarding`; a device with a dot: `net/ipv6/conf/eth0.1/mtu`. */
export function readSysctl(namespace: Namespace, key: string): string {
  const path = sysctlPath(key);
  return attempting({ operation: `read sysctl ${key}`, namespace }, () =>
    withNamespace(namespace, () => readFileSync(path, 'utf8').trim()),
  );
}

export function writeSysctl(namespace: Namespace, key: string, value: string | number): void {
  const path = sysctlPath(key);
  attempting({ operation: `write sysctl ${key}=${value}`, namespace }, () =>
    withNamespace(namespace, () => writeFileSync(path, `${value}\n`)),
  );
}

/** As sysctl(8): the first separator found decides which of `.` and `/` separates. */
export function sysctlPath(key: string): string {
  const parts = /^[^./]*\//.test(key) ? key.split('/') : key.split('.').map((part) => part.replaceAll('/', '.'));
  if (parts[0] !== 'net' || parts.length < 2 || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new RangeError(`'${key}' is not a setting of a network namespace: net.ipv6.conf.all.forwarding, for example`);
  }
  return `/proc/sys/${parts.join('/')}`;
}
