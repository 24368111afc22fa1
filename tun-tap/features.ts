import { requireDeviceName } from './device-name.ts';
import { attempting } from './errors.ts';
import { type Namespace, place } from './namespace.ts';
import { native } from './native.ts';

/** Offloads of a device, as `ethtool -K` names them. Without `tx` the kernel also does without tso. */
export interface Features {
  readonly tx?: boolean | undefined;
  readonly rx?: boolean | undefined;
  readonly tso?: boolean | undefined;
  readonly gso?: boolean | undefined;
  readonly gro?: boolean | undefined;
}

/** linux/ethtool.h: ETHTOOL_S*, in the order they are set. */
const COMMANDS = { rx: 0x15, tx: 0x17, tso: 0x1f, gso: 0x24, gro: 0x2c } as const;

/** Leaves alone what is not named. A device that cannot change one throws EOPNOTSUPP. */
export function setFeatures(device: string, features: Features, namespace?: Namespace): void {
  requireDeviceName(device);
  for (const name of Object.keys(COMMANDS) as (keyof Features)[]) {
    const on = features[name];
    if (on === undefined) continue;
    attempting({ operation: `set ${name} ${on ? 'on' : 'off'} of`, device, namespace }, () =>
      native().ethtoolSet(place(namespace), device, COMMANDS[name], on ? 1 : 0),
    );
  }
}
