import { expect, test } from 'vitest';
import { parseDevices, parseSnmp6 } from '#orchestrator/node-usage.ts';

test('interfaces are read from /proc/net/dev, the loopback left out', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     152       1    0    0    0     0          0         0      152       1    0    0    0     0       0          0
    ab:    1160      12    3    4    0     0          0         5     1004      10    6    7    0     0       0          0
 long0:9007199254740991       2    0    0    0     0          0         0        0       0    0    0    0     0       0          0
`;
  expect(parseDevices(text)).toEqual({
    ab: { inBytes: 1160, inPackets: 12, inErrors: 3, inDropped: 4, outBytes: 1004, outPackets: 10, outErrors: 6 },
    long0: expect.objectContaining({ inBytes: 9007199254740991, inPackets: 2, outPackets: 0 }),
  });
});

test('counters of the kernel are those that occurred', () => {
  expect(parseSnmp6('Ip6InReceives                   \t10\nIp6InDiscards                   \t0\nnonsense\n')).toEqual({
    Ip6InReceives: 10,
  });
});
