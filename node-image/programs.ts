/** Every tool and daemon of a node by the name it is called. */
import type { Program } from './system.ts';
import { hostname } from './tools/hostname.ts';
import { ifconfig } from './tools/ifconfig.ts';
import { ifmcstat } from './tools/ifmcstat.ts';
import { ndp } from './tools/ndp.ts';
import { netstat } from './tools/netstat.ts';
import { nodestate } from './tools/nodestate.ts';
import { ping6 } from './tools/ping6.ts';
import { route } from './tools/route.ts';
import { sysctl } from './tools/sysctl.ts';
import { tcpdump } from './tools/tcpdump.ts';
import { traceroute6 } from './tools/traceroute6.ts';

export const programs: ReadonlyMap<string, Program> = new Map(
  Object.entries({ hostname, ifconfig, ifmcstat, ndp, netstat, nodestate, ping6, route, sysctl, tcpdump, traceroute6 }),
);
