/** This process as Prometheus knows processes, and what its event loop does. */
import { performance } from 'node:perf_hooks';
import { cpuUsage, memoryUsage } from 'node:process';
import { type Family, single } from './exposition.ts';

export function processMetrics(): Family[] {
  const { user, system } = cpuUsage();
  const { active, idle } = performance.eventLoopUtilization();
  const { rss, heapUsed } = memoryUsage();
  return [
    single('process_cpu_seconds_total', 'counter', 'Processor time used, user and system.', (user + system) / 1e6),
    single('process_start_time_seconds', 'gauge', 'Start of the process, since 1970.', performance.timeOrigin / 1000),
    single('process_resident_memory_bytes', 'gauge', 'Resident memory.', rss),
    single('kame_heap_used_bytes', 'gauge', 'Memory of JavaScript objects.', heapUsed),
    {
      name: 'kame_event_loop_seconds_total',
      type: 'counter',
      help: 'Time of the event loop, at work and waiting.',
      samples: [
        { labels: { state: 'active' }, value: active / 1000 },
        { labels: { state: 'idle' }, value: idle / 1000 },
      ],
    },
  ];
}
