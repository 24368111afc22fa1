/** kame-node on a TAP device in a namespace of its own, judged by Linux and by tools of others. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNamespace, deleteNamespace, link, withNamespace, writeSysctl } from 'tun-tap';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node-image/bin');
const NAMESPACE = `kame-node-${process.pid}`;

let folder: string;
const running = new Set<ChildProcess>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kame-node-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  await Promise.all([...running].map((child) => ended(child, 'SIGKILL')));
  try {
    deleteNamespace(NAMESPACE);
  } catch {
    // this test had none
  }
});

function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode);
    child.once('exit', (code) => resolve(code));
    if (signal !== undefined) child.kill(signal);
  });
}

interface Started {
  readonly child: ChildProcess;
  readonly socket: string;
  /** What it printed when ready; undefined if it ended instead. */
  readonly ready: Record<string, unknown> | undefined;
  stderr: string;
}

async function start(config: string, ...options: string[]): Promise<Started> {
  const socket = join(folder, 'node.sock');
  const file = join(folder, 'node.yaml');
  writeFileSync(file, config);
  const argv = ['--control', socket, '--config', file, ...options];
  const child = withNamespace(NAMESPACE, () =>
    spawn(join(BIN, 'kame-node'), argv, { stdio: ['pipe', 'pipe', 'pipe'] }),
  );
  running.add(child);
  child.once('exit', () => running.delete(child));
  const started: { -readonly [K in keyof Started]: Started[K] } = { child, socket, ready: undefined, stderr: '' };
  child.stderr!.on('data', (text) => {
    started.stderr += text;
  });
  started.ready = await new Promise((resolve) => {
    child.stdout!.once('data', (line) => resolve(JSON.parse(String(line))));
    child.once('close', () => resolve(undefined));
  });
  return started;
}

/** Runs a tool of the node from a shell, as an administrator does. */
function tool(node: Started, line: string, options: { cwd?: string; input?: string } = {}) {
  const env = { ...process.env, KAME_NODE: node.socket, PATH: `${BIN}:${process.env['PATH']}` };
  const ran = spawnSync('/bin/sh', ['-c', line], { env, encoding: 'utf8', timeout: 30_000, ...options });
  return { out: ran.stdout, error: ran.stderr, code: ran.status };
}

const linux = (...argv: string[]): string =>
  execFileSync('ip', ['netns', 'exec', NAMESPACE, ...argv], { encoding: 'utf8', timeout: 30_000 });

async function until(check: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !check() && performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(check()).toBe(true);
}

/** A node at 2001:db8::1 and Linux at 2001:db8::2, detection done. */
async function besideLinux(fields = '', options: string[] = []): Promise<Started> {
  createNamespace(NAMESPACE);
  writeSysctl(NAMESPACE, 'net.ipv6.conf.default.accept_ra', 0);
  const node = await start(
    `
hostname: a
interfaces:
  - name: tap0
    mac: "02:00:00:00:00:01"
    addresses: ["2001:db8::1/64"]
    ${fields}`,
    ...options,
  );
  expect(node.ready, node.stderr).toMatchObject({ ready: true, interfaces: ['tap0'] });
  link.addAddress({ device: 'tap0', namespace: NAMESPACE, address: '2001:db8::2', prefixLength: 64, noDad: true });
  link.setUp('tap0', NAMESPACE);
  await until(() => !/tentative/.test(tool(node, 'ifconfig tap0').out));
  return node;
}

describe('kame-node beside Linux', () => {
  test('answers ping, and its own ping6 reaches Linux', async () => {
    const node = await besideLinux();
    expect(linux('ping', '-n', '-c', '3', '-i', '0.2', '2001:db8::1')).toContain('3 received, 0% packet loss');
    const ran = tool(node, 'ping6 -c 3 -i 0.2 2001:db8::2');
    expect(ran.out).toContain('3 packets transmitted, 3 packets received, 0.0% packet loss');
    expect(ran.code).toBe(0);
    expect(tool(node, 'ndp -an').out).toMatch(/^2001:db8::2 .* tap0 /m);
    expect(linux('ip', '-6', 'neigh', 'show', '2001:db8::1')).toContain('02:00:00:00:00:01');
  });

  test('ND-01 ndisc6 resolves it', async () => {
    await besideLinux();
    expect(linux('ndisc6', '-q', '2001:db8::1', 'tap0').trim().toUpperCase()).toBe('02:00:00:00:00:01');
    expect(linux('ndisc6', '-q', 'fe80::ff:fe00:1', 'tap0').trim().toUpperCase()).toBe('02:00:00:00:00:01');
  });

  test('fragments are put together and made, both ways', async () => {
    const node = await besideLinux();
    expect(linux('ping', '-n', '-c', '2', '-i', '0.2', '-s', '5000', '2001:db8::1')).toContain('2 received');
    expect(tool(node, 'ping6 -c 2 -i 0.2 -s 5000 2001:db8::2').code).toBe(0);
  });

  test('offload: large segments and unfinished checksums cross the device, small traffic works as ever', async () => {
    const node = await besideLinux('offload: true');
    expect(linux('ping', '-n', '-c', '2', '-i', '0.2', '-s', '5000', '2001:db8::1')).toContain('2 received');
    expect(tool(node, 'ping6 -c 2 -i 0.2 2001:db8::2').code).toBe(0);
    // a port nobody listens on: Linux leaves the checksum to the device, and the error proves that we took it
    const probe = tool(node, `ip netns exec ${NAMESPACE} traceroute -6 -n -q 1 -w 1 2001:db8::1`);
    expect(probe.out).toMatch(/^ 1 {2}2001:db8::1 /m);
    expect(tool(node, 'traceroute6 -n -q 1 2001:db8::2').out).toMatch(/^ 1 {2}2001:db8::2 /m);
  });

  test('a TUN device is a point-to-point link', async () => {
    createNamespace(NAMESPACE);
    const node = await start(`
interfaces: [{ name: tun0, mode: tun, addresses: [{ address: "2001:db8::1/128", destination: "2001:db8::2" }] }]`);
    link.addAddress({ device: 'tun0', namespace: NAMESPACE, address: '2001:db8::2', prefixLength: 64, noDad: true });
    link.setUp('tun0', NAMESPACE);
    await until(() => !/tentative/.test(tool(node, 'ifconfig tun0').out));
    expect(tool(node, 'ifconfig tun0').out).toMatch(
      /<UP,POINTOPOINT,RUNNING,MULTICAST>.*\n.*inet6 2001:db8::1 --> 2001:db8::2/,
    );
    expect(linux('ping', '-n', '-c', '2', '-i', '0.2', '2001:db8::1')).toContain('2 received');
  });

  test('ND-05 a duplicate is marked and logged once, and not used', async () => {
    const node = await besideLinux();
    tool(node, 'ifconfig tap0 inet6 2001:db8::2 prefixlen 64 alias');
    await until(() => /2001:db8::2 prefixlen 64 duplicated/.test(tool(node, 'ifconfig tap0').out));
    await until(() => node.stderr !== '');
    expect(node.stderr.match(/DAD detected duplicate IPv6 address 2001:db8::2/g)).toHaveLength(1);
    expect(tool(node, 'ping6 -c 1 -S 2001:db8::2 2001:db8::2').code).toBe(1);
    expect(linux('ping', '-n', '-c', '1', 'fe80::ff:fe00:1%tap0')).toContain('1 received');
  });

  test('ND-08 carrier follows the kernel side, and detection waits for it', async () => {
    createNamespace(NAMESPACE);
    const node = await start('interfaces: [{ name: tap0, mac: "02:00:00:00:00:01", addresses: ["2001:db8::1/64"] }]');
    expect(tool(node, 'ifconfig tap0').out).toContain('status: no carrier\n');
    expect(JSON.parse(tool(node, 'nodestate').out).counters.nd6.dadStarted).toBe(0);
    link.setUp('tap0', NAMESPACE);
    await until(() => /status: active/.test(tool(node, 'ifconfig tap0').out));
    await until(() => /2001:db8::1 prefixlen 64\n/.test(tool(node, 'ifconfig tap0').out));
    link.setDown('tap0', NAMESPACE);
    await until(() => /status: no carrier/.test(tool(node, 'ifconfig tap0').out));
  });

  test('--hold waits for the word that links are in place', async () => {
    createNamespace(NAMESPACE);
    const node = await start('interfaces: [{ name: tap0, mac: "02:00:00:00:00:01" }]', '--hold');
    link.setUp('tap0', NAMESPACE);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(tool(node, 'ifconfig tap0').out).toContain('status: no carrier\n');
    expect(await ask(node, { connected: true })).toEqual([{ connected: true }]);
    expect(tool(node, 'ifconfig tap0').out).toContain('status: active\n');
  });
});

describe('the control socket', () => {
  test('serves state, program names and events; says what it does not understand', async () => {
    const node = await besideLinux();
    const [{ programs }] = (await ask(node, { programs: true })) as [{ programs: string[] }];
    expect(programs).toContain('ndp');
    const [{ state }] = (await ask(node, { state: true })) as [{ state: { hostname: string } }];
    expect(state.hostname).toBe('a');
    expect(await ask(node, { nonsense: 1 })).toEqual([{ failed: expect.stringContaining('no request of these') }]);
    const events: { event: { type: string; time: number } }[] = [];
    const socket = connect(node.socket);
    socket.setEncoding('utf8').on('data', (text) => {
      for (const line of String(text).trim().split('\n')) events.push(JSON.parse(line));
    });
    socket.write('{"events":true}\n');
    await ask(node, { programs: true }); // one after the other: now it listens
    tool(node, 'ping6 -c 1 2001:db8::2');
    await until(() => events.some(({ event }) => event.type === 'neighbor'));
    expect(Math.abs(events[0]!.event.time - Date.now())).toBeLessThan(10_000);
    socket.destroy();
  });

  test('tools work from any folder, with input, and through pipes that close early', async () => {
    const node = await besideLinux();
    expect(tool(node, 'ifconfig -l', { cwd: '/' }).out).toBe('lo0 tap0\n');
    expect(tool(node, 'netstat -s | head -1').out).toBe('ip6:\n');
    expect(tool(node, 'sysctl net.inet6.ip6.bogus').code).toBe(1);
    expect(tool(node, 'ping6 -c 1 -W 0.3 2001:db8::99').code).toBe(2);
  });

  test('Ctrl-C reaches the program, whose statistics still come', async () => {
    const node = await besideLinux();
    const ran = tool(node, 'timeout -s INT 0.8 ping6 -i 0.2 2001:db8::2');
    expect(ran.out).toMatch(/packets transmitted, [1-9]\d* packets received/);
  });

  test('a client that is killed takes its program along', async () => {
    const node = await besideLinux();
    tool(node, 'timeout -s KILL 0.6 ping6 -q -i 0.1 2001:db8::2');
    const sent = (): number => JSON.parse(tool(node, 'nodestate').out).icmp6Out['128'];
    const before = sent();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(sent()).toBe(before);
  });

  test('without a node the tools say so', async () => {
    const env = (value: string | undefined) => ({ ...process.env, KAME_NODE: value });
    const unset = spawnSync(join(BIN, 'ndp'), ['-a'], { env: env(undefined), encoding: 'utf8' });
    expect([unset.status, unset.stderr]).toEqual([126, expect.stringContaining('KAME_NODE is not set')]);
    const none = spawnSync(join(BIN, 'ndp'), ['-a'], { env: env('/tmp/none.sock'), encoding: 'utf8' });
    expect([none.status, none.stderr]).toEqual([126, 'ndp: KAME_NODE=/tmp/none.sock: no such socket\n']);
  });
});

describe('start and end', () => {
  test('SIGTERM ends it with 0 and leaves neither device nor socket; SIGKILL leaves no device', async () => {
    let node = await besideLinux();
    expect(await ended(node.child, 'SIGTERM')).toBe(0);
    expect(existsSync(node.socket)).toBe(false);
    expect(link.list(NAMESPACE).map(({ name }) => name)).toEqual(['lo']);
    node = await start('interfaces: [{ name: tap0 }]');
    await ended(node.child, 'SIGKILL');
    await until(() => link.list(NAMESPACE).length === 1);
    node = await start('interfaces: [{ name: tap0 }]');
    expect(node.ready).toMatchObject({ ready: true });
  });

  test('--die-with-stdin ends it when whoever started it is gone', async () => {
    createNamespace(NAMESPACE);
    const node = await start('{}', '--die-with-stdin');
    node.child.stdin!.end();
    expect(await ended(node.child)).toBe(0);
  });

  test('commands run in order at the start; the first that fails ends it with 1', async () => {
    createNamespace(NAMESPACE);
    const good = await start('commands: ["sysctl kern.hostname=x", "route add 2001:db8:5::/48 ::1 -reject"]');
    expect(tool(good, 'hostname').out).toBe('x\n');
    await ended(good.child, 'SIGTERM');
    const bad = await start('commands: ["sysctl bogus=1"]');
    expect(bad.ready).toBeUndefined();
    expect(await ended(bad.child)).toBe(1);
    expect(bad.stderr).toContain("'sysctl bogus=1' ended with 1: sysctl: unknown name 'bogus'");
  });

  test('a control socket that another node listens on is left to it', async () => {
    createNamespace(NAMESPACE);
    const first = await start('{}');
    const second = await start('{}');
    expect(await ended(second.child)).toBe(1);
    expect(second.stderr).toMatch(/^kame-node: --control .*: another node listens there$/m);
    expect(tool(first, 'ifconfig -l').out).toBe('lo0\n');
  });

  test('a device that cannot be had ends it with 1 and a reason', async () => {
    createNamespace(NAMESPACE);
    link.createBridge({ name: 'br0', namespace: NAMESPACE });
    const node = await start('interfaces: [{ name: tap0, device: br0 }]');
    expect(await ended(node.child)).toBe(1);
    expect(node.stderr).toMatch(/^kame-node: open TAP br0: /);
  });
});

test('the commands of README.md do what they say', () => {
  const script = /```sh\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'node-image/README.md'), 'utf8'))![1]!;
  // namespaces of this run's own, whatever else runs here
  const own = script
    .replaceAll(/(netns (?:add |exec |delete )?| -n )(kame|linux)\b/g, `$1$2-${process.pid}`)
    .replaceAll('/tmp/kame.', `${folder}/kame.`);
  const argv = ['-e', '-c', `trap 'kill $! 2>/dev/null || true' EXIT\n${own}`];
  const ran = spawnSync('bash', argv, { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
  for (const name of ['kame', 'linux']) spawnSync('ip', ['netns', 'delete', `${name}-${process.pid}`]);
  expect(ran.status, ran.stderr).toBe(0);
  expect(ran.stdout).toContain('3 received, 0% packet loss');
  expect(ran.stdout).toContain('3 packets transmitted, 3 packets received, 0.0% packet loss');
  expect(ran.stdout).toMatch(/^2001:db8::2 .* tap0 /m);
});

/** One request, and all lines of the answer. */
function ask(node: Started, request: object): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(node.socket);
    socket.setEncoding('utf8').on('data', (more) => {
      text += more;
    });
    socket.on('error', reject);
    socket.on('close', () =>
      resolve(
        text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ),
    );
    socket.write(`${JSON.stringify(request)}\n`);
  });
}
