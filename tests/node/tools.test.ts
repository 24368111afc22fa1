import { describe, expect, test } from 'vitest';
import { Nodes, pair } from './nodes.ts';

describe('ifconfig', () => {
  test('AA-05 -a describes every interface: flags, MAC, addresses with zone, length and state', async () => {
    const { run } = pair();
    await expect(run('ifconfig -a').out).toMatchFileSnapshot('golden/ifconfig.golden');
  });

  test('AA-05 -l names the interfaces, -u and -d pick those that are up or down', () => {
    const { run } = pair();
    expect(run('ifconfig -l').out).toBe('lo0 tap0\n');
    run('ifconfig tap0 down');
    expect(run('ifconfig -a -u').out).toMatch(/^lo0: /);
    expect(run('ifconfig -a -d').out).toMatch(/^tap0: flags=8802<BROADCAST,SIMPLEX,MULTICAST> mtu 1500$/m);
  });

  test('DAD states are shown while they last', () => {
    const { run, nodes } = pair();
    run('ifconfig tap0 inet6 2001:db8::5 prefixlen 64 alias');
    expect(run('ifconfig tap0').out).toContain('inet6 2001:db8::5 prefixlen 64 tentative\n');
    nodes.pass(3000);
    expect(run('ifconfig tap0').out).toContain('inet6 2001:db8::5 prefixlen 64\n');
    run('ifconfig tap0 inet6 2001:db8::2/64');
    nodes.pass(3000);
    expect(run('ifconfig tap0').out).toContain('inet6 2001:db8::2 prefixlen 64 duplicated\n');
  });

  test('addresses are added and removed by their two words each', () => {
    const { run } = pair();
    for (const word of ['-alias', 'delete']) {
      expect(run('ifconfig tap0 inet6 2001:db8::7').code).toBe(0);
      expect(run(`ifconfig tap0 inet6 2001:db8::7 ${word}`).code).toBe(0);
      expect(run('ifconfig tap0').out).not.toContain('2001:db8::7');
    }
    expect(run('ifconfig tap0 inet6 2001:db8::7 delete').error).toBe(
      "ifconfig: 2001:db8::7: Can't assign requested address\n",
    );
  });

  test('PP-18 eui64 builds the identifier from the MAC; pltime and vltime are kept', () => {
    const { run } = pair();
    run('ifconfig tap0 inet6 2001:db8:5::/64 eui64 pltime 100 vltime 200');
    expect(run('ifconfig -L tap0').out).toContain(
      'inet6 2001:db8:5::ff:fe00:1 prefixlen 64 tentative pltime 100 vltime 200\n',
    );
    run('ifconfig tap0 inet6 2001:db8:5::/64 eui64 pltime 300 vltime infty');
    expect(run('ifconfig -L tap0').out).toContain(' pltime 300 vltime infty\n');
  });

  test('RQ-03 anycast is shown', () => {
    const { run } = pair();
    run('ifconfig tap0 inet6 2001:db8::aa/64 anycast');
    expect(run('ifconfig tap0').out).toContain('inet6 2001:db8::aa prefixlen 64 anycast\n');
  });

  test('mtu and lladdr are set; what cannot be is refused with its reason', () => {
    const { run } = pair();
    run('ifconfig tap0 mtu 1400 lladdr 2:0:0:0:0:9');
    expect(run('ifconfig tap0').out).toMatch(/mtu 1400\n\tether 02:00:00:00:00:09\n/);
    expect(run('ifconfig tap0 mtu 1000').error).toContain('mtu must be from 1280');
    expect(run('ifconfig tap0 lladdr 1:0:0:0:0:1').code).toBe(1);
    expect(run('ifconfig tap9').error).toBe('ifconfig: interface tap9: Device not configured\n');
  });

  test('SC-15 the zone inside an address is refused', () => {
    const ran = pair().run('ifconfig tap0 inet6 fe80:2::1 prefixlen 64');
    expect([ran.code, ran.error]).toEqual([1, expect.stringContaining('a zone stands behind the address')]);
  });

  test('a wrong command line changes nothing', () => {
    const { run } = pair();
    const before = run('ifconfig -a').out;
    for (const line of ['tap0 mtu', 'tap0 bogus', 'tap0 mtu 1300 bogus', 'tap0 alias', 'tap0 mtu 1300 pltime x']) {
      expect(run(`ifconfig ${line}`).code).toBe(1);
    }
    expect(run('ifconfig -a').out).toBe(before);
  });
});

describe('ndp', () => {
  test('ND-14 -a is the table of neighbors, own addresses first', async () => {
    const { run } = pair();
    run('ping6 -c 1 2001:db8::2');
    run('ping6 -c 1 -W 0.5 2001:db8::99');
    run('ndp -s 2001:db8::50 2:0:0:0:0:50 proxy');
    await expect(run('ndp -an').out).toMatchFileSnapshot('golden/ndp.golden');
  });

  test('ND-14 -s, -d and -c round trip; temp has an end', () => {
    const { run } = pair();
    run('ndp -s 2001:db8::50 2:0:0:0:0:50');
    run('ndp -s 2001:db8::51 2:0:0:0:0:51 temp');
    expect(run('ndp 2001:db8::50').out).toMatch(/2001:db8::50 +2:0:0:0:0:50 +tap0 permanent +R\n/);
    expect(run('ndp -n 2001:db8::51').out).toMatch(/2001:db8::51 +2:0:0:0:0:51 +tap0 20m0s +R\n/);
    expect(run('ndp -d 2001:db8::50').out).toBe('2001:db8::50 deleted\n');
    const gone = run('ndp 2001:db8::50');
    expect([gone.error, gone.code]).toEqual(['ndp: 2001:db8::50 -- no entry\n', 1]);
    expect(run('ndp -c').code).toBe(0);
  });

  test('ND-13 a target that is on no link here cannot be proxied', () => {
    const ran = pair().run('ndp -s 2001:db8:7::1 2:0:0:0:0:50 proxy');
    expect([ran.error, ran.code]).toEqual(['ndp: 2001:db8:7::1: Invalid argument\n', 1]);
  });

  test('ND-15 -i shows all Neighbor Discovery variables of an interface, and sets them', () => {
    const { run } = pair();
    run('ndp -i tap0 -nud basereachable=10000 retrans=500 curhlim=32');
    expect(run('ndp -i tap0').out).toMatch(
      /^linkmtu=1500, maxmtu=1500, curhlim=32, basereachable=10s0ms, reachable=\d+s, retrans=0s500ms\nFlags: accept_rtadv\n$/,
    );
    run('ndp -i tap0 nud disabled');
    expect(run('ndp -i tap0').out).toContain('Flags: disabled nud accept_rtadv\n');
    expect(run('ndp -i tap0 bogus').error).toContain('usage: ndp');
  });

  test('ND-12 -I sets, shows and deletes the default interface', () => {
    const { run } = pair();
    expect(run('ndp -I').out).toBe('No default interface.\n');
    expect(run('ndp -I tap0').out).toBe('ND default interface = tap0\n');
    expect(run('ndp -I').out).toBe('ND default interface = tap0\n');
    expect(run('ndp -I delete').out).toBe('No default interface.\n');
    expect(run('ndp -I tap9').code).toBe(1);
  });

  test('ND-21 -u multicasts unsolicited advertisements: after a change of MAC the other side follows', () => {
    const { nodes, a, b } = pair();
    nodes.run(b, 'ping6 -c 1 2001:db8::1');
    nodes.run(a, 'ifconfig tap0 lladdr 2:0:0:0:0:9');
    expect(nodes.run(a, 'ndp -u 2001:db8::1 -I tap0').code).toBe(0);
    nodes.pass(5000);
    expect(nodes.run(b, 'ndp 2001:db8::1').out).toContain(' 2:0:0:0:0:9 ');
    expect(nodes.run(b, 'ping6 -c 1 2001:db8::1').code).toBe(0);
    expect(a.kernel.counters.nd6.advertisementsSent).toBeGreaterThanOrEqual(3);
    expect(nodes.run(a, 'ndp -u 2001:db8::1 -C 1 -I tap0').code).toBe(0);
    expect(nodes.run(a, 'ndp -u -C 2 2001:db8::1').code).toBe(0);
    expect(nodes.run(a, 'ndp -u 2001:db8::2').error).toBe('ndp: 2001:db8::2: not an address of this node\n');
  });

  test('ND-14 -A repeats the table until Ctrl-C', () => {
    const { nodes, a } = pair();
    const ran = nodes.start(a, 'ndp -nt -A 5');
    nodes.pass(11_000);
    ran.program.interrupt();
    expect(ran.out.match(/^\S+ fe80::ff:fe00:1%tap0 /gm)).toHaveLength(3);
    expect(ran.code).toBe(0);
  });
});

describe('netstat', () => {
  test("ST-05 -s has KAME's sentences and histograms by name, -ss leaves out what never happened", async () => {
    const { run } = pair();
    run('ping6 -c 2 2001:db8::2');
    await expect(run('netstat -sn').out).toMatchFileSnapshot('golden/netstat-s.golden');
    await expect(run('netstat -ssn').out).toMatchFileSnapshot('golden/netstat-ss.golden');
    expect(run('netstat -s -p ip6').out).toMatch(/^ip6:\n\t\d+ total packets received\n(\t.*\n)+$/);
    expect(run('netstat -s -p tcp9').error).toBe('netstat: tcp9: unknown or uninstrumented protocol\n');
  });

  test('SC-13 ST-05 -rn prints zones behind %, -in and -g do, too', async () => {
    const { run } = pair();
    run('route add default fe80::ff:fe00:2%tap0');
    await expect(run('netstat -rn').out).toMatchFileSnapshot('golden/netstat-r.golden');
    await expect(run('netstat -in').out).toMatchFileSnapshot('golden/netstat-i.golden');
    await expect(run('netstat -gn').out).toMatchFileSnapshot('golden/netstat-g.golden');
  });
});

describe('route', () => {
  test('AA-05 add, get, change, delete and flush', async () => {
    const { run } = pair();
    expect(run('route add -inet6 2001:db8:5:: -prefixlen 48 2001:db8::2').out).toBe(
      'add net 2001:db8:5::/48: gateway 2001:db8::2\n',
    );
    expect(run('route -n get 2001:db8:5::9').out).toContain('    gateway: 2001:db8::2\n');
    expect(run('route change 2001:db8:5::/48 2001:db8::3 -mtu 1400').code).toBe(0);
    expect(run('route get 2001:db8:5::9').out).toMatch(/gateway: 2001:db8::3\n(.*\n)*.*mtu: 1400\n/);
    expect(run('route delete 2001:db8:5::/48').out).toBe('delete net 2001:db8:5::/48\n');
    expect(run('route get 2001:db8:5::9').error).toBe('route: 2001:db8:5::9: not in table\n');
    run('route -q add default fe80::2%tap0');
    run('route -q add 2001:db8:6::/48 -interface tap0');
    expect(run('netstat -rn').out).toMatch(/2001:db8:6::\/48 +link#2 +US /);
    expect(run('route flush').code).toBe(0);
    expect(run('netstat -rn').out).not.toContain('default');
  });

  test('AA-05 what cannot be is refused with its reason and code 1', () => {
    const { run } = pair();
    const errors = [
      'route add 2001:db8:5::/48',
      'route add 2001:db8:5::/48 2001:db8:9::1',
      'route delete 2001:db8:5::/48',
      'route bogus',
      'route add 2001:db8::/64 2001:db8::2',
    ].map((line) => run(line));
    expect(errors.map(({ code }) => code)).toEqual([1, 1, 1, 1, 1]);
    expect(errors.map(({ error }) => error.split('\n')[0])).toEqual([
      'route: no gateway given',
      'route: 2001:db8:5::/48: Network is unreachable',
      'route: 2001:db8:5::/48: No such process',
      'route: bogus: no such command',
      'route: 2001:db8::/64: File exists',
    ]);
  });

  test('AA-05 -reject answers unreachable, -blackhole swallows', () => {
    const { run } = pair();
    run('route add 2001:db8:5::/48 ::1 -reject');
    run('route add 2001:db8:6::/48 ::1 -blackhole');
    expect(run('netstat -rn').out).toMatch(/2001:db8:5::\/48 +::1 +UGRS /);
    expect(run('netstat -rn').out).toMatch(/2001:db8:6::\/48 +::1 +UGSB /);
  });

  test('AA-05 monitor tells changes as they happen, until Ctrl-C', () => {
    const { nodes, a, run } = pair();
    const ran = nodes.start(a, 'route -n monitor');
    run('route add 2001:db8:5::/48 2001:db8::2');
    run('ifconfig tap0 down');
    ran.program.interrupt();
    expect(ran.out).toContain('RTM_ADD: Add Route: 2001:db8:5::/48 gateway 2001:db8::2 interface tap0\n');
    expect(ran.out).toContain('RTM_IFINFO: iface status change: tap0 down\n');
    expect(ran.code).toBe(0);
  });
});

describe('sysctl', () => {
  test('AA-05 reads one, a subtree or all; -n leaves out names', () => {
    const { run } = pair();
    expect(run('sysctl net.inet6.ip6.hlim').out).toBe('net.inet6.ip6.hlim = 64\n');
    expect(run('sysctl -n net.inet6.ip6.hlim').out).toBe('64\n');
    expect(run('sysctl net.inet6.icmp6').out).toMatch(/^(net\.inet6\.icmp6\.\w+ = -?\d+\n){19,}$/);
    expect(run('sysctl -a').out).toContain('kern.hostname = a\nnet.inet6.ip6.forwarding = 0\n');
  });

  test('AA-05 sets with = and -w, and tells old and new', () => {
    const { run } = pair();
    expect(run('sysctl net.inet6.ip6.hlim=32').out).toBe('net.inet6.ip6.hlim: 64 -> 32\n');
    expect(run('sysctl -w net.inet6.ip6.hlim=33').out).toBe('net.inet6.ip6.hlim: 32 -> 33\n');
    run('sysctl kern.hostname=x');
    expect(run('hostname').out).toBe('x\n');
  });

  test.each([
    ['net.inet6.ip6.bogus', "unknown name 'net.inet6.ip6.bogus'"],
    ['net.inet6.ip6.hlim=x', "net.inet6.ip6.hlim: 'x' is not a number"],
    ['net.inet6.ip6.hlim=0', 'net.inet6.ip6.hlim: 0 is not a whole number from 1 to 255'],
  ])('AA-05 %s ends with 1', (word, message) => {
    const ran = pair().run(`sysctl ${word}`);
    expect([ran.error, ran.code]).toEqual([`sysctl: ${message}\n`, 1]);
  });
});

describe('ifmcstat, tcpdump, nodestate', () => {
  test('AA-04 PP-05 ifmcstat lists the groups of each interface', async () => {
    await expect(pair().run('ifmcstat').out).toMatchFileSnapshot('golden/ifmcstat.golden');
  });

  test('AA-05 tcpdump prints frames both ways, -e with MACs, and ends after -c', async () => {
    const { nodes, a, run } = pair();
    const ran = nodes.start(a, 'tcpdump -ne -i tap0 -c 4');
    run('ping6 -c 1 2001:db8::2');
    await expect(ran.out).toMatchFileSnapshot('golden/tcpdump.golden');
    expect(ran.error).toBe('tcpdump: listening on tap0, link-type EN10MB (Ethernet)\n4 packets captured\n');
    expect(ran.code).toBe(0);
  });

  test('nodestate is all of a node as one line of JSON', () => {
    const { run } = pair();
    run('ping6 -c 1 2001:db8::2');
    const state = JSON.parse(run('nodestate').out);
    expect(state.interfaces[1]).toMatchObject({
      name: 'tap0',
      mac: '02:00:00:00:00:01',
      addresses: [{ address: '2001:db8::1', prefixLength: 64, state: 'preferred' }, { address: 'fe80::ff:fe00:1' }],
    });
    expect(state.neighbors).toMatchObject([
      { address: '2001:db8::2', state: 'reachable', linkAddress: '02:00:00:00:00:02' },
    ]);
    expect(state.counters.icmp6.errors).toBe(0);
  });

  test('a name that is no program is not found', () => {
    const ran = pair().run('bogus -x');
    expect([ran.error, ran.code]).toEqual(['bogus: command not found\n', 127]);
  });
});

describe('a program that ends', () => {
  test('closes its sockets and stops its timers', () => {
    const { nodes, a } = pair();
    const ran = nodes.start(a, 'ping6 -q 2001:db8::2');
    nodes.pass(1500);
    ran.program.kill(137);
    const sent = a.kernel.histograms.icmp6Out[128];
    nodes.pass(5000);
    expect(a.kernel.histograms.icmp6Out[128]).toBe(sent);
    expect(ran.code).toBe(137);
  });

  test('leaves no packet behind', () => {
    const nodes = new Nodes();
    const tap0 = nodes.wire();
    const a = nodes.node('a', 'interfaces: [{ name: tap0, mac: "02:00:00:00:00:01" }]', { tap0 });
    nodes.pass(3000);
    nodes.run(a, 'ping6 -c 2 ::1');
    nodes.run(a, 'ping6 -c 2 -I tap0 fe80::1');
    nodes.pass(20_000);
    expect(nodes.pool.outstanding).toBe(a.stack.held + tap0.held);
  });
});
