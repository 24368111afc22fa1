/** All of a node's state as JSON on one line, for scripts. */
import { nodeState } from '../node-state.ts';
import { UsageError } from './options.ts';
import { tool } from './tool.ts';

export const nodestate = tool('nodestate', 'usage: nodestate\n', (system, argv) => {
  if (argv.length > 0) throw new UsageError('');
  system.out(`${JSON.stringify(nodeState(system.kernel, system.hostname, system.clock.now))}\n`);
  return 0;
});
