import { describe, expect, test } from 'vitest';
import { ConfigError, parseConfig } from '#node/node-config.ts';

function problems(source: string): string {
  try {
    parseConfig(source, 'node.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('it was taken');
}

describe('the configuration of a node', () => {
  test('an empty one is one', () => {
    expect(parseConfig('', 'node.yaml').interfaces).toEqual([]);
  });

  test('defaults: a TAP of 1500 bytes that goes up', () => {
    const [tap0] = parseConfig('interfaces: [{ name: tap0 }]', 'node.yaml').interfaces;
    expect(tap0).toMatchObject({ name: 'tap0', mode: 'tap', mtu: 1500, offload: false, up: true, addresses: [] });
  });

  test.each([
    ['hostnam: a', '1:1: hostnam: no such field'],
    ['interfaces: [{ name: tap0, mtu: 1000 }]', '1:28: interfaces[0].mtu: expected 1280 or more (RFC 8200 section 5)'],
    [
      'interfaces:\n  - name: tap0\n    mode: tab',
      '3:5: interfaces[0].mode: expected "tap" (Ethernet) or "tun" (IP packets)',
    ],
    ['interfaces: [{ name: 0tap }]', '1:16: interfaces[0].name: expected an interface name'],
    [
      'interfaces: [{ name: a, mac: "01:00:00:00:00:00" }]',
      '1:25: interfaces[0].mac: expected a unicast link-layer address',
    ],
    [
      'interfaces: [{ name: a, addresses: ["2001:db8::1"] }]',
      '1:37: interfaces[0].addresses[0]: expected an address with its prefix length',
    ],
    ['interfaces: [{ name: a }, { name: a }]', '1:29: interfaces[1].name: a is there already'],
    [
      'interfaces: [{ name: a, mode: tun, mac: "02:00:00:00:00:01" }]',
      '1:36: interfaces[0].mac: a tun device has no link-layer address',
    ],
    ['routes: [{ to: default }]', '1:10: routes[0]: expected "via", "interface", "reject" or "blackhole"'],
    ['routes: [{ to: default, via: "fe80::1%x" }]', '1:25: routes[0].via: no interface x'],
    ['routes: [{ to: "2001:db8::/129", reject: true }]', '1:12: routes[0].to: expected "default" or a prefix'],
    ['sysctls: { net.inet6.ip6.bogus: 1 }', '1:12: sysctls.net.inet6.ip6.bogus: no such sysctl'],
    ['sysctls: { net.inet6.ip6.hlim: 300 }', '1:12: sysctls.net.inet6.ip6.hlim: expected a whole number from 1 to 255'],
    ['interfaces: [', '1:14: '],
    ['- a', '1:1: the file: '],
  ])('%s', (source, message) => {
    expect(problems(source)).toContain(`node.yaml:${message}`);
  });

  test('all that is wrong is told at once', () => {
    expect(problems('hostnam: a\nseed: x\ninterfaces: 5').split('\n')).toHaveLength(3);
  });
});
