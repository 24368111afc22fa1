#!/usr/bin/env node
// The command's front, in plain JavaScript so that any Node can start it. What is behind it is TypeScript for Node 24,
// which the project installs as a dependency: an older Node runs that one.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(import.meta.dirname ?? dirname(fileURLToPath(import.meta.url)));
const own = join(root, 'node_modules/.bin/node');

const recent = Number(process.versions.node.split('.')[0]) >= 24;

if (!existsSync(join(root, 'node_modules/commander')) || (!recent && !existsSync(own))) {
  console.error(`kamelab: its dependencies are not installed; run: sh ${join(root, 'scripts/bootstrap')}`);
  process.exitCode = 1;
} else if (recent) {
  const { main } = await import('../orchestrator/cli.ts');
  process.exitCode = await main(process.argv.slice(2));
} else {
  runOn(own);
}

function runOn(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the child itself; a second one would mean: end at once.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`kamelab: ${node} does not run (${error.message}); run: sh ${join(root, 'scripts/bootstrap')}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
