/**
 * The `kamelab` command. Each subcommand is a file in `commands/`, loaded when it is called; here they get their words, help
 * and exit codes.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { DRIVER_NAMES } from './drivers/choose.ts';
import { ExitCode } from './exit-code.ts';
import { didYouMean } from './topology-problems.ts';
import { UsageError } from './usage-error.ts';

const EXIT_CODES = `
Exit codes:
  0    done; of run: no cell failed. One that is unsupported, is known to fail or is inconclusive (the machine was too busy to
       tell, twice) says so with its reason
  1    of run: a cell failed, is flaky (failed, then passed; see --allow-flaky), is known to fail and passes now (see
       --allow-now-passing), or the testbed broke; of diff: a cell fails that did not; of exec: the command's own code
  2    a word of the command line, or a file, is wrong; nothing was created
  3    can't run here: no driver is available, or the lab can't be built; nothing is left
  130  ended by Ctrl-C; everything was taken down`;

const KAME_NODE = `
Tools of a kame node also run from outside, as every program does that knows KAME_NODE:
  KAME_NODE=$(kamelab ps --control two-nodes a) node-image/bin/ndp -a`;

/** What is still going on this long after an end was asked for has failed to end. Milliseconds. */
const PATIENCE = 60_000;

export async function main(argv: readonly string[]): Promise<number> {
  const end = new AbortController();
  let code: number = ExitCode.done;
  const program = build(end.signal, (result) => {
    code = result;
  });
  const stop = (reason: Error): void => {
    end.abort(reason);
    setTimeout(() => process.exit(ExitCode.cannot), PATIENCE).unref();
  };
  const broken = (error: unknown): void => stop(error instanceof Error ? error : new Error(String(error)));
  process.on('uncaughtException', broken).on('unhandledRejection', broken);
  // `kamelab ps | head -1`
  process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? undefined : broken(error)));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const interrupted = (): void => {
    if (end.signal.aborted) {
      console.error('kamelab: ended at once; `kamelab gc` removes what is left');
      process.exit(ExitCode.interrupted);
    }
    stop(new Interrupted());
  };
  // a command run by exec has the terminal: it is its to end
  if (argv[0] !== 'exec') for (const signal of signals) process.on(signal, interrupted);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return end.signal.aborted && !(end.signal.reason instanceof Interrupted) ? report(end.signal.reason) : code;
  } catch (error) {
    return report(end.signal.aborted ? end.signal.reason : error);
  } finally {
    for (const signal of signals) process.off(signal, interrupted);
    process.off('uncaughtException', broken).off('unhandledRejection', broken);
  }
}

class Interrupted extends Error {
  constructor() {
    super('interrupted; everything was taken down');
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage;
  if (error instanceof UsageError) {
    console.error(error.message);
    return error.exitCode;
  }
  const debug = process.env['KAMELAB_DEBUG'] !== undefined;
  console.error(`kamelab: ${error instanceof Error ? (debug ? error.stack : error.message) : error}`);
  return error instanceof Interrupted ? ExitCode.interrupted : ExitCode.cannot;
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
  const driver = (names: string): Option =>
    new Option('-d, --driver <name>', `world to run in; without it ${names}`).argParser(driverName);
  const sub = (name: string, description: string, examples: string, more = ''): Command =>
    program
      .command(name)
      .description(description)
      .addHelpText('after', `\nExamples:\n${examples.replace(/^/gm, '  ')}${more === '' ? '' : `\n${more}`}`);

  sub(
    'run',
    'run scenarios in every casting of their roles, and report',
    "kamelab run\nkamelab run nud --driver process\nkamelab run 'dad*' --impl kame --impl linux --json\nkamelab run resolve/lan/kame-linux/docker\nkamelab run --resume",
  )
    .argument('[scenario...]', 'names or ids of cells, with * and ?; all without')
    .option('-i, --impl <kind>', 'only castings of these implementations (again for more)', append, [])
    .addOption(driver('docker, else process, and sim; else sim alone'))
    .option('-o, --output <folder>', 'where the folder of the run is made', 'results')
    .option('-j, --jobs <n>', 'cells at once', count)
    .option('--seed <n>', "instead of the topologies' own", seed)
    .option('--json', 'the result as JSON on standard output')
    .option('--list', 'only say which cells there are')
    .option('--baseline <file>', 'cells that are known to fail (default: topologies/known-failures.yaml)')
    .option('--no-baseline', 'nothing is known to fail')
    .option('--allow-now-passing', 'a known failure that passes does not fail the run')
    .option('--allow-flaky', 'neither does a cell that failed and then passed')
    .option('--retries <0|1>', 'how often a cell in real time that failed is run again, alone', whole(0, 1))
    .option('--resume [folder]', 'go on with a run that was broken off, the last without a folder')
    .option('--serve', 'serve the report afterwards, until Ctrl-C')
    .option('--port <n>', 'of the report', port, 8080)
    .action(async (patterns: string[], options) => {
      const { run } = await import('./commands/run.ts');
      ended(await run(patterns, options, signal));
    });

  sub(
    'diff',
    'tell two runs apart: outcomes, and measured values',
    'kamelab diff 20260131T120000Z-3fa9 latest\nkamelab diff results/20260131T120000Z-3fa9 latest --beyond 10 --json',
  )
    .argument('<old>', 'the folder of a run, or its name in the results')
    .argument('<new>', 'the same of the other')
    .option('-o, --output <folder>', 'where the folders of runs are', 'results')
    .option('--beyond <percent>', 'how much a measured value must differ to be told', whole(0, 100_000), 25)
    .option('--json', 'as JSON')
    .action(async (before: string, after: string, options) => {
      const { diff } = await import('./commands/diff.ts');
      ended(diff(before, after, options));
    });

  sub(
    'serve',
    'serve the report of the last run',
    'kamelab serve\nkamelab serve results/2026-01-31T12-00-00 --port 9000',
  )
    .argument('[folder]', 'of a run', 'results/latest')
    .option('--port <n>', 'TCP port', port, 8080)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .action(async (folder: string, options) => {
      const { serve } = await import('./commands/serve.ts');
      ended(await serve(folder, options, signal));
    });

  sub(
    'up',
    'build a lab and leave it running',
    'kamelab up topologies/examples/two-nodes\nkamelab up lab.yaml --driver process --name mine',
  )
    .argument('<topology>', 'a topology file, or the folder that holds topology.yaml')
    .addOption(driver('docker, else process'))
    .option('-n, --name <name>', "instead of the topology's own")
    .option('--json', 'the lab as JSON on standard output')
    .action(async (file: string, options) => {
      const { up } = await import('./commands/up.ts');
      ended(await up(file, options, signal));
    });

  sub('down', 'take labs down', 'kamelab down two-nodes\nkamelab down --all')
    .argument('[lab...]', 'names of labs')
    .option('-a, --all', 'every lab that up has left running')
    .action(async (names: string[], options) => {
      const { down } = await import('./commands/down.ts');
      ended(await down(names, options));
    });

  sub('ps', 'list labs and their nodes', 'kamelab ps\nkamelab ps two-nodes --json', KAME_NODE)
    .argument('[lab]', 'only this one')
    .argument('[node]', 'only this one of its nodes')
    .option('--json', 'as JSON')
    .option('--control', 'only the control sockets of kame nodes, for KAME_NODE')
    .action(async (lab: string | undefined, node: string | undefined, options) => {
      const { list } = await import('./commands/ps.ts');
      ended(await list(lab, node, options));
    });

  sub(
    'exec',
    'run a command in a node',
    'kamelab exec two-nodes a ndp -a\nkamelab exec two-nodes b -- ip -6 neigh',
    KAME_NODE,
  )
    .argument('<lab>')
    .argument('<node>')
    .argument('<command...>')
    .passThroughOptions()
    .action(async (lab: string, node: string, command: string[]) => {
      const { execute } = await import('./commands/exec.ts');
      ended(await execute(lab, node, command[0] === '--' ? command.slice(1) : command));
    });

  sub(
    'metrics',
    'counters and load of the labs on this host, as Prometheus text',
    'kamelab metrics\nkamelab metrics two-nodes\nkamelab metrics --listen 9464',
  )
    .argument('[lab...]', 'names of labs; all without')
    .option('-l, --listen <port>', 'serve them at http://127.0.0.1:PORT/metrics, until Ctrl-C', port)
    .action(async (labs: string[], options) => {
      const { metrics } = await import('./commands/metrics.ts');
      ended(await metrics(labs, options, signal));
    });

  sub('validate', 'check topology files', 'kamelab validate topologies/examples/*/topology.yaml')
    .argument('<file...>', 'topology files, or folders that hold a topology.yaml')
    .option('--json', 'the resolved topologies as JSON')
    .action(async (files: string[], options) => {
      const { validate } = await import('./commands/validate.ts');
      ended(validate(files, options));
    });

  sub('gc', 'remove what killed runs have left, and nothing else', 'kamelab gc --dry-run\nkamelab gc')
    .option('--dry-run', 'only say what would go')
    .option('-a, --all', 'living labs too')
    .action(async (options) => {
      const { collect } = await import('./commands/gc.ts');
      ended(await collect(options));
    });

  return program;
}

function driverName(text: string): string {
  if ((DRIVER_NAMES as string[]).includes(text)) return text;
  const hint = didYouMean(text, DRIVER_NAMES);
  throw new InvalidArgumentError(`There are ${DRIVER_NAMES.join(', ')}${hint}.`.replace('?.', '?'));
}

function append(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** A whole number within bounds. */
const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`A whole number from ${least} to ${most} is wanted.`);
    return value;
  };
const count = whole(1, 1000);
const port = whole(0, 65_535);
const seed = whole(0, 0xffff_ffff);
