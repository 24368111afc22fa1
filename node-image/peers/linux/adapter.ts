/** The Linux kernel as a peer, by iproute2 and iputils. */
import type { ExecResult, LabNode } from '#orchestrator/drivers/driver.ts';
import type { Peer, PeerAddress, PeerNeighbor, PingOptions, PingResult } from '../peer.ts';
import { pingTimes, sentAndReceived } from '../ping-output.ts';

export class LinuxPeer implements Peer {
  readonly node: LabNode;

  constructor(node: LabNode) {
    this.node = node;
  }

  get name(): string {
    return this.node.name;
  }

  get kind(): string {
    return this.node.kind;
  }

  async ping(address: string, options: PingOptions = {}): Promise<PingResult> {
    const { count = 1, interval = 1000, size = 56, hopLimit, source, wait = 2000 } = options;
    const argv = [
      'ping',
      '-6',
      '-n',
      '-c',
      `${count}`,
      '-i',
      `${interval / 1000}`,
      '-s',
      `${size}`,
      '-W',
      `${wait / 1000}`,
    ];
    if (hopLimit !== undefined) argv.push('-t', `${hopLimit}`);
    if (source !== undefined) argv.push('-I', source);
    if (options.interface !== undefined) argv.push('-I', options.interface);
    const { stdout, stderr } = await this.node.exec([...argv, address], { timeout: count * interval + wait + 10_000 });
    const errors = stdout.split('\n').flatMap((line) => /^From \S+ icmp_seq=\d+ (.*)$/.exec(line)?.[1] ?? []);
    if (stderr.trim() !== '') errors.push(stderr.trim());
    return { ...sentAndReceived(stdout), times: pingTimes(stdout), errors, output: stdout + stderr };
  }

  async neighbors(): Promise<PeerNeighbor[]> {
    const rows = await this.#json<{ dst: string; dev: string; lladdr?: string; state: string[]; router?: null }>(
      'ip -j -6 neigh show nud all',
    );
    return rows
      .filter((row) => !row.state.includes('NOARP') && !row.state.includes('NONE'))
      .map((row) => ({
        address: row.dst,
        interface: row.dev,
        linkAddress: row.lladdr,
        state: STATES[row.state[0]!] ?? 'stale',
        router: 'router' in row,
      }));
  }

  async flushNeighbors(): Promise<void> {
    await this.#must('ip -6 neigh flush all');
  }

  async addresses(interfaceName: string): Promise<PeerAddress[]> {
    const [device] = await this.#json<{ addr_info: LinuxAddress[] }>(`ip -j -6 addr show dev ${interfaceName}`);
    return (device?.addr_info ?? []).map((info) => ({
      address: info.local,
      prefixLength: info.prefixlen,
      state: info.dadfailed
        ? 'duplicated'
        : info.tentative
          ? 'tentative'
          : info.deprecated
            ? 'deprecated'
            : 'preferred',
    }));
  }

  async linkLocal(interfaceName: string): Promise<string | undefined> {
    const found = (await this.addresses(interfaceName)).find(({ address }) => address.startsWith('fe80:'));
    return found?.address;
  }

  async addAddress(interfaceName: string, prefix: string): Promise<void> {
    await this.#must(`ip -6 addr add ${prefix} dev ${interfaceName}`);
  }

  async removeAddress(interfaceName: string, prefix: string): Promise<void> {
    await this.#must(`ip -6 addr del ${prefix} dev ${interfaceName}`);
  }

  async addRoute(destination: string, via: string | undefined, interfaceName: string): Promise<void> {
    await this.#must(`ip -6 route add ${destination} ${via === undefined ? '' : `via ${via} `}dev ${interfaceName}`);
  }

  async proxy(interfaceName: string, address: string): Promise<void> {
    await this.node.sysctl(`net.ipv6.conf.${interfaceName}.proxy_ndp`, 1);
    // it answers only while it forwards, and then with a router's flag (RFC 4861 4.4) if it is told so
    await this.#must(`ip -6 neigh add proxy ${address} dev ${interfaceName} router`);
  }

  async setUp(interfaceName: string, up: boolean): Promise<void> {
    await this.#must(`ip link set ${interfaceName} ${up ? 'up' : 'down'}`);
  }

  async setReachableTime(interfaceName: string, milliseconds: number): Promise<void> {
    await this.#must(`ip ntable change name ndisc_cache dev ${interfaceName} base_reachable ${milliseconds}`);
  }

  async setNud(): Promise<void> {
    throw new Error('Linux has no switch for neighbor unreachability detection');
  }

  async withoutNud(interfaceName: string): Promise<string | undefined> {
    const [device] = await this.#json<{ flags: string[] }>(`ip -j link show dev ${interfaceName}`);
    return device?.flags.includes('NOARP')
      ? 'Linux watches no neighbors on an interface without link-layer addresses (its flag NOARP)'
      : undefined;
  }

  async silence(interfaceName: string): Promise<void> {
    // no address left to answer for, and none to send from
    await this.node.sysctl(`net.ipv6.conf.${interfaceName}.disable_ipv6`, 1);
  }

  async disabled(interfaceName: string): Promise<boolean> {
    const found = await this.node.exec(`cat /proc/sys/net/ipv6/conf/${interfaceName}/disable_ipv6`);
    return found.stdout.trim() === '1';
  }

  async traceroute(address: string): Promise<{ hop: number; from: string | undefined; note: string }[]> {
    const { stdout } = await this.#must(`traceroute -6 -n -q 1 -w 2 -m 8 ${address}`);
    return hops(stdout);
  }

  async advertise(): Promise<void> {
    throw new Error('Linux has no command for unsolicited advertisements');
  }

  async setMtu(interfaceName: string, mtu: number): Promise<void> {
    await this.#must(`ip link set ${interfaceName} mtu ${mtu}`);
  }

  async #must(command: string): Promise<ExecResult> {
    const result = await this.node.exec(command);
    if (result.code !== 0)
      throw new Error(`${this.name}: '${command}' ended with ${result.code}: ${result.stderr.trim()}`);
    return result;
  }

  async #json<Row>(command: string): Promise<Row[]> {
    const { stdout } = await this.#must(command);
    return stdout.trim() === '' ? [] : (JSON.parse(stdout) as Row[]);
  }
}

interface LinuxAddress {
  local: string;
  prefixlen: number;
  tentative?: boolean;
  dadfailed?: boolean;
  deprecated?: boolean;
}

const STATES: Readonly<Record<string, PeerNeighbor['state']>> = {
  INCOMPLETE: 'incomplete',
  REACHABLE: 'reachable',
  STALE: 'stale',
  DELAY: 'delay',
  PROBE: 'probe',
  FAILED: 'failed',
  PERMANENT: 'static',
};

/** ` 2  2001:db8::1  0.123 ms` or ` 3  *`, as every traceroute prints them. */
export function hops(output: string): { hop: number; from: string | undefined; note: string }[] {
  return output.split('\n').flatMap((line) => {
    const found = /^\s*(\d+)\s+(\S+)(.*)$/.exec(line);
    if (found === null) return [];
    const [, hop, from, note] = found as unknown as [string, string, string, string];
    return [{ hop: Number(hop), from: from === '*' ? undefined : from, note: note.trim() }];
  });
}
