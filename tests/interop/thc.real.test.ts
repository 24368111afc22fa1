/** The checks of THC-IPv6's implementation6, a tester by others: what it must hear from a kame node for each, by feature row. */
import { existsSync } from 'node:fs';
import { link } from 'tun-tap';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KameProcess } from './kame-process.ts';
import { LinuxHost } from './linux-host.ts';

const TOOL = '/usr/bin/atk6-implementation6';
const able = process.getuid?.() === 0 && existsSync('/dev/net/tun') && existsSync(TOOL);

/** It waits two seconds for an answer that must not come, so that many hosts ask at once, each on a link of its own. */
const LANES = 10;

const REPLY = 'reply';
const NONE = 'no reply';
const HEADER = 'error [4:0]';
const NEXT_HEADER = 'error [4:1]';
const OPTION = 'error [4:2]';

/** Checks of mobility, IPsec, router renumbering and node information are of features beyond these rows. */
const CHECKS: readonly (readonly [number: number, rule: string, answer: string])[] = [
  [1, 'IP-06 an unknown Hop-by-Hop option is skipped', REPLY],
  [2, 'IP-04 a first fragment that ends within its headers', NONE],
  [3, 'IP-05 two Hop-by-Hop headers', NEXT_HEADER],
  [4, 'IP-05 128 Hop-by-Hop headers', NEXT_HEADER],
  [5, 'IP-06 an unknown destination option is skipped', REPLY],
  [6, 'IP-04 a first fragment that ends within its options', NONE],
  [7, 'HL-02 two destination headers', REPLY],
  [8, 'HL-02 128 destination headers', NONE],
  [9, 'HL-01 2000 destination headers', NONE],
  [10, 'HL-01 8172 destination headers', NONE],
  [11, 'IP-04 fragments', REPLY],
  [12, 'IP-04 a whole packet in a fragment', REPLY],
  [13, 'IP-04 a fragment header has 8 bytes, whatever is in its reserved one', NONE],
  [14, 'IP-05 a whole packet in a fragment that begins with Hop-by-Hop options, behind one of its number', NEXT_HEADER],
  [15, 'IP-05 the same in the other order', NEXT_HEADER],
  [16, 'IP-04 fragments whose first is overlapped', NONE],
  [17, 'IP-04 fragments whose last is overlapped', NONE],
  [18, 'IP-08 a routing header that is done', REPLY],
  [19, 'IP-08 a routing header of type 0 that is not (RFC 5095)', HEADER],
  [22, 'IP-08 a fragment with a routing header that is done', REPLY],
  [23, 'IP-08 a fragment with a routing header that is not', HEADER],
  [24, 'IP-08 Hop-by-Hop options, fragment, routing header', REPLY],
  [25, 'IP-08 destination options, fragment, routing header', REPLY],
  [26, 'IP-05 Hop-by-Hop options behind a fragment header', NEXT_HEADER],
  [27, 'IP-08 fragment, destination options, routing header', REPLY],
  [34, 'IC-05 an echo request of two bytes', NONE],
  [36, 'IV-06 an echo request from a group', NONE],
  [37, 'IV-07 a routing header to a link-local address', HEADER],
  [38, 'IV-07 a routing header to a group', HEADER],
  [39, 'IP-08 a routing header that is done, from a link-local address', REPLY],
  [40, 'IV-06 a routing header that is done, from a group', NONE],
  [41, 'RQ-03 a solicitation to the address itself', REPLY],
  [42, 'ND-17 a solicitation that crossed a router', NONE],
  [43, 'IP-06 Hop-by-Hop options full of what is to be skipped', REPLY],
  [44, 'IP-06 Hop-by-Hop options full of padding', REPLY],
  [45, 'IP-06 destination options full of what is to be skipped', REPLY],
  [46, 'IP-06 destination options full of padding', REPLY],
  [47, 'JB-04 a jumbo option of a small length', HEADER],
  [48, 'JB-04 a jumbo option of a small length, payload length 0', HEADER],
  [49, 'IP-06 a Hop-by-Hop option to complain of', OPTION],
  [50, 'IP-06 a destination option to complain of', OPTION],
  [51, 'IP-01 payload length 0', NONE],
  [52, 'IP-01 a payload length beyond the frame', NONE],
  [53, 'IC-05 a payload length that cuts the message', NONE],
  [54, 'IC-05 a bad checksum', NONE],
  [55, 'IC-05 a checksum of zero', NONE],
  [56, 'IP-02 hop limit 0', REPLY],
  [57, 'IP-04 a fragment is missing', NONE],
];

describe.runIf(able)("THC-IPv6's checks of an implementation", () => {
  const hosts: LinuxHost[] = [];
  const heard = new Map<number, string>();
  let kame: KameProcess;

  beforeAll(async () => {
    const lanes = Array.from({ length: LANES }, (_, lane) => ({
      name: `lane${lane}`,
      prefix: `2001:db8:${lane + 1}:`,
    }));
    for (const { name } of lanes) hosts.push(new LinuxHost(`interop-thc-${process.pid}-${name}`));
    const config = {
      sysctls: { 'net.inet6.ip6.dad_count': 0, 'net.inet6.icmp6.errppslimit': -1 },
      interfaces: lanes.map(({ name, prefix }) => ({ name, addresses: [`${prefix}:1/64`] })),
    };
    kame = await KameProcess.start({ namespace: hosts[0]!.namespace, config, hold: true });
    for (const [lane, { name, prefix }] of lanes.entries()) {
      if (lane > 0) link.move(name, hosts[0]!.namespace, hosts[lane]!.namespace);
      hosts[lane]!.up(name, `${prefix}:2/64`);
    }
    await kame.connected();
    const waiting = CHECKS.map(([number]) => number);
    const ask = async (host: LinuxHost, { name, prefix }: { name: string; prefix: string }): Promise<void> => {
      for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
        const { stdout } = await host.run(`${TOOL} ${name} ${prefix}:1 ${number}`);
        heard.set(number, answerOf(stdout, number));
      }
    };
    await Promise.all(lanes.map((lane, place) => ask(hosts[place]!, lane)));
  });

  afterAll(async () => {
    await kame?.end();
    for (const host of hosts) host.end();
  });

  test.each(CHECKS)('check %d: %s: %s', (number, _, answer) => expect(heard.get(number)).toBe(answer));

  test('HL-01 the node lives on, unharmed', async () => {
    const { counters } = await kame.state();
    expect(counters.ip6.internalError).toBe(0);
  });
});

/** Of `Test  3: 2 hop-by-hop headers    FAILED - error reply [4:1]`; its last test asks whether the node is alive. */
function answerOf(said: string, number: number): string {
  const line = (test: number) =>
    said.match(new RegExp(`^Test +${test}: .*(?:PASSED|FAILED) - (.*)$`, 'm'))?.[1]?.trim();
  if (line(58) !== 'we got a reply') return `the node is dead: ${said}`;
  return line(number)?.replace('we got a reply', REPLY).replace('error reply', 'error') ?? said;
}
