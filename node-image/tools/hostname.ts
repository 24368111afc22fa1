/** Prints or sets the node's name. hostname(1). */
import { getopt } from './options.ts';
import { tool } from './tool.ts';

export const hostname = tool('hostname', 'usage: hostname [-s] [name]\n', (system, argv) => {
  const options = getopt(argv, 's');
  const name = options.operands[0];
  if (name !== undefined) system.kernel.setSysctl('kern.hostname', name);
  else {
    const full = String(system.kernel.sysctl('kern.hostname'));
    system.out(`${options.has('s') ? full.split('.')[0] : full}\n`);
  }
  return 0;
});
