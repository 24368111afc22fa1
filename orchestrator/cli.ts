/** The `kamelab` command. Each subcommand is a file in `commands/`; here they get their words, help and exit codes. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { down } from './commands/down.ts';
import { execute } from './commands/exec.ts';
import { collect } from './commands/gc.ts';
import { list } from './commands/ps.ts';
import { run } from './commands/run.ts';
import { serve } from './commands/serve.ts';
import { up } from './commands/up.ts';
import { validate } from './commands/validate.ts';
import { ExitCode } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

const EXIT_CODES = `
Exit codes:
  0    done; of run: every cell passed or is unsupported with a reason
  1    of run: a cell failed; of exec: the command's own code
  2    a word of the command line, or a file, is wrong; nothing was created
  3    can't run here: no driver is available, or the lab can't be built; nothing is left
  130  ended by Ctrl-C; everything was taken down`;

const DRIVERS = ['docker', 'process', 'sim'];

export async function main(argv: readonly string[]): Promise<number> {
  const end = new AbortController();
  let code: number = ExitCode.done;
  const program = build(end.signal, (result) => {
    code = result;
  });
  const interrupted = (): void => end.abort(new Interrupted());
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return end.signal.aborted ? ExitCode.interrupted : code;
  } catch (error) {
    return report(error, end.signal);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

class Interrupted extends Error {
  constructor() {
    super('interrupted');
  }
}

function report(error: unknown, signal: AbortSignal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  if (signal.aborted) {
    console.error('kamelab: interrupted; everything was taken down');
    return ExitCode.interrupted;
  }
  if (error instanceof UsageError) {
    console.error(error.message);
    return error.exitCode;
  }
  const debug = process.env['KAMELAB_DEBUG'] !== undefined;
  console.error(`kamelab: ${error instanceof Error ? (debug ? error.stack : error.message) : error}`);
  return ExitCode.cannot;
}

function build(signal: AbortSignal, ended: (code: number) => void): Command {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const program = new Command('kamelab')
    .description(
      'A testbed for IPv6 implementations: labs of real nodes on real kernel links, and scenarios that judge them.',
    )
    .version(version)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(kamelab --help tells more)')
    .addHelpText('after', EXIT_CODES);
  const driver = (): Option =>
    new Option('-d, --driver <name>', 'world to run in; without it docker, else process, else sim').choices(DRIVERS);
  const sub = (name: string, description: string, examples: string): Command =>
    program
      .command(name)
      .description(description)
      .addHelpText('after', `\nExamples:\n${examples.replace(/^/gm, '  ')}`);

  sub(
    'run',
    'run scenarios in every casting of their roles, and report',
    "kamelab run\nkamelab run nud --driver process\nkamelab run 'dad*' --impl kame --impl linux --json\nkamelab run resolve/lan/kame-linux/docker",
  )
    .argument('[scenario...]', 'names or ids of cells, with * and ?; all without')
    .option('-i, --impl <kind>', 'only castings of these implementations (again for more)', append, [])
    .addOption(driver())
    .option('-o, --output <folder>', 'where the folder of the run is made', 'results')
    .option('-j, --jobs <n>', 'cells at once', count)
    .option('--seed <n>', "instead of the topologies' own", count)
    .option('--json', 'the result as JSON on standard output')
    .option('--list', 'only say which cells there are')
    .option('--serve', 'serve the report afterwards, until Ctrl-C')
    .option('--port <n>', 'of the report', count, 8080)
    .action(async (patterns: string[], options) => ended(await run(patterns, options, signal)));

  sub(
    'serve',
    'serve the report of the last run',
    'kamelab serve\nkamelab serve results/2026-01-31T12-00-00 --port 9000',
  )
    .argument('[folder]', 'of a run', 'results/latest')
    .option('--port <n>', 'TCP port', count, 8080)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .action(async (folder: string, options) => ended(await serve(folder, options, signal)));

  sub(
    'up',
    'build a lab and leave it running',
    'kamelab up topologies/examples/two-nodes\nkamelab up lab.yaml --driver process --name mine',
  )
    .argument('<topology>', 'a topology file, or the folder that holds topology.yaml')
    .addOption(driver())
    .option('-n, --name <name>', "instead of the topology's own")
    .option('--json', 'the lab as JSON on standard output')
    .action(async (file: string, options) => ended(await up(file, options, signal)));

  sub('down', 'take labs down', 'kamelab down two-nodes\nkamelab down --all')
    .argument('[lab...]', 'names of labs')
    .option('-a, --all', 'every lab of this host')
    .action(async (names: string[], options) => ended(await down(names, options)));

  sub('ps', 'list labs and their nodes', 'kamelab ps\nkamelab ps --json')
    .option('--json', 'as JSON')
    .action(async (options) => ended(await list(options)));

  sub('exec', 'run a command in a node', 'kamelab exec two-nodes a ndp -a\nkamelab exec two-nodes b -- ip -6 neigh')
    .argument('<lab>')
    .argument('<node>')
    .argument('<command...>')
    .passThroughOptions()
    .action(async (lab: string, node: string, command: string[]) => ended(await execute(lab, node, command)));

  sub('validate', 'check topology files', 'kamelab validate topologies/examples/*/topology.yaml')
    .argument('<file...>')
    .option('--json', 'the resolved topologies as JSON')
    .action((files: string[], options) => ended(validate(files, options)));

  sub('gc', 'remove what killed runs have left, and nothing else', 'kamelab gc --dry-run\nkamelab gc')
    .option('--dry-run', 'only say what would go')
    .option('-a, --all', 'living labs too')
    .action(async (options) => ended(await collect(options)));
  return program;
}

function append(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 0xffff_ffff)
    throw new InvalidArgumentError('a whole number from 1 is wanted');
  return value;
}
