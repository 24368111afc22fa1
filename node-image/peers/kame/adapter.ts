/** The kame stack as a peer, by its own tools; what it holds comes as JSON. */

import type { NodeState } from '#node/node-state.ts';
import type { ExecResult, LabNode } from '#orchestrator/drivers/driver.ts';
import { hops } from '../linux/adapter.ts';
import type { Peer, PeerAddress, PeerNeighbor, PingOptions, PingResult } from '../peer.ts';
import { pingTimes, sentAndReceived } from '../ping-output.ts';

export class KamePeer implements Peer {
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
    const argv = ['ping6', '-n', '-c', `${count}`, '-i', `${interval / 1000}`, '-s', `${size}`, '-W', `${wait / 1000}`];
    if (hopLimit !== undefined) argv.push('-h', `${hopLimit}`);
    if (options.discover === true) argv.push('-m');
    if (source !== undefined) argv.push('-S', source);
    if (options.interface !== undefined) argv.push('-I', options.interface);
    const { stdout, stderr } = await this.node.exec([...argv, address], { timeout: count * interval + wait + 10_000 });
    const errors = stdout.split('\n').flatMap((line) => /^\d+ bytes from \S+: (.*)$/.exec(line)?.[1] ?? []);
    if (stderr.trim() !== '') errors.push(stderr.trim());
    return { ...sentAndReceived(stdout), times: pingTimes(stdout), errors, output: stdout + stderr };
  }

  async state(): Promise<NodeState> {
    return (await this.node.state())!;
  }

  async neighbors(): Promise<PeerNeighbor[]> {
    return (await this.state()).neighbors.map((neighbor) => ({
      address: neighbor.address,
      interface: neighbor.interface,
      linkAddress: neighbor.linkAddress,
      state: neighbor.state,
      router: neighbor.router,
    }));
  }

  async flushNeighbors(): Promise<void> {
    await this.#must(['ndp', '-c']);
  }

  async addresses(interfaceName: string): Promise<PeerAddress[]> {
    const found = (await this.state()).interfaces.find(({ name }) => name === interfaceName);
    return (found?.addresses ?? []).map(({ address, prefixLength, state }) => ({ address, prefixLength, state }));
  }

  async linkLocal(interfaceName: string): Promise<string | undefined> {
    return (await this.addresses(interfaceName)).find(({ address }) => address.startsWith('fe80:'))?.address;
  }

  async addAddress(interfaceName: string, prefix: string): Promise<void> {
    await this.#must(['ifconfig', interfaceName, 'inet6', ...this.#prefixWords(prefix), 'alias']);
  }

  async removeAddress(interfaceName: string, prefix: string): Promise<void> {
    await this.#must(['ifconfig', interfaceName, 'inet6', prefix.split('/')[0]!, '-alias']);
  }

  #prefixWords(prefix: string): string[] {
    const [address, length] = prefix.split('/') as [string, string | undefined];
    return length === undefined ? [address] : [address, 'prefixlen', length];
  }

  async addRoute(destination: string, via: string | undefined, interfaceName: string): Promise<void> {
    const next =
      via === undefined ? ['-interface', interfaceName] : [via.startsWith('fe80:') ? `${via}%${interfaceName}` : via];
    await this.#must(['route', 'add', '-inet6', destination, ...next]);
  }

  async proxy(interfaceName: string, address: string): Promise<void> {
    const found = (await this.state()).interfaces.find(({ name }) => name === interfaceName);
    const scoped = address.startsWith('fe80:') ? `${address}%${interfaceName}` : address;
    await this.#must(['ndp', '-s', scoped, found?.mac ?? '', 'proxy']);
  }

  async setUp(interfaceName: string, up: boolean): Promise<void> {
    await this.#must(['ifconfig', interfaceName, up ? 'up' : 'down']);
  }

  async setReachableTime(interfaceName: string, milliseconds: number): Promise<void> {
    await this.#must(['ndp', '-i', interfaceName, `basereachable=${milliseconds}`]);
  }

  async setNud(interfaceName: string, on: boolean): Promise<void> {
    await this.#must(['ndp', '-i', interfaceName, on ? 'nud' : '-nud']);
  }

  async withoutNud(): Promise<undefined> {
    return undefined; // also where there are no link-layer addresses
  }

  async silence(interfaceName: string): Promise<void> {
    await this.#must(['ifconfig', interfaceName, 'down']);
  }

  async disabled(interfaceName: string): Promise<boolean> {
    return (await this.state()).interfaces.find(({ name }) => name === interfaceName)?.nd.disabled ?? false;
  }

  async traceroute(address: string): Promise<{ hop: number; from: string | undefined; note: string }[]> {
    const { stdout } = await this.#must(['traceroute6', '-n', '-q', '1', '-w', '2', '-m', '8', address]);
    return hops(stdout);
  }

  async advertise(interfaceName: string, address: string): Promise<void> {
    await this.#must(['ndp', '-u', address, '-I', interfaceName]);
  }

  async setMtu(interfaceName: string, mtu: number): Promise<void> {
    await this.#must(['ifconfig', interfaceName, 'mtu', `${mtu}`]);
  }

  async #must(argv: readonly string[]): Promise<ExecResult> {
    const result = await this.node.exec(argv);
    if (result.code !== 0) {
      throw new Error(
        `${this.name}: '${argv.join(' ')}' ended with ${result.code}: ${(result.stderr || result.stdout).trim()}`,
      );
    }
    return result;
  }
}
