/** A node's counters as Prometheus text (exposition format 0.0.4). ST-06. */
import { text } from '#stack/counters.ts';
import type { Kernel } from './system.ts';

const INTERFACE_COUNTERS = [
  ['in_packets', 'inPackets'],
  ['in_bytes', 'inBytes'],
  ['in_errors', 'inErrors'],
  ['in_dropped', 'inDropped'],
  ['out_packets', 'outPackets'],
  ['out_bytes', 'outBytes'],
  ['out_errors', 'outErrors'],
] as const;

export function metrics(kernel: Kernel): string {
  const lines: string[] = [];
  for (const [protocol, sentences] of Object.entries(text)) {
    lines.push(
      `# HELP kame_${protocol}_total Counters of netstat -s -p ${protocol}.`,
      `# TYPE kame_${protocol}_total counter`,
    );
    const counters: Readonly<Record<string, number>> = kernel.counters[protocol as keyof typeof text];
    for (const name of Object.keys(sentences))
      lines.push(`kame_${protocol}_total{counter="${name}"} ${counters[name]}`);
  }
  for (const direction of ['In', 'Out'] as const) {
    lines.push(`# TYPE kame_icmp6_${direction.toLowerCase()}_total counter`);
    for (const [type, count] of kernel.histograms[`icmp6${direction}`].entries()) {
      if (count > 0) lines.push(`kame_icmp6_${direction.toLowerCase()}_total{type="${type}"} ${count}`);
    }
  }
  const interfaces = kernel.interfaces();
  for (const [name, field] of INTERFACE_COUNTERS) {
    lines.push(`# TYPE kame_interface_${name}_total counter`);
    for (const info of interfaces) lines.push(`kame_interface_${name}_total{interface="${info.name}"} ${info[field]}`);
  }
  lines.push('# TYPE kame_interface_up gauge');
  for (const { name, up, running } of interfaces) {
    lines.push(`kame_interface_up{interface="${name}"} ${up && running ? 1 : 0}`);
  }
  lines.push('# TYPE kame_neighbors gauge');
  const states = new Map<string, number>();
  for (const { state } of kernel.neighbors()) states.set(state, (states.get(state) ?? 0) + 1);
  for (const [state, count] of states) lines.push(`kame_neighbors{state="${state}"} ${count}`);
  return `${lines.join('\n')}\n`;
}
