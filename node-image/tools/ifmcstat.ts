/** Groups each interface listens to. KAME: ifmcstat(8). */
import { formatMac, multicastMac } from '#stack/wire/ethernet.ts';
import { formatAddress } from './address-text.ts';
import { getopt, UsageError } from './options.ts';
import { tool } from './tool.ts';

export const ifmcstat = tool('ifmcstat', 'usage: ifmcstat [-i interface] [-f inet6]\n', (system, argv) => {
  const options = getopt(argv, 'i:f:');
  if (options.operands.length > 0) throw new UsageError('');
  const only = options.value('i');
  const kernel = system.kernel;
  for (const info of only === undefined ? kernel.interfaces() : [kernel.interface(only)]) {
    system.out(`${info.name}:\n`);
    for (const { address } of info.addresses) system.out(`\tinet6 ${formatAddress({ address, zone: info.name })}\n`);
    for (const { group, joins } of kernel.groups(info.name)) {
      system.out(`\t\tgroup ${formatAddress({ address: group, zone: info.name })} refcnt ${joins}\n`);
      if (info.kind === 'ethernet') system.out(`\t\t\tmcast-macaddr ${formatMac(multicastMac(group))}\n`);
    }
  }
  return 0;
});
