import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { OwnNamespace } from './lab.ts';

const index = JSON.stringify(new URL('../index.ts', import.meta.url).href);

/** What a call says in a process started by another command. */
function saidBy(command: string[], call: string): string {
  const program = `import * as it from ${index}; try { ${call}; console.log('done') } catch (error) { console.log(error.message) }`;
  const words = [...command, process.execPath, '--input-type=module', '-e', program];
  const child = spawnSync(words[0]!, words.slice(1), { encoding: 'utf8' });
  return child.stdout + child.stderr;
}

const WITHOUT_CAPABILITIES = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
const openTap = `it.TunTap.open({ name: 'tap0', mode: 'tap' })`;

test('without /dev/net/tun the message says how to make it', () => {
  const hidden = ['unshare', '--mount', '--net', 'sh', '-c', 'mount -t tmpfs none /dev/net && exec "$@"', 'sh'];
  expect(saidBy(hidden, openTap)).toBe(
    'open TAP tap0: open /dev/net/tun: No such file or directory (ENOENT). The node is missing: ' +
      'mkdir -p /dev/net && mknod /dev/net/tun c 10 200 (in a container: docker run --device /dev/net/tun)\n',
  );
});

test('without capabilities the message names the one that is missing', () => {
  using own = new OwnNamespace();
  const at = `/run/netns/${own.name}`;
  const inside = ['nsenter', `--net=${at}`, ...WITHOUT_CAPABILITIES];
  expect(saidBy(inside, openTap)).toContain('TUNSETIFF: Operation not permitted (EPERM). Needs CAP_NET_ADMIN');
  expect(saidBy(inside, `it.PacketSocket.open({ device: 'lo' })`)).toContain('(EPERM). Needs CAP_NET_RAW');
  expect(saidBy(inside, `it.link.createBridge({ name: 'br0' })`)).toContain('(EPERM). Needs CAP_NET_ADMIN');
  expect(saidBy(inside, `it.link.setFeatures('lo', { gro: false })`)).toContain('(EPERM). Needs CAP_NET_ADMIN');
  expect(saidBy(inside, `it.withNamespace('${own.name}', () => 1)`)).toContain('(EPERM). Needs CAP_SYS_ADMIN');
  expect(saidBy(inside, `it.createNamespace('x${process.pid}')`)).toContain('(EPERM). Needs CAP_SYS_ADMIN');
});
