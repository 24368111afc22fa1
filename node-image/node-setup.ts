/** Puts a configuration into a node, in the order of a BSD start-up: sysctls, interfaces, addresses, routes, commands. */
import type { InterfaceKind } from '#stack/link/interface.ts';
import type { Link } from '#stack/link/link.ts';
import { masked, parseAddress, parsePrefix, parseScoped } from '#stack/wire/address.ts';
import type { Node } from './node.ts';
import type { AddressConfig, InterfaceConfig, NodeConfig } from './node-config.ts';
import type { AddressOptions, ScopedAddress } from './system.ts';
import { splitWords } from './words.ts';

/** All but the commands. `connect` makes the link of an interface. Throws SystemError. */
export function setUpNode(node: Node, config: NodeConfig, connect: (config: InterfaceConfig) => Link): void {
  const { kernel } = node;
  for (const [path, content] of Object.entries(config.files)) node.files.set(path, content);
  for (const [name, value] of Object.entries(config.sysctls)) kernel.setSysctl(name, value);
  for (const entry of config.loopback) addAddress(node, 'lo0', entry);
  for (const one of config.interfaces) {
    const kind: InterfaceKind = one.mode === 'tap' ? 'ethernet' : 'pointToPoint';
    node.stack.addInterface(one.name, kind, connect(one));
    for (const entry of one.addresses) addAddress(node, one.name, entry);
    if (one.up) kernel.setUp(one.name, true);
  }
  for (const { to, via, interface: by, reject, blackhole, mtu } of config.routes) {
    const prefix = to === 'default' ? { address: new Uint8Array(16), length: 0 } : parsePrefix(to)!;
    kernel.addRoute({
      destination: { address: masked(prefix.address, prefix.length), zone: '' },
      prefixLength: prefix.length,
      ...(via === undefined ? {} : { gateway: scoped(via) }),
      ...(by === undefined ? {} : { interface: by }),
      ...(mtu === undefined ? {} : { mtu }),
      reject,
      blackhole,
    });
  }
}

/** Runs the commands one after the other, each to its end; `done` gets the first that failed, and what it said. */
export function runCommands(
  node: Node,
  commands: readonly string[],
  done: (failure: string | undefined) => void,
): void {
  const [command, ...rest] = commands;
  if (command === undefined) return done(undefined);
  let said = '';
  node.run(splitWords(command), {
    out: () => {},
    error: (text) => {
      said += text;
    },
    exited: (code) => {
      if (code === 0) runCommands(node, rest, done);
      else done(`'${command}' ended with ${code}: ${said.trim()}`);
    },
  });
}

function addAddress(node: Node, name: string, config: AddressConfig): void {
  const entry = typeof config === 'string' ? { address: config, anycast: false, eui64: false } : config;
  const { address, length } = parsePrefix(entry.address)!;
  const destination =
    'destination' in entry && entry.destination !== undefined ? parseAddress(entry.destination) : undefined;
  const options: AddressOptions = { anycast: entry.anycast, eui64: entry.eui64, ...(destination && { destination }) };
  node.kernel.addAddress(name, address, length, options);
}

function scoped(text: string): ScopedAddress {
  const { address, zone } = parseScoped(text)!;
  return { address, zone: zone ?? '' };
}
