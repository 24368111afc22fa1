/** The configuration that a command line names: a file, and interfaces beyond it. */
import { readFileSync } from 'node:fs';
import { ConfigError, EMPTY, type NodeConfig, parseConfig } from './node-config.ts';

/** Throws ConfigError, and what reading the file throws. */
export function commandLineConfig(file: string | undefined, taps: readonly string[]): NodeConfig {
  const config = file === undefined ? EMPTY : parseConfig(readFileSync(file, 'utf8'), file);
  const interfaces = [...config.interfaces];
  for (const tap of taps) {
    const [name, device = name] = tap.split(':') as [string, string | undefined];
    const extra = parseConfig(JSON.stringify({ interfaces: [{ name, device }] }), '--tap').interfaces[0]!;
    if (interfaces.some((one) => one.name === name)) {
      throw new ConfigError(`--tap ${tap}: the configuration has an interface ${name}`);
    }
    interfaces.push(extra);
  }
  return { ...config, interfaces };
}
