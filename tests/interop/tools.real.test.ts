/**
 * The programs that people point at an IPv6 node, pointed at kame nodes: ping, ndisc6, tracert6, traceroute, ip neigh; and the kame
 * node's own, pointed at the Linux kernel. Over TAP, TAP with offload, and TUN.
 */
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { link } from 'tun-tap';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KameProcess } from './kame-process.ts';
import { LinuxHost } from './linux-host.ts';

const able = process.getuid?.() === 0 && existsSync('/dev/net/tun');

const KAME = '2001:db8:1::1';
const LINUX = '2001:db8:1::2';
const MAC = '02:00:5e:00:03:01';
const LINK_LOCAL = 'fe80::5eff:fe00:301';
/** Bytes of data: none, the usual, what just fits a packet, some fragments, nearly all that fragments can carry. */
const SIZES = [0, 56, 1452, 8000, 60_000];

describe.runIf(able).each([
  ['tap', { mode: 'tap', mac: MAC }],
  ['tap with offload', { mode: 'tap', mac: MAC, offload: true }],
  ['tun', { mode: 'tun' }],
] as const)('between a kame node and Linux over %s', (name, how) => {
  const device = how.mode;
  let linux: LinuxHost;
  let kame: KameProcess;

  beforeAll(async () => {
    linux = new LinuxHost(`interop-tools-${process.pid}`);
    const config = {
      sysctls: { 'net.inet6.ip6.dad_count': 0 },
      interfaces: [{ name: device, ...how, addresses: [`${KAME}/64`] }],
    };
    kame = await KameProcess.start({ namespace: linux.namespace, config, hold: true });
    linux.up(device, `${LINUX}/64`);
    await kame.connected();
  });

  afterAll(async () => {
    await kame?.end();
    linux?.end();
  });

  test.each(SIZES)('IC-05 Linux pings with %d bytes', async (size) => {
    const said = await linux.output(`ping -c 3 -i 0.01 -W 2 -s ${size} ${KAME}`);
    expect(said).toMatch(/3 packets transmitted, 3 received, 0% packet loss/);
    expect(said).not.toMatch(/wrong data|DUP/);
  });

  test.each(SIZES)('IC-05 IP-04 kame pings with %d bytes', async (size) => {
    const said = await kame.output(`ping6 -c 3 -i 0.01 -s ${size} ${LINUX}`);
    expect(said).toMatch(/3 packets transmitted, 3 packets received, 0(\.0)?% packet loss/);
    expect(said).not.toMatch(/wrong data|DUP/i);
  });

  test('IP-17 both ping all nodes of the link', async () => {
    const { addresses } = (await kame.state()).interfaces.find((one) => one.name === device)!;
    const own = addresses.find(({ address }) => address.startsWith('fe80:'))!.address;
    expect(await linux.output(`ping -c 2 -i 0.01 -W 2 ff02::1%${device}`)).toContain(`from ${own}%${device}`);
    const said = await kame.output(`ping6 -c 1 -X 2 ff02::1%${device}`);
    const theirs = (await linux.output(`ip -6 -o addr show dev ${device} scope link`)).match(/fe80:[0-9a-f:]+/)![0];
    expect(said).toContain(`${theirs}%${device}`);
  });

  test('IC-01 kame traces a route to Linux by its port unreachable', async () => {
    const said = await kame.output(`traceroute6 -n -q 1 -w 2 ${LINUX}`);
    expect(said).toMatch(new RegExp(`^ ?1  ${LINUX}  [\\d.]+ ms$`, 'm'));
  });

  test.each(['traceroute -6 -n -q 1 -w 2', 'tracert6 -n -q 1 -w 2', 'traceroute -6 -I -n -q 1 -w 2'])(
    'IC-01 Linux traces a route to kame: %s',
    async (command) => {
      expect(await linux.output(`${command} ${KAME}`)).toMatch(new RegExp(`^ *1 +${KAME} `, 'm'));
    },
  );

  test.runIf(name !== 'tun')(
    'ND-01 RQ-02 ndisc6 gets the MAC of both addresses, and none of an absent one',
    async () => {
      for (const address of [KAME, LINK_LOCAL]) {
        const said = await linux.output(`ndisc6 -r 1 ${address} ${device}`);
        expect(said).toContain(`Target link-layer address: ${MAC.toUpperCase()}`);
        expect(said).toMatch(/from (fe80|2001)/);
      }
      expect((await linux.run(`ndisc6 -1 -r 1 -w 200 2001:db8:1::77 ${device}`)).code).not.toBe(0);
    },
  );

  test.runIf(name !== 'tun')('ND-02 Linux finds kame REACHABLE, again after it was STALE', async () => {
    const set = (key: string, value: number) => linux.sysctl(`neigh.${device}.${key}`, value);
    set('base_reachable_time_ms', 200);
    set('delay_first_probe_time', 1);
    await linux.output(`ip -6 neigh flush dev ${device}`);
    await linux.output(`ping -c 1 -W 2 ${KAME}`);
    expect(await linux.neighbor(KAME, device)).toBe('REACHABLE');
    while ((await linux.neighbor(KAME, device)) === 'REACHABLE') await pause(20);
    const before = (await kame.state()).counters.nd6.advertisementsSent;
    await linux.output(`ping -c 1 -W 2 ${KAME}`);
    while ((await linux.neighbor(KAME, device)) !== 'REACHABLE') await pause(20);
    expect((await kame.state()).counters.nd6.advertisementsSent).toBeGreaterThan(before);
    expect(await linux.output(`ip -6 neigh show ${KAME} dev ${device}`)).toContain(`lladdr ${MAC}`);
  });

  test.runIf(name !== 'tun')("ND-14 kame's neighbor table has Linux with its MAC, reachable", async () => {
    await kame.output('ndp -c');
    await kame.output(`ping6 -c 1 ${LINUX}`);
    const { mac } = link.get(device, linux.namespace);
    const short = mac!.replace(/(^|:)0/g, '$1');
    const line = (await kame.output('ndp -an')).split('\n').find((text) => text.startsWith(`${LINUX} `));
    expect(line).toMatch(new RegExp(`^${LINUX} +${short} +${device} +\\S+ +R`));
  });

  test('IP-04 IP-09 every packet arrived once: nothing was dropped on the way', async () => {
    const { counters } = await kame.state();
    for (const name of [
      'fragmentsDropped',
      'fragmentsOverflow',
      'fragmentsOverlap',
      'tooShort',
      'internalError',
    ] as const) {
      expect(counters.ip6[name], name).toBe(0);
    }
    expect(counters.icmp6.badChecksum).toBe(0);
  });
});

describe.runIf(able)('through a kame router between two Linux hosts', () => {
  const FAR = '2001:db8:2::2';
  let left: LinuxHost;
  let right: LinuxHost;
  let router: KameProcess;

  beforeAll(async () => {
    left = new LinuxHost(`interop-left-${process.pid}`);
    right = new LinuxHost(`interop-right-${process.pid}`);
    const config = {
      sysctls: { 'net.inet6.ip6.dad_count': 0, 'net.inet6.ip6.forwarding': 1 },
      interfaces: [
        { name: 'left', addresses: [`${KAME}/64`] },
        { name: 'right', addresses: ['2001:db8:2::1/64'], mtu: 1400 },
      ],
      routes: [{ to: '2001:db8:9::/48', via: '2001:db8:2::99' }],
      commands: ['ndp -i right retrans=200'],
    };
    router = await KameProcess.start({ namespace: left.namespace, config, hold: true });
    link.move('right', left.namespace, right.namespace);
    link.setMtu('right', 1400, right.namespace);
    left.up('left', `${LINUX}/64`);
    right.up('right', `${FAR}/64`);
    link.addRoute({ namespace: left.namespace, destination: 'default', via: KAME });
    link.addRoute({ namespace: right.namespace, destination: 'default', via: '2001:db8:2::1' });
    await router.connected();
  });

  afterAll(async () => {
    await router?.end();
    left?.end();
    right?.end();
  });

  test('IP-09 IP-03 Linux learns the path MTU from it, and then gets through with any size', async () => {
    const refused = await left.run(`ping -M do -c 2 -i 0.2 -W 1 -s 1452 ${FAR}`);
    expect(refused.stdout + refused.stderr).toMatch(/mtu[=:] ?1400/);
    for (const size of SIZES) {
      expect(await left.output(`ping -c 2 -i 0.01 -W 2 -s ${size} ${FAR}`)).toMatch(/2 received/);
      expect(await right.output(`ping -c 2 -i 0.01 -W 2 -s ${size} ${LINUX}`)).toMatch(/2 received/);
    }
  });

  test.each([
    'tracert6 -n -q 1 -w 2',
    'tracert6 -I -n -q 1 -w 2',
    'traceroute -6 -n -q 1 -w 2',
    'tcptraceroute6 -n -q 1 -w 2',
  ])('IP-02 %s sees it on the way', async (command) => {
    const said = await left.output(`${command} ${FAR}`);
    expect(said).toMatch(new RegExp(`^ *1 +${KAME} `, 'm'));
    expect(said).toMatch(new RegExp(`^ *2 +${FAR} `, 'm'));
  });

  test('IP-01 no route, and nobody there: Linux hears both', async () => {
    const lost = await left.run('ping -c 1 -W 2 2001:db8:77::1');
    expect(lost.stdout).toMatch(/Destination unreachable: No route/);
    const nobody = await left.run('ping -c 1 -W 2 2001:db8:2::77');
    expect(nobody.stdout).toMatch(/Destination unreachable: Address unreachable/);
  });

  test('ND-13 SC-01 ndisc6 sees the router flag', async () => {
    expect(await left.output(`ndisc6 -r 1 ${KAME} left`)).toMatch(/Target link-layer address/);
    expect(await left.output('ip -6 neigh show dev left')).toMatch(new RegExp(`${KAME} .*router`));
  });
});
