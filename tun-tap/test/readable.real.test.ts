import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { FrameBatch, link, type NetworkError, PacketSocket, TunTap } from '../index.ts';
import { batchOf, frame, OwnNamespace } from './lab.ts';

const openTap = (namespace: string): TunTap => {
  const tap = TunTap.open({ name: 'tap0', mode: 'tap', namespace });
  link.setUp('tap0', namespace);
  return tap;
};

/** Sends from the kernel's side of the TAP. */
function send(namespace: string, count: number): void {
  using socket = PacketSocket.open({ device: 'tap0', namespace });
  socket.write(batchOf(...Array.from({ length: count }, (_, i) => frame(i))), 0, count);
}

test('the callback comes again for as long as frames wait', async () => {
  using own = new OwnNamespace();
  using tap = openTap(own.name);
  const one = new FrameBatch(1, 2048);
  const seen: number[] = [];
  send(own.name, 3);
  await new Promise<void>((resolve) => {
    tap.onReadable(() => {
      expect(tap.read(one)).toBe(1);
      if (seen.push(one.frame(0)[20]!) === 3) resolve();
    });
  });
  expect(seen).toEqual([0, 1, 2]);
});

test('the last callback set is the one called; none after undefined', async () => {
  using own = new OwnNamespace();
  using tap = openTap(own.name);
  const calls: string[] = [];
  tap.onReadable(() => calls.push('first'));
  await new Promise<void>((resolve) => {
    tap.onReadable(() => {
      calls.push('second');
      tap.onReadable(undefined);
      resolve();
    });
    send(own.name, 1);
  });
  await new Promise(setImmediate);
  expect(calls).toEqual(['second']);
});

test('a device may be closed in its own callback', async () => {
  using own = new OwnNamespace();
  const tap = openTap(own.name);
  send(own.name, 1);
  await new Promise<void>((resolve) => {
    tap.onReadable(() => {
      tap.close();
      resolve();
    });
  });
  expect(tap.closed).toBe(true);
});

test('the callback is told once when the device was removed', async () => {
  using own = new OwnNamespace();
  using tap = openTap(own.name);
  const gone = new Promise<NetworkError | undefined>((resolve) => tap.onReadable(resolve));
  link.remove('tap0', own.name);
  expect((await gone)?.code).toBe('ENODEV');
  expect(() => tap.read(new FrameBatch(1, 64))).toThrow('read tap0: ');
});

/** Runs a program of its own in the namespace; it imports what it needs from the package. */
function run(namespace: string, program: string): { status: number | null; output: string } {
  const source = `
    const { TunTap, FrameBatch, link } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url).href)});
    const tap = TunTap.open({ name: 'tap0', mode: 'tap', namespace: ${JSON.stringify(namespace)} });
    link.setUp('tap0', ${JSON.stringify(namespace)});
    ${program}`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', source], { timeout: 20_000 });
  return { status: child.status, output: child.stdout.toString() + child.stderr.toString() };
}

test('process.exit does not wait for a device that is watched', () => {
  using own = new OwnNamespace();
  expect(run(own.name, `tap.onReadable(() => {}); setImmediate(() => process.exit(7));`)).toEqual({
    status: 7,
    output: '',
  });
});

test('a process ends by itself when its device is unref()d, also before it is watched', () => {
  using own = new OwnNamespace();
  expect(run(own.name, 'tap.unref(); tap.onReadable(() => {});')).toEqual({ status: 0, output: '' });
  expect(run(own.name, 'tap.onReadable(() => {}); tap.unref();')).toEqual({ status: 0, output: '' });
});

test('what a callback throws is an uncaught exception', () => {
  using own = new OwnNamespace();
  const { status, output } = run(
    own.name,
    `tap.onReadable(() => { throw new Error('oops'); }); link.remove('tap0', ${JSON.stringify(own.name)});`,
  );
  expect(status).toBe(1);
  expect(output).toContain('Error: oops');
});

test('a worker that ends while it watches harms nothing', () => {
  using own = new OwnNamespace();
  const index = JSON.stringify(new URL('../index.ts', import.meta.url).href);
  const program = `
    const { Worker } = await import('node:worker_threads');
    const worker = new Worker(\`import(${index}).then(({ TunTap }) => {
      const inner = TunTap.open({ name: 'tap1', mode: 'tap', namespace: '${own.name}' });
      inner.onReadable(() => {});
      process.getBuiltinModule('node:worker_threads').parentPort.postMessage(inner.name);
    })\`, { eval: true });
    worker.once('message', async (name) => console.log(name, await worker.terminate()));`;
  expect(run(own.name, program)).toEqual({ status: 0, output: 'tap1 1\n' });
});
