import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holdTaps, link, withNamespace } from '../index.ts';
import { OwnNamespace, thrownBy } from './lab.ts';

const OPENS_ONE = `
  import { TunTap, link } from ${JSON.stringify(join(import.meta.dirname, '../index.ts'))};
  TunTap.open({ name: 'tap0', mode: 'tap' });
  link.setUp('tap0');
  console.log('open');
  setInterval(() => {}, 1000);`;

test('a held TAP outlives its process with its carrier, and goes when it is let go', async () => {
  using own = new OwnNamespace();
  const child = withNamespace(own.name, () =>
    spawn(process.execPath, ['--input-type=module-typescript', '-e', OPENS_ONE], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  await once(child.stdout, 'data');
  const hold = holdTaps(own.name);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(link.get('tap0', own.name)).toMatchObject({ up: true, carrier: true });
  hold[Symbol.dispose]();
  expect(thrownBy(() => link.get('tap0', own.name)).code).toBe('ENODEV');
});
