/** A Linux host: a network namespace with the kernel's own IPv6 in it, and the programs that people use there. */
import { spawn } from 'node:child_process';
import { createNamespace, deleteNamespace, link, withNamespace, writeSysctl } from 'tun-tap';
import type { ExecResult } from '#orchestrator/drivers/driver.ts';

export class LinuxHost {
  readonly namespace: string;

  /** Sees no duplicates: its addresses can be used at once. */
  constructor(namespace: string) {
    createNamespace(namespace);
    this.namespace = namespace;
    for (const which of ['all', 'default']) {
      this.sysctl(`conf.${which}.accept_dad`, 0);
      this.sysctl(`conf.${which}.accept_ra`, 0);
    }
    link.setUp('lo', namespace);
  }

  /** `name` is what follows `net.ipv6.`. */
  sysctl(name: string, value: number): void {
    writeSysctl(this.namespace, `net.ipv6.${name}`, value);
  }

  /** Of a device that is here already. */
  up(device: string, address: string): void {
    link.addAddress({ device, namespace: this.namespace, address, noDad: true });
    link.setUp(device, this.namespace);
  }

  run(command: string): Promise<ExecResult> {
    const [file, ...argv] = command.split(' ');
    return new Promise((resolve, reject) => {
      const child = withNamespace(this.namespace, () => spawn(file!, argv, { env: { ...process.env, LC_ALL: 'C' } }));
      const said = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream].setEncoding('utf8').on('data', (text) => {
          said[stream] += text;
        });
      }
      child.once('error', reject);
      child.once('close', (code) => resolve({ code: code ?? 137, ...said }));
    });
  }

  /** Its standard output; it must succeed. */
  async output(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(command);
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Its state of the neighbor, such as REACHABLE; undefined without an entry. */
  async neighbor(address: string, device: string): Promise<string | undefined> {
    return (await this.output(`ip -6 neigh show ${address} dev ${device}`)).match(/\b([A-Z]+)\s*$/)?.[1];
  }

  end(): void {
    deleteNamespace(this.namespace);
  }
}
