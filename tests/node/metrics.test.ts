import { expect, test } from 'vitest';
import { metrics } from '#node/metrics.ts';
import { pair } from './nodes.ts';

test('ST-06 every counter is a sample of Prometheus text', () => {
  const { a, run } = pair();
  run('ping6 -c 1 2001:db8::2');
  const text = metrics(a.kernel);
  expect(text).toContain('# TYPE kame_icmp6_in_total counter\nkame_icmp6_in_total{type="129"} 1\n');
  expect(text).toMatch(/^kame_ip6_total\{counter="received"\} [1-9]\d*$/m);
  expect(text).toContain('kame_interface_up{interface="tap0"} 1\n');
  expect(text).toContain('kame_neighbors{state="reachable"} 1\n');
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(# (HELP|TYPE) kame_\w+ .+|kame_\w+(\{\w+="\w+"\})? \d+)$/);
});
