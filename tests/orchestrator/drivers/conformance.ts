/** What every driver must do, whichever world it makes: one suite for all. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PingResult } from '#node/peers/peer.ts';
import { adapter } from '#orchestrator/adapters.ts';
import type { DriverName, Frame, Lab, LabLink } from '#orchestrator/drivers/driver.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import { DriverUnderTest, nodeOf } from './driver-under-test.ts';

/** Addresses are used at once, so that no test waits the seconds of duplicate address detection. */
const WITHOUT_DAD = {
  kame: { sysctls: { 'net.inet6.ip6.dad_count': 0 } },
  linux: { sysctls: { 'net.ipv6.conf.default.accept_dad': 0 } },
} satisfies TopologySource['defaults'];

type Source = { -readonly [K in keyof TopologySource]: TopologySource[K] };

/** Two processors stamp frames and queue them in one capture: what lies between, in milliseconds. */
const STAMPING = 0.1;

export async function conformance(name: DriverName): Promise<void> {
  const under = await DriverUnderTest.load(name);
  const title = under.reason === undefined ? `driver ${name}` : `driver ${name} (skipped: ${under.reason})`;
  describe.skipIf(under.reason !== undefined)(title, () => {
    describe('links', () => links(under));
    describe('routers', () => routers(under));
    describe('commands', () => commands(under));
    describe('nodes', () => nodes(under));
    describe('events and time', () => time(under));
    describe('labs', () => labs(under));
  });
}

/** One lab for a group of tests; afterwards nothing of it is left. */
function shared(under: DriverUnderTest, source: Source): { lab: Lab } {
  const held = {} as { lab: Lab };
  beforeAll(async () => {
    held.lab = await under.up(source);
  });
  afterAll(async () => {
    await held.lab.down();
    expect(await under.left(held.lab.id)).toEqual([]);
  });
  return held;
}

/** Every way to fill so many places with the kinds that a driver runs. */
function castings(kinds: readonly string[], places: number): string[][] {
  if (places === 0) return [[]];
  return castings(kinds, places - 1).flatMap((cast) => kinds.map((kind) => [...cast, kind]));
}

const initials = (cast: readonly string[]): string => cast.map((kind) => kind[0]).join('');

// ---- links

/** Nodes k0, k1, k2, l0, ..., joined by a link of every type for every casting of its ends. */
function everyLink(kinds: readonly string[]): Source {
  const nodes: Record<string, { kind: string }> = {};
  for (const kind of kinds) for (const number of [0, 1, 2]) nodes[`${kind[0]}${number}`] = { kind };
  const links: NonNullable<Source['links']> = {};
  let prefix = 0;
  const add = (type: string, cast: readonly string[], link: object): void => {
    prefix++;
    const ends = cast.map((kind, at) => [`${kind[0]}${at}`, { addresses: [`2001:db8:${prefix}::${at + 1}/64`] }]);
    links[`${type}-${initials(cast)}`] = { ...link, ends: Object.fromEntries(ends) } as never;
  };
  for (const cast of castings(kinds, 2)) {
    add('eth', cast, { type: 'p2p', mtu: 1500 });
    add('tun', cast, { type: 'p2p', medium: 'tun', mtu: 1400 });
  }
  // the order of the ends of a LAN means nothing
  for (const cast of castings(kinds, 3).filter((cast) => `${cast}` === `${[...cast].sort()}`)) {
    add('lan', cast, { type: 'lan', mtu: 1280 });
  }
  return { name: 'links', defaults: WITHOUT_DAD, nodes: nodes as never, links };
}

function links(under: DriverUnderTest): void {
  const source = everyLink(under.kinds);
  const names = Object.keys(source.links!);
  const held = shared(under, source);

  test.each(names)(
    '%s: each end reaches the others, and each frame is captured once, in order, from its sender',
    async (name) => {
      const { lab } = held;
      const { ends } = lab.topology.links.find((link) => link.name === name)!;
      const link = lab.links.get(name)!;
      for (const from of ends) {
        for (const to of ends.filter((end) => end !== from)) {
          const since = link.frames.length;
          for (const _ of [1, 2]) {
            const answer = await echo(lab, from.node, to.addresses[0]!.address);
            expect(answer, answer.output + told(link, since)).toMatchObject({ received: 1, errors: [] });
          }
          const echoes = (): Frame[] => link.frames.slice(since).filter(isEcho);
          await lab.until(() => echoes().length >= 4, 2000);
          expect(echoes().map((frame) => `${frame.from} ${frame.decoded.icmp6?.name}`)).toEqual(
            [1, 2].flatMap(() => [`${from.node} echoRequest`, `${to.node} echoReply`]),
          );
        }
      }
      const backwards = link.frames.filter(({ time }, at) => time < (link.frames[at - 1]?.time ?? 0) - STAMPING);
      expect(backwards).toEqual([]);
      expect(link.lost).toBe(0);
    },
  );

  test.each(names)('%s: its MTU holds at every end: what is larger goes in fragments', async (name) => {
    const { lab } = held;
    const link = lab.links.get(name)!;
    const { ends } = lab.topology.links.find((each) => each.name === name)!;
    for (const end of ends) expect(await mtuOf(lab, end.node, end.interface)).toBe(link.mtu);
    const [from, to] = ends;
    const since = link.frames.length;
    const answer = await echo(lab, from!.node, to!.addresses[0]!.address, 2000);
    expect(answer, answer.output).toMatchObject({ sent: 1, received: 1 });
    const fragments = (): Frame[] => link.frames.slice(since).filter(({ decoded }) => decoded.fragment !== undefined);
    await lab.until(() => fragments().length >= 4, 2000);
    expect(fragments()).toHaveLength(4);
    const header = link.medium === 'ethernet' ? 14 : 0;
    for (const { bytes } of link.frames) expect(bytes.length - header).toBeLessThanOrEqual(link.mtu);
  });
}

/** One at a time and with patience: how busy the machine is does not count here. */
const echo = (lab: Lab, from: string, to: string, size = 56): Promise<PingResult> =>
  adapter(nodeOf(lab, from)).ping(to, { size, wait: 10_000 });

/** For whoever reads of a failure. */
const told = (link: LabLink, since: number): string =>
  link.frames
    .slice(since)
    .map(
      ({ time, from, decoded: { ip6, icmp6 } }) =>
        `${time.toFixed(2)} ${from}: ${ip6?.src} > ${ip6?.dst} ${icmp6?.name}\n`,
    )
    .join('');

const isEcho = ({ decoded }: Frame): boolean => /^echo/.test(decoded.icmp6?.name ?? '');

async function mtuOf(lab: Lab, node: string, name: string): Promise<number> {
  const state = await nodeOf(lab, node).state();
  if (state !== undefined) return state.interfaces.find((one) => one.name === name)!.mtu;
  return Number((await nodeOf(lab, node).exec(`cat /sys/class/net/${name}/mtu`)).stdout);
}

// ---- routers

function routers(under: DriverUnderTest): void {
  const chains = under.kinds.map((kind, at) => ({ router: kind, host: under.kinds.at(at - 1)! }));
  const nodes: Record<string, object> = {};
  const links: Record<string, object> = {};
  for (const [at, { router, host }] of chains.entries()) {
    const net = (side: number): string => `2001:db8:${at}${side}`;
    const routes = (side: number) => [{ to: 'default', via: `${net(side)}::1` }];
    nodes[`a${at}`] = { kind: host, routes: routes(1) };
    nodes[`r${at}`] = { kind: router, forwarding: true, routes: [{ to: `${net(9)}::/48`, reject: true }] };
    nodes[`b${at}`] = {
      kind: router,
      routes: routes(2),
      kame: { sysctls: { 'net.inet6.ip6.hlim': 33 } },
      linux: { sysctls: { [`net.ipv6.conf.right${at}.hop_limit`]: 33 } },
    };
    const ends = (side: number, host: string) => ({
      type: 'p2p',
      ends: { [host]: { addresses: [`${net(side)}::2/64`] }, [`r${at}`]: { addresses: [`${net(side)}::1/64`] } },
    });
    links[`left${at}`] = ends(1, `a${at}`);
    links[`right${at}`] = ends(2, `b${at}`);
  }
  const held = shared(under, { name: 'routers', defaults: WITHOUT_DAD, nodes, links } as never);

  test.each(chains.map(({ router }, at) => [router, at] as const))(
    'a %s router forwards by its routes, and what it rejects is answered',
    async (_, at) => {
      const host = adapter(nodeOf(held.lab, `a${at}`));
      const there = await echo(held.lab, `a${at}`, `2001:db8:${at}2::2`);
      expect(there, there.output).toMatchObject({ sent: 1, received: 1 });
      const rejected = await host.ping(`2001:db8:${at}9::2`, { wait: 10_000 });
      expect(rejected).toMatchObject({ received: 0, errors: [expect.stringMatching(/unreachable|reject|no route/i)] });
    },
  );

  test.each(chains.map(({ router }, at) => [router, at] as const))(
    'a sysctl of the topology counts in a %s node, and one set later, too',
    async (kind, at) => {
      const { lab } = held;
      const hopLimits = async (): Promise<number | undefined> => {
        const right = lab.links.get(`right${at}`)!;
        const since = right.frames.length;
        await echo(lab, `b${at}`, `2001:db8:${at}2::1`);
        const request = (): Frame | undefined =>
          right.frames.slice(since).find(({ decoded }) => decoded.icmp6?.name === 'echoRequest');
        await lab.until(() => request() !== undefined, 2000);
        return request()?.decoded.ip6?.hopLimit;
      };
      expect(await hopLimits()).toBe(33);
      const name = kind === 'kame' ? 'net.inet6.ip6.hlim' : `net.ipv6.conf.right${at}.hop_limit`;
      await nodeOf(lab, `b${at}`).sysctl(name, 44);
      expect(await hopLimits()).toBe(44);
    },
  );

  test('a sysctl that is not known is refused', async () => {
    await expect(nodeOf(held.lab, 'a0').sysctl('net.no_such_setting', 1)).rejects.toThrow('net.no_such_setting');
  });
}

// ---- commands

function commands(under: DriverUnderTest): void {
  const kinds = [...under.kinds];
  const nodes = Object.fromEntries(
    kinds.map((kind) => [
      kind,
      { kind, files: { '/etc/kamelab/a.conf': 'one\n', '/etc/b.conf': 'two\n', '/tmp/c': 'three\n' } },
    ]),
  );
  const held = shared(under, { name: 'commands', nodes } as never);
  const shells = under.name === 'sim' ? [] : kinds;
  const exec = (node: string, ...rest: Parameters<ReturnType<typeof nodeOf>['exec']>) =>
    nodeOf(held.lab, node).exec(...rest);

  test.runIf(kinds.includes('kame'))('a tool of a kame node is run by the node, by words or a line', async () => {
    expect(await exec('kame', ['hostname'])).toEqual({ code: 0, stdout: 'kame\n', stderr: '' });
    expect(await exec('kame', 'hostname')).toEqual({ code: 0, stdout: 'kame\n', stderr: '' });
    const wrong = await exec('kame', 'ndp --no-such-flag');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('usage: ndp');
  });

  test.each(kinds)('%s: a command that is not there ends with 127', async (kind) => {
    expect((await exec(kind, ['no-such-command'])).code).toBe(127);
  });

  test.each(kinds)('%s: a command that takes too long ends with 124', async (kind) => {
    const forever = kind === 'kame' ? 'ping6 -i 1 ::1' : 'ping -i 1 ::1';
    const late = await exec(kind, forever, { timeout: 700 });
    expect(late.code).toBe(124);
    expect(late.stdout).toMatch(/^PING/);
    expect(late.stderr).toContain('ended after 700 ms');
  });

  test.each(kinds)('%s: a started command runs on, is heard, and ends when interrupted as by Ctrl-C', async (kind) => {
    const ping = await nodeOf(held.lab, kind).start([kind === 'kame' ? 'ping6' : 'ping', '::1']);
    expect(await held.lab.until(() => ping.stdout.includes('seq=1'), 10_000)).toBe(true);
    ping.interrupt();
    const { code, stdout } = await ping.done;
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('0.0% packet loss'.replace(kind === 'kame' ? '' : '.0', '')),
    ]);
  });

  describe.runIf(shells.length > 0)('of a shell', () => {
    test.each(shells)("%s: exit code, both outputs and standard input are the command's own", async (kind) => {
      const line = 'read word; echo "got $word"; echo bad >&2; exit 3';
      expect(await exec(kind, line, { input: 'ünï\n' })).toEqual({ code: 3, stdout: 'got ünï\n', stderr: 'bad\n' });
      expect(await exec(kind, ['cat'], { input: 'x'.repeat(100_000) })).toMatchObject({ stdout: 'x'.repeat(100_000) });
      expect(await exec(kind, ['printf', '%s|', 'a b', '$HOME', ''])).toMatchObject({ code: 0, stdout: 'a b|$HOME||' });
    });

    test.each(shells)('%s: without input, standard input is at its end', async (kind) => {
      expect(await exec(kind, 'cat; echo end')).toEqual({ code: 0, stdout: 'end\n', stderr: '' });
    });

    test.each(shells)('%s: a command that a signal ended has 128 and its number', async (kind) => {
      expect((await exec(kind, 'kill -TERM $$')).code).toBe(143);
    });

    test.each(shells)('%s: after its time a command is ended with all that it started', async (kind) => {
      const late = await exec(kind, 'echo on; sleep 1234.5 & sleep 1234.5; true', { timeout: 300 });
      expect(late).toMatchObject({ code: 124, stdout: 'on\n' });
    });

    test.each(shells)('%s: files of the topology are there, and the others around them', async (kind) => {
      const read = await exec(
        kind,
        'cat /etc/kamelab/a.conf /etc/b.conf /tmp/c /etc/hostname >/dev/null && cat /etc/kamelab/a.conf /etc/b.conf /tmp/c',
      );
      expect(read).toEqual({ code: 0, stdout: 'one\ntwo\nthree\n', stderr: '' });
    });

    test.runIf(shells.includes('kame'))('a tool of a kame node is found by a shell there, too', async () => {
      expect(await exec('kame', 'hostname | tr a-z A-Z')).toMatchObject({ code: 0, stdout: 'KAME\n' });
    });
  });
}

// ---- nodes

function nodes(under: DriverUnderTest): void {
  const pairs = castings(under.kinds, 2);
  const names = pairs.map(initials);
  const source: Source = {
    name: 'nodes',
    defaults: WITHOUT_DAD,
    nodes: Object.fromEntries(
      pairs.flatMap((cast) => cast.map((kind, at) => [`${initials(cast)}${at}`, { kind }])),
    ) as never,
    links: Object.fromEntries(
      pairs.map((cast, number) => [
        initials(cast),
        {
          type: 'p2p' as const,
          ends: Object.fromEntries(
            cast.map((_, at) => [`${initials(cast)}${at}`, { addresses: [`2001:db8:${number}::${at + 1}/64`] }]),
          ),
        },
      ]),
    ),
  };
  const held = shared(under, source);
  const addressOf = (pair: string, at: number): string => `2001:db8:${names.indexOf(pair)}::${at + 1}`;

  test.runIf(under.name !== 'sim').each(names.filter((pair) => pair.startsWith('k')))(
    '%s: the first, paused, answers nothing; resumed, it does',
    async (pair) => {
      const { lab } = held;
      const other = adapter(nodeOf(lab, `${pair}1`));
      await nodeOf(lab, `${pair}0`).pause();
      expect(await other.ping(addressOf(pair, 0), { wait: 500 })).toMatchObject({ sent: 1, received: 0 });
      await nodeOf(lab, `${pair}0`).resume();
      await expect.poll(async () => (await other.ping(addressOf(pair, 0))).received, { timeout: 20_000 }).toBe(1);
    },
  );

  test.each(names)('%s: the first, killed, says nothing more; the link and the other node stay', async (pair) => {
    const { lab } = held;
    const link = lab.links.get(pair)!;
    const [dead, other] = [nodeOf(lab, `${pair}0`), nodeOf(lab, `${pair}1`)];
    expect(await echo(lab, other.name, addressOf(pair, 0))).toMatchObject({ received: 1 });
    const before = lab.now;
    await dead.kill();
    const since = lab.now;
    const unanswered = await adapter(other).ping(addressOf(pair, 0), { count: 2, interval: 200, wait: 500 });
    expect(unanswered, unanswered.output).toMatchObject({ received: 0 });
    const after = (time: number): readonly Frame[] => link.frames.filter((frame) => frame.time >= time);
    expect(after(since).filter(({ from }) => from === dead.name)).toEqual([]);
    expect(after(before).some(({ from }) => from === other.name)).toBe(true);
    expect(await isRunning(lab, other.name, pair)).toBe(true);
    await expect(dead.exec(['true'])).rejects.toThrow(`${pair}0 was killed`);
    expect(await nodeOf(lab, `${pair}1`).log()).toEqual(expect.any(String));
  });
}

async function isRunning(lab: Lab, node: string, name: string): Promise<boolean> {
  const state = await nodeOf(lab, node).state();
  if (state !== undefined) return state.interfaces.find((one) => one.name === name)!.running;
  return (await nodeOf(lab, node).exec(`cat /sys/class/net/${name}/carrier`)).stdout === '1\n';
}

// ---- events and time

function time(under: DriverUnderTest): void {
  const kind = under.kinds.includes('linux') ? 'linux' : 'kame';
  const held = shared(under, {
    name: 'time',
    nodes: { a: { kind: 'kame' }, b: { kind: kind as 'kame' } },
    links: {
      ab: { type: 'p2p', ends: { a: { addresses: ['2001:db8::1/64'] }, b: { addresses: ['2001:db8::2/64'] } } },
    },
  });

  test('a kame node tells of duplicate address detection and neighbors, at the times that the frames show', async () => {
    const { lab } = held;
    const dad = (result: string) =>
      lab.events.find(
        (event) => event.type === 'dad' && event['address'] === '2001:db8::1' && event['result'] === result,
      );
    expect(await lab.until(() => dad('unique') !== undefined, 10_000)).toBe(true);
    expect(dad('unique')!.time - dad('started')!.time).toBeGreaterThanOrEqual(1000 - 1);
    const probe = lab.links
      .get('ab')!
      .frames.find(
        ({ decoded }) =>
          decoded.ip6?.src === '::' &&
          decoded.ip6.dst === 'ff02::1:ff00:1' &&
          decoded.icmp6?.name === 'neighborSolicitation',
      )!;
    expect(probe.from).toBe('a');
    expect(dad('unique')!.time - probe.time).toBeGreaterThanOrEqual(1000 - 1);
    expect(dad('unique')!.time - probe.time).toBeLessThan(1000 + lab.tolerance + 1);
    await adapter(nodeOf(lab, 'a')).ping('2001:db8::2', { count: 3, wait: 5000 });
    const known = () => lab.events.find(({ type, node }) => type === 'neighbor' && node === 'a');
    expect(await lab.until(() => known() !== undefined, 3000)).toBe(true);
    expect(known()!.time).toBeGreaterThanOrEqual(dad('unique')!.time);
    expect(known()!.time).toBeLessThanOrEqual(lab.now);
    const times = lab.events.map((event) => event.time);
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });

  test("sleep takes as long as it says by the lab's clock, which starts at 0", async () => {
    const { lab } = held;
    const before = lab.now;
    await lab.sleep(100);
    expect(lab.now - before).toBeGreaterThanOrEqual(100 - 1);
    expect(lab.now - before).toBeLessThanOrEqual(100 + lab.tolerance + (under.name === 'sim' ? 0 : 2000));
    expect(lab.epoch).toBeGreaterThan(Date.UTC(2001, 0));
  });

  test('until: true at once, true on what comes, false after its time', async () => {
    const { lab } = held;
    const before = lab.now;
    expect(await lab.until(() => true, 1000)).toBe(true);
    if (under.name === 'sim') expect(lab.now).toBe(before);
    const seen = lab.links.get('ab')!.frames.length;
    const ping = nodeOf(lab, 'a').start(['ping6', '-c', '1', '2001:db8::2']);
    expect(await lab.until(() => lab.links.get('ab')!.frames.length > seen, 5000)).toBe(true);
    await (await ping).done;
    expect(await lab.until(() => false, 50)).toBe(false);
  });

  test('until ends with what its check throws, and others wait on', async () => {
    const { lab } = held;
    const other = lab.until(() => false, 200);
    const failing = lab.until(() => {
      throw new Error('no');
    }, 100);
    await expect(failing).rejects.toThrow('no');
    expect(await other).toBe(false);
  });

  test('who waits when the lab goes down is told, and so is who comes later', async () => {
    const lab = await under.up({ name: 'short', nodes: { a: { kind: 'kame' } } });
    const waiting = expect(lab.sleep(3_600_000)).rejects.toThrow('the lab is down');
    await lab.down();
    await waiting;
    await expect(lab.until(() => true, 10)).rejects.toThrow('the lab is down');
    await lab.down();
  });
}

// ---- labs

/** Ten seconds are too long for a test in real time. */
const LATE_DAEMON = [
  'a daemon is not ready in time',
  { daemons: [{ run: 'ping6 ::1', ready: 'never' }] },
  /^b: .* was not ready in 10 s/,
];

function labs(under: DriverUnderTest): void {
  const kind = under.kinds.at(-1) as 'kame';
  const pair: Source = {
    name: 'pair',
    defaults: WITHOUT_DAD,
    nodes: { a: { kind: 'kame' }, b: { kind } },
    links: {
      ab: { type: 'p2p', ends: { a: { addresses: ['2001:db8::1/64'] }, b: { addresses: ['2001:db8::2/64'] } } },
    },
  };

  test('two of one topology at once do not meet', async () => {
    await using one = await under.up(pair);
    await using other = await under.up(pair);
    await nodeOf(one, 'b').kill();
    expect(await echo(other, 'a', '2001:db8::2')).toMatchObject({ received: 1 });
    expect(await adapter(nodeOf(one, 'a')).ping('2001:db8::2', { wait: 500 })).toMatchObject({ received: 0 });
    await one.down();
    expect(await echo(other, 'a', '2001:db8::2')).toMatchObject({ received: 1 });
  });

  test.runIf(under.name !== 'sim')('a second of the same name is refused, and the first stays as it is', async () => {
    await using first = await under.up(pair);
    await expect(under.up(pair, { id: first.id })).rejects.toThrow(`a lab '${first.id}' is there already`);
    expect(await echo(first, 'a', '2001:db8::2')).toMatchObject({ received: 1 });
  });

  const good = kind === 'kame' ? 'hostname' : 'true';
  const bad = kind === 'kame' ? 'ndp -d 2001:db8::77' : 'sh -c "echo no >&2; exit 4"';
  test.each([
    [
      'a command fails',
      { commands: [good, bad] },
      kind === 'kame' ? /^b: .* ended with 1/ : /^b: .* ended with 4: no$/,
    ],
    [
      'a daemon ends before it is ready',
      { daemons: [{ run: good, ready: 'never' }] },
      /^b: .* ended with 0, and no line matched/,
    ],
    ...(under.name === 'sim' ? [LATE_DAEMON] : []),
  ] as [string, object, RegExp][])(
    'when %s the lab is not built, and nothing is left',
    async (_, settings, message) => {
      const id = under.id();
      const source = { ...pair, nodes: { a: { kind: 'kame' }, b: { kind, ...settings } } } as Source;
      await expect(under.up(source, { id })).rejects.toThrow(message);
      expect(await under.left(id)).toEqual([]);
    },
  );

  test('a daemon is ready when a line of its output says so', async () => {
    const run = kind === 'kame' ? 'ping6 ::1' : "sh -c 'echo first; echo up and running; sleep 1000'";
    const ready = kind === 'kame' ? 'icmp_seq=1' : '^up and';
    await using lab = await under.up({
      ...pair,
      nodes: { a: { kind: 'kame' }, b: { kind, daemons: [{ run, ready }] } },
    });
    expect(lab.nodes.size).toBe(2);
  });

  test('an abort at any step of coming up leaves nothing', async () => {
    const slow = kind === 'kame' ? 'ping6 -c 100 ::1' : 'sleep 100';
    const source = { ...pair, nodes: { a: { kind: 'kame' }, b: { kind, commands: [slow] } } } as Source;
    for (const steps of [0, 1, 2, 3]) {
      const [id, abort] = [under.id(), new AbortController()];
      if (steps === 0) abort.abort(new Error('enough'));
      let step = 0;
      const progress = (): void => {
        if (++step === steps) abort.abort(new Error('enough'));
      };
      await expect(under.up(source, { id, signal: abort.signal, progress })).rejects.toThrow('enough');
      expect(await under.left(id)).toEqual([]);
    }
  });

  test('what is captured is told as it is seen', async () => {
    const told: Frame[] = [];
    const epochs = new Set<number>();
    await using lab = await under.up(pair, {
      onFrame: (frame, epoch) => {
        told.push(frame);
        epochs.add(epoch);
      },
    });
    await echo(lab, 'a', '2001:db8::2');
    const link: LabLink = lab.links.get('ab')!;
    await lab.until(() => link.frames.filter(isEcho).length === 2, 2000);
    expect(told).toEqual(link.frames);
    expect([...epochs]).toEqual([lab.epoch]);
  });

  test.runIf(under.kinds.includes('linux'))("the testbed's side of links says nothing, and has no IPv6", async () => {
    const source: Source = {
      name: 'silent',
      defaults: { kind: 'linux', sysctls: { 'net.ipv6.conf.default.disable_ipv6': 1 } },
      nodes: { a: {}, b: {}, c: {} },
      links: {
        ab: { type: 'p2p', nodes: ['a', 'b'] },
        tun: { type: 'p2p', medium: 'tun', nodes: ['a', 'b'] },
        lan: { type: 'lan', nodes: ['a', 'b', 'c'] },
      },
    };
    await using lab = await under.up(source);
    await lab.sleep(2000);
    expect([...lab.links.values()].flatMap(({ frames }) => frames)).toEqual([]);
    const disabled = await under.ipv6Disabled(lab.id);
    expect(Object.keys(disabled).sort()).toEqual(expect.arrayContaining(['l2', 'l2p0', 'l2p1', 'l2p2', 'lo']));
    expect(new Set(Object.values(disabled))).toEqual(new Set(['1']));
  });

  test.runIf(under.name !== 'sim')(
    'a kind that the driver does not run, and a link that could not stay, are told beforehand',
    async () => {
      await using lab = await under.up(pair);
      const tun = { ...lab.topology, links: lab.topology.links.map((link) => ({ ...link, medium: 'tun' as const })) };
      const linux = { ...tun, nodes: tun.nodes.map((node) => ({ ...node, kind: 'linux' })) };
      expect(under.driver.unsupported(tun, { keep: true })).toBe(undefined);
      expect(under.driver.unsupported(linux, { keep: true })).toMatch(/^ab: packets between two TUN devices/);
      expect(under.driver.unsupported(linux)).toBe(undefined);
      const strange = { ...tun, nodes: tun.nodes.map((node) => ({ ...node, kind: 'mystery' })) };
      expect(under.driver.unsupported(strange)).toBe("a: no implementation of kind 'mystery' is registered");
      const small = {
        ...lab.topology,
        nodes: lab.topology.nodes.map((node) => ({ ...node, limits: { memory: 64 << 20, cpus: 0.5 } })),
      };
      const refusal = under.name === 'docker' ? undefined : 'a: limits need containers; use the docker driver';
      expect(under.driver.unsupported(small)).toBe(refusal);
    },
  );
}
