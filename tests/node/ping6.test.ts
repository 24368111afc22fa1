import { describe, expect, test } from 'vitest';
import { Nodes, pair } from './nodes.ts';

describe('AA-01 ping6', () => {
  test('prints a line for each reply and the statistics of round trips, and ends with 0', async () => {
    const { run } = pair();
    const ran = run('ping6 -c 3 2001:db8::2');
    await expect(ran.out).toMatchFileSnapshot('golden/ping6.golden');
    expect([ran.error, ran.code]).toEqual(['', 0]);
  });

  test('AA-01 without any reply ends with 2, and says why an address could not be reached', async () => {
    const { run } = pair();
    const ran = run('ping6 -c 2 2001:db8::99');
    await expect(ran.out).toMatchFileSnapshot('golden/ping6-unreachable.golden');
    expect(ran.code).toBe(2);
  });

  test('AA-01 a destination without route ends it with 1 before anything is sent', () => {
    const { run } = pair();
    const ran = run('ping6 2001:db9::1');
    expect([ran.error, ran.code]).toEqual(['ping6: 2001:db9::1: No route to host\n', 1]);
  });

  test('SC-08 a link-local address without zone ends it with 1', () => {
    expect(pair().run('ping6 fe80::5').error).toBe('ping6: fe80::5: No route to host\n');
  });

  test('ND-05 -S must be an address of the node that is not a duplicate', () => {
    const { run, nodes } = pair();
    const foreign = run('ping6 -c 1 -S 2001:db8::77 2001:db8::2');
    expect([foreign.error, foreign.code]).toEqual(["ping6: bind: 2001:db8::77: Can't assign requested address\n", 1]);
    run('ifconfig tap0 inet6 2001:db8::2/64');
    nodes.pass(3000);
    expect(run('ping6 -c 1 -S 2001:db8::2 2001:db8::2').code).toBe(1);
  });

  test('AA-01 Ctrl-C prints the statistics so far', () => {
    const { nodes, a } = pair();
    const ran = nodes.start(a, 'ping6 -q 2001:db8::2');
    nodes.pass(3500);
    ran.program.interrupt();
    expect(ran.out).toContain('4 packets transmitted, 4 packets received, 0.0% packet loss');
    expect(ran.code).toBe(0);
  });

  test('SC-14 -I and %zone name the link of a link-local address', () => {
    const { run } = pair();
    expect(run('ping6 -c 1 -I tap0 fe80::ff:fe00:2').code).toBe(0);
    const ran = run('ping6 -c 1 fe80::ff:fe00:2%tap0');
    expect(ran.out).toMatch(/^PING6\(56=40\+8\+8 bytes\) fe80::ff:fe00:1%tap0 --> fe80::ff:fe00:2%tap0$/m);
    expect(run('ping6 -c 1 fe80::ff:fe00:2%2').out).toContain('from fe80::ff:fe00:2%tap0,');
  });

  test.each([
    ['fe80:2::1', /a zone stands behind the address/],
    ['ff02:1::1', /a zone stands behind the address/],
    ['fe80::1%none', /no interface none/],
    ['2001:db8::1%tap0', /the address has no zone/],
    ['2001:db8::x', /not an IPv6 address/],
  ])('SC-15 %s is refused', (address, message) => {
    const ran = pair().run(`ping6 -c 1 ${address}`);
    expect(ran.error).toMatch(message);
    expect(ran.code).toBe(1);
  });

  test('AA-01 every member of a group answers; later ones count as duplicates', () => {
    const nodes = new Nodes();
    const tap0 = nodes.wire();
    const config = (mac: string): string => `interfaces: [{ name: tap0, mac: "${mac}" }]`;
    const [a] = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'].map((mac) =>
      nodes.node(mac, config(mac), { tap0 }),
    );
    nodes.pass(3000);
    const ran = nodes.run(a!, 'ping6 -c 2 -I tap0 ff02::1');
    expect(ran.out.match(/^16 bytes from fe80::ff:fe00:[23]%tap0, icmp_seq=0 /gm)).toHaveLength(2);
    expect(ran.out).toContain('(DUP!)');
  });

  test('AA-01 -p fills the data, -s says how much, large ones come back whole', () => {
    const { run } = pair();
    run('ping6 -c 1 2001:db8::2'); // resolves: only one packet waits for that
    expect(run('ping6 -c 1 -s 3000 -p ff00 2001:db8::2').out).toContain('3008 bytes from 2001:db8::2, icmp_seq=0');
  });

  test.each(['ping6', 'ping6 -c', 'ping6 -z 2001:db8::2', 'ping6 -c 1 2001:db8::2 2001:db8::3'])(
    'AA-05 a wrong command line prints the usage and ends with 1: %s',
    (line) => {
      const ran = pair().run(line);
      expect(ran.error).toContain('usage: ping6 ');
      expect(ran.code).toBe(1);
    },
  );

  test('AA-01 -f sends at every reply, or a hundred times a second', () => {
    const { run } = pair();
    const ran = run('ping6 -f -q -c 200 2001:db8::2', 1000);
    expect(ran.out).toContain('200 packets transmitted, 200 packets received');
  });

  test('AA-01 -h limits the hops: a router on the way says so', () => {
    const { nodes, a } = routed();
    const ran = nodes.run(a, 'ping6 -c 1 -h 1 2001:db8:2::2');
    expect(ran.out).toContain('64 bytes from 2001:db8:1::1: Time to live exceeded\n');
  });
});

describe('AA-02 traceroute6', () => {
  test('prints the router and the target, three probes each', async () => {
    const { nodes, a } = routed();
    const ran = nodes.run(a, 'traceroute6 -n 2001:db8:2::2');
    await expect(ran.out).toMatchFileSnapshot('golden/traceroute6.golden');
    expect(ran.code).toBe(0);
  });

  test('AA-02 a hop that does not answer is a star, and the hop limit ends it', () => {
    const { nodes, a, router } = routed();
    nodes.run(router, 'sysctl net.inet6.icmp6.errppslimit=0');
    const ran = nodes.run(a, 'traceroute6 -n -q 1 -w 1 -m 2 2001:db8:2::99');
    expect(ran.out).toContain('\n 1 *\n 2 *\n');
  });

  test('AA-02 a router that knows no way is marked', () => {
    const { nodes, a } = routed();
    expect(nodes.run(a, 'traceroute6 -n -q 1 2001:db8:9::1').out).toMatch(/\n 2 {2}2001:db8:1::1 {2}[0-9.]+ ms !N\n$/);
  });
});

/** a - router - b. */
export function routed() {
  const nodes = new Nodes();
  const [left, right] = [nodes.wire(), nodes.wire()];
  const host = (net: number): string => `
interfaces: [{ name: tap0, mac: "02:00:00:00:00:0${net}", addresses: ["2001:db8:${net}::2/64"] }]
routes: [{ to: default, via: "2001:db8:${net}::1" }]`;
  const a = nodes.node('a', host(1), { tap0: left });
  const b = nodes.node('b', host(2), { tap0: right });
  const router = nodes.node(
    'r',
    `
sysctls: { net.inet6.ip6.forwarding: 1 }
interfaces:
  - { name: tap1, mac: "02:00:00:00:01:01", addresses: ["2001:db8:1::1/64"] }
  - { name: tap2, mac: "02:00:00:00:01:02", addresses: ["2001:db8:2::1/64"] }`,
    { tap1: left, tap2: right },
  );
  nodes.pass(3000);
  return { nodes, a, b, router };
}
