/** What the host's kernel knows of a node, read from /proc: its processes, and the interfaces and counters of its namespace. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { withNamespace } from 'tun-tap';

export interface ProcessUsage {
  /** Processor seconds, user and system, of all that were seen. */
  readonly cpu: number;
  /** Resident bytes of those that live. */
  readonly rss: number;
  readonly processes: number;
}

export interface InterfaceUsage {
  readonly inPackets: number;
  readonly inBytes: number;
  readonly inErrors: number;
  readonly inDropped: number;
  readonly outPackets: number;
  readonly outBytes: number;
  readonly outErrors: number;
}

/** USER_HZ, the same on all that Linux and Node run on. */
const TICKS = 100;

/** Reads all of /proc once for whoever asks within this time: measured, 5 µs a process. Milliseconds. */
const FRESH = 500;
let table: { readonly time: number; readonly byNamespace: ReadonlyMap<string, readonly number[]> } | undefined;

function processesIn(namespace: string): readonly number[] {
  const now = performance.now();
  if (table === undefined || now - table.time > FRESH) {
    const byNamespace = new Map<string, number[]>();
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const found = attempt(() => readlinkSync(`/proc/${name}/ns/net`));
      if (found === undefined) continue;
      const known = byNamespace.get(found);
      if (known === undefined) byNamespace.set(found, [Number(name)]);
      else known.push(Number(name));
    }
    table = { time: now, byNamespace };
  }
  return table.byNamespace.get(namespace) ?? [];
}

/** The processes of one node, from the first look on: what one that ended meanwhile had used is kept. */
export class NodeProcesses {
  readonly #namespace: string;
  readonly #node: string;
  /** Ticks, by process. */
  readonly #cpu = new Map<string, number>();
  /** By number and start, so that a number used again is another's; false: it only passes through this namespace. */
  readonly #ours = new Map<string, boolean>();

  /** `namespace` is a path. Throws when it is not there. */
  constructor(namespace: string, node: string) {
    this.#namespace = `net:[${statSync(namespace).ino}]`;
    this.#node = node;
  }

  look(): ProcessUsage {
    let rss = 0;
    let processes = 0;
    for (const pid of processesIn(this.#namespace)) {
      const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
      // the name in parentheses may hold anything
      const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
      const key = `${pid} ${fields[19]}`;
      if (fields.length < 22 || !this.#isOurs(key, pid)) continue;
      this.#cpu.set(key, Number(fields[11]) + Number(fields[12]));
      rss += resident(pid);
      processes++;
    }
    let ticks = 0;
    for (const used of this.#cpu.values()) ticks += used;
    return { cpu: ticks / TICKS, rss, processes };
  }

  /** An orchestrator enters a node's namespace for an instant at a time: by the environment it is not of the node. */
  #isOurs(key: string, pid: number): boolean {
    let ours = this.#ours.get(key);
    if (ours === undefined) {
      const environment = attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
      ours = environment?.split('\0').includes(`KAMELAB_NODE=${this.#node}`) ?? false;
      this.#ours.set(key, ours);
    }
    return ours;
  }
}

function resident(pid: number): number {
  const status = attempt(() => readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1] ?? 0) * 1024;
}

/** A kernel's side of a node: what its interfaces and its IPv6 counted. Throws when the namespace is gone. */
export function kernelUsage(namespace: string): {
  interfaces: Record<string, InterfaceUsage>;
  counters: Record<string, number>;
} {
  const [devices, snmp6] = withNamespace(namespace, () => [
    readFileSync('/proc/thread-self/net/dev', 'latin1'),
    attempt(() => readFileSync('/proc/thread-self/net/snmp6', 'latin1')) ?? '',
  ]);
  return { interfaces: parseDevices(devices!), counters: parseSnmp6(snmp6!) };
}

/** /proc/net/dev, without the loopback. */
export function parseDevices(text: string): Record<string, InterfaceUsage> {
  const interfaces: Record<string, InterfaceUsage> = {};
  for (const [, name, figures] of text.matchAll(/^\s*([^\s:]+):\s*([\d ]+)$/gm)) {
    if (name === 'lo') continue;
    const [
      inBytes = 0,
      inPackets = 0,
      inErrors = 0,
      inDropped = 0,
      ,
      ,
      ,
      ,
      outBytes = 0,
      outPackets = 0,
      outErrors = 0,
    ] = figures!.trim().split(/\s+/).map(Number);
    interfaces[name!] = { inPackets, inBytes, inErrors, inDropped, outPackets, outBytes, outErrors };
  }
  return interfaces;
}

/** /proc/net/snmp6, without what never occurred. */
export function parseSnmp6(text: string): Record<string, number> {
  const lines = [...text.matchAll(/^(\w+)\s+(\d+)$/gm)].map(([, name, value]) => [name!, Number(value)] as const);
  return Object.fromEntries(lines.filter(([, value]) => value > 0));
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // it ended meanwhile
  }
}
