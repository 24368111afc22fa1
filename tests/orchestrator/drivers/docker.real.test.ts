import Docker from 'dockerode';
import { describe, expect, test } from 'vitest';
import { conformance } from './conformance.ts';
import { DriverUnderTest, nodeOf } from './driver-under-test.ts';

await conformance('docker');

const under = await DriverUnderTest.load('docker');

describe.skipIf(under.reason !== undefined)('containers', () => {
  test('a node has no Docker network, only NET_ADMIN and NET_RAW, and a root that is read-only even where it has files', async () => {
    await using lab = await under.up({
      name: 'inside',
      nodes: { a: { kind: 'kame' }, b: { kind: 'linux', files: { '/etc/kamelab.conf': 'x\n' } } },
      links: { ab: { type: 'p2p', nodes: ['a', 'b'] } },
    });
    for (const name of ['a', 'b']) {
      const node = nodeOf(lab, name);
      const { HostConfig } = await new Docker().getContainer(`kamelab-${lab.id}.${name}`).inspect();
      expect(HostConfig).toMatchObject({ NetworkMode: 'none', ReadonlyRootfs: true, Privileged: false });
      const status = await node.exec('grep -h ^Cap /proc/self/status /proc/1/status');
      // CAP_NET_ADMIN is bit 12, CAP_NET_RAW bit 13
      const [effective] = [...status.stdout.matchAll(/^CapEff:\s+([0-9a-f]+)$/gm)].map(([, bits]) =>
        BigInt(`0x${bits}`),
      );
      expect(effective).toBe(0x3000n);
      const touched = await node.exec('touch /kamelab/x /usr/x /x');
      expect(touched.stderr.match(/Read-only file system/g)).toHaveLength(3);
      const devices = await node.exec('ls /sys/class/net');
      expect(devices.stdout.split('\n').filter(Boolean).sort()).toEqual(name === 'b' ? ['ab', 'lo'] : ['lo']);
    }
  });
});
