/** A driver as the tests of drivers see it: whether it runs here, and what its labs leave on the host. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { link, listNamespaces, readSysctl } from 'tun-tap';
import { loadDriver } from '#orchestrator/drivers/choose.ts';
import type { Driver, DriverName, Lab, LabNode, UpOptions } from '#orchestrator/drivers/driver.ts';
import { RUN_FOLDER } from '#orchestrator/drivers/owner.ts';
import { loadKinds } from '#orchestrator/kinds.ts';
import { topology } from '#orchestrator/topology.ts';
import type { TopologySource } from '#orchestrator/topology-schema.ts';
import { refreshNodeImage } from '#tests/support/node-image.ts';

const kinds = loadKinds();
let labs = 0;

export class DriverUnderTest {
  readonly name: DriverName;
  readonly driver: Driver;
  /** Why it can't run here. */
  readonly reason: string | undefined;
  /** Of the nodes it can run. */
  readonly kinds: readonly string[];

  private constructor(driver: Driver, reason: string | undefined) {
    this.name = driver.name;
    this.driver = driver;
    this.reason = reason;
    this.kinds = [...kinds.values()].filter(({ drivers }) => drivers.includes(driver.name)).map(({ kind }) => kind);
  }

  static async load(name: DriverName): Promise<DriverUnderTest> {
    const driver = await loadDriver(name, kinds);
    let reason = await driver.unavailable();
    if (name === 'docker' && (reason === undefined || reason.startsWith('the image'))) {
      refreshNodeImage();
      reason = await driver.unavailable();
    }
    return new DriverUnderTest(driver, reason);
  }

  /** Of a lab that no other test on this host has. */
  id(): string {
    return `t${process.pid}-${labs++}`;
  }

  up(source: TopologySource, options: Partial<UpOptions> = {}): Promise<Lab> {
    return this.driver.up(topology(source, { kinds: [...kinds.keys()] }), { id: this.id(), ...options });
  }

  /** Whatever of a lab can be found on this host, one line each. */
  async left(id: string): Promise<string[]> {
    if (this.name === 'sim') return [];
    if (this.name === 'docker') return leftOfContainers(id);
    const namespaces = listNamespaces().filter((name) => new RegExp(`^kamelab-${id}(\\.|$)`).test(name));
    const folders = listing(RUN_FOLDER).filter((name) => name === id);
    const processes = listing('/proc').filter((pid) => environment(pid).includes(`KAMELAB_LAB=${id}`));
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    return [
      ...namespaces.map((name) => `namespace ${name}`),
      ...folders.map((name) => `folder ${name}`),
      ...processes.map((pid) => `process ${pid}`),
      ...mounts.filter((line) => new RegExp(`kamelab[-/]${id}[./ ]`).test(line)).map((line) => `mount ${line}`),
    ];
  }

  /** `disable_ipv6` of every device on the testbed's side of a lab's links. */
  async ipv6Disabled(id: string): Promise<Record<string, string>> {
    const namespace = await this.#labNamespace(id);
    const devices = link.list(namespace).map(({ name }) => name);
    return Object.fromEntries(
      devices.map((name) => [name, readSysctl(namespace, `net/ipv6/conf/${name}/disable_ipv6`)]),
    );
  }

  async #labNamespace(id: string): Promise<string> {
    if (this.name === 'process') return `kamelab-${id}`;
    const { State } = await new Docker().getContainer(`kamelab-${id}`).inspect();
    return `/proc/${State.Pid}/ns/net`;
  }
}

async function leftOfContainers(id: string): Promise<string[]> {
  const docker = new Docker();
  const containers = await docker.listContainers({ all: true, filters: { label: [`kamelab.lab=${id}`] } });
  return containers.map(({ Names }) => `container ${Names[0]}`);
}

/** Running processes that a command of a lab left, by a word in their command line. */
export function processesWith(word: string): string[] {
  return listing('/proc').filter((pid) =>
    read(join('/proc', pid, 'cmdline'))
      .split('\0')
      .includes(word),
  );
}

const environment = (pid: string): string[] => read(join('/proc', pid, 'environ')).split('\0');

function listing(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export function nodeOf(lab: Lab, name: string): LabNode {
  const node = lab.nodes.get(name);
  if (node === undefined) throw new Error(`the lab has no node ${name}`);
  return node;
}
