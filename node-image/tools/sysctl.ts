/** Reads and sets tunables by name. sysctl(8), in NetBSD's form. */

import { type System, SystemError } from '../system.ts';
import { getopt, ToolError, UsageError } from './options.ts';
import { tool } from './tool.ts';

const USAGE = `usage: sysctl [-n] name ...
       sysctl [-n] -a
       sysctl [-nq] [-w] name=value ...
`;

export const sysctl = tool('sysctl', USAGE, (system, argv) => {
  const options = getopt(argv, 'anqw');
  const bare = options.has('n');
  if (options.has('a')) {
    for (const name of system.kernel.sysctlNames()) print(system, name, bare);
    return 0;
  }
  if (options.operands.length === 0) throw new UsageError('');
  let failed = false;
  for (const word of options.operands) {
    try {
      one(system, word, bare, options.has('q'), options.has('w'));
    } catch (error) {
      if (!(error instanceof ToolError || error instanceof SystemError)) throw error;
      system.error(`sysctl: ${error.message}\n`);
      failed = true;
    }
  }
  return failed ? 1 : 0;
});

function one(system: System, word: string, bare: boolean, quiet: boolean, write: boolean): void {
  const kernel = system.kernel;
  const equals = word.indexOf('=');
  if (equals < 0) {
    if (write) throw new ToolError(`${word}: no value given, as in name=value`);
    const names = kernel.sysctlNames();
    const below = names.filter((name) => name === word || name.startsWith(`${word}.`));
    if (below.length === 0) throw new ToolError(`unknown name '${word}'`);
    for (const name of below) print(system, name, bare);
    return;
  }
  const name = word.slice(0, equals);
  const text = word.slice(equals + 1);
  if (!kernel.sysctlNames().includes(name)) throw new ToolError(`unknown name '${name}'`);
  const old = kernel.sysctl(name);
  if (typeof old === 'number' && !/^-?[0-9]+$/.test(text)) throw new ToolError(`${name}: '${text}' is not a number`);
  kernel.setSysctl(name, typeof old === 'number' ? Number(text) : text);
  const now = kernel.sysctl(name);
  if (!quiet) system.out(bare ? `${now}\n` : `${name}: ${old} -> ${now}\n`);
}

function print(system: System, name: string, bare: boolean): void {
  const value = system.kernel.sysctl(name);
  system.out(bare ? `${value}\n` : `${name} = ${value}\n`);
}
