import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import {
  createNamespace,
  deleteNamespace,
  link,
  listNamespaces,
  namespacePath,
  readSysctl,
  withNamespace,
  writeSysctl,
} from '../index.ts';
import { OwnNamespace, thrownBy } from './lab.ts';

const current = (): string => readlinkSync('/proc/thread-self/ns/net');
const ip = (...words: string[]): string => {
  const { status, stdout, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
};

test('a namespace made here is one for ip netns, and the other way round', () => {
  const name = `tun-tap-ip-${process.pid}`;
  const before = current();
  expect(createNamespace(name)).toBe(`/run/netns/${name}`);
  expect(current()).toBe(before);
  expect(ip('netns', 'list')).toContain(name);
  expect(ip('netns', 'exec', name, 'ip', '-o', 'link')).toMatch(/^1: lo/);
  ip('netns', 'delete', name);
  expect(listNamespaces()).not.toContain(name);
  ip('netns', 'add', name);
  expect(listNamespaces()).toContain(name);
  expect(deleteNamespace(name)).toBe(true);
  expect(ip('netns', 'list')).not.toContain(name);
  expect(deleteNamespace(name)).toBe(false);
});

test('a name in use is refused, and the namespace of that name unharmed', () => {
  using own = new OwnNamespace();
  expect(thrownBy(() => createNamespace(own.name)).code).toBe('EEXIST');
  expect(link.list(own.name).map(({ name }) => name)).toEqual(['lo']);
});

test('code runs inside and comes back, also by an exception, also when nested', () => {
  using a = new OwnNamespace();
  using b = new OwnNamespace();
  const home = current();
  const [inA, inB, backInA] = withNamespace(a.name, () => [current(), withNamespace(b.name, current), current()]);
  expect(new Set([home, inA, inB]).size).toBe(3);
  expect(backInA).toBe(inA);
  expect(current()).toBe(home);
  expect(() =>
    withNamespace(a.name, () => {
      throw new Error('inside');
    }),
  ).toThrow('inside');
  expect(current()).toBe(home);
});

test('a promise is refused, and the way back is taken all the same', () => {
  using own = new OwnNamespace();
  const home = current();
  expect(() => withNamespace(own.name, async () => 1)).toThrow('must be synchronous');
  expect(current()).toBe(home);
});

test('a namespace may be given by name, path, descriptor and as that of a process', async () => {
  using own = new OwnNamespace();
  const inside = withNamespace(own.name, current);
  const path = namespacePath(own.name);
  expect(withNamespace(path, current)).toBe(inside);
  const descriptor = openSync(path, 'r');
  expect(withNamespace(descriptor, current)).toBe(inside);
  expect(link.list(descriptor).map(({ name }) => name)).toEqual(['lo']);
  closeSync(descriptor);
  const child = withNamespace(own.name, () => spawn('sleep', ['60'], { stdio: 'ignore' }));
  expect(withNamespace(namespacePath(child.pid!), current)).toBe(inside);
  child.kill();
  await once(child, 'exit');
});

test('a child started inside stays there', async () => {
  using own = new OwnNamespace();
  const inside = withNamespace(own.name, current);
  const child = withNamespace(own.name, () => spawn('readlink', ['/proc/self/ns/net']));
  expect((await text(child.stdout)).trim()).toBe(inside);
  expect(spawnSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' }).stdout.trim()).toBe(current());
});

test('a file is not a namespace', () => {
  const refusal = thrownBy(() => withNamespace('/etc/hostname', () => 1));
  expect(refusal.code).toBe('EINVAL');
  expect(refusal.message).toContain('Not a network namespace');
});

test('a setting is written in the namespace named, and in no other', () => {
  using a = new OwnNamespace({ ipv6: true });
  using b = new OwnNamespace({ ipv6: true });
  const [key, path] = ['net.ipv6.conf.all.forwarding', '/proc/sys/net/ipv6/conf/all/forwarding'];
  const before = readFileSync(path, 'utf8');
  const opposite = before.trim() === '1' ? '0' : '1';
  writeSysctl(a.name, key, opposite);
  writeSysctl(b.name, key, before.trim());
  expect([readSysctl(a.name, key), readSysctl(b.name, key)]).toEqual([opposite, before.trim()]);
  expect(readFileSync(path, 'utf8')).toBe(before);
  expect(ip('netns', 'exec', a.name, 'sysctl', '-n', key).trim()).toBe(opposite);
});

test('the settings of a device are those of the namespace it lives in', () => {
  using own = new OwnNamespace({ ipv6: true });
  link.createBridge({ name: 'br0.5', namespace: own.name });
  writeSysctl(own.name, 'net/ipv6/conf/br0.5/accept_dad', 0);
  expect(readSysctl(own.name, 'net.ipv6.conf.br0/5.accept_dad')).toBe('0');
  expect(thrownBy(() => readSysctl(own.name, 'net.ipv6.conf.nope.mtu')).message).toMatch(
    /^read sysctl net\.ipv6\.conf\.nope\.mtu in namespace tun-tap-.*ENOENT/,
  );
});

test('a socket bound inside hears nothing from outside', async () => {
  using own = new OwnNamespace();
  link.setUp('lo', own.name);
  const socket = createSocket('udp4');
  withNamespace(own.name, () => socket.bind({ port: 0, address: '127.0.0.1', exclusive: true }));
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  expect(port).toBeGreaterThan(0);
});
