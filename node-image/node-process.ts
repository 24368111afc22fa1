/**
 * kame-node: one kame node as a process, on TAP or TUN devices. Needs no orchestrator.
 *
 *   kame-node --control /run/a.sock --config node.yaml [--tap name[:device]]... [--hold] [--die-with-stdin]
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { NetworkError, TunTap } from 'tun-tap';
import { SeededRandom } from '#stack/env/random.ts';
import { NO_OFFLOAD, type Offload } from '#stack/link/link.ts';
import { Pool } from '#stack/packet/pool.ts';
import { parseMac } from '#stack/wire/ethernet.ts';
import { ControlError, ControlServer } from './control-server.ts';
import { Node } from './node.ts';
import type { InterfaceConfig, NodeConfig } from './node-config.ts';
import { runCommands, setUpNode } from './node-setup.ts';
import { RealClock } from './real-clock.ts';
import { RealRandom } from './real-random.ts';
import { SystemError } from './system.ts';
import { TapLink } from './tap-link.ts';

const USAGE = `usage: kame-node --control socket [--config node.yaml] [--tap name[:device]]... [--hold] [--die-with-stdin]

  --control path      where tools find the node: KAME_NODE=path ndp -a
  --config file       YAML: hostname, interfaces, routes, sysctls, commands, files
  --checked file      the same as JSON with every field, checked before: what the orchestrator writes
  --tap name[:device] an interface on a TAP device, beyond those of the file; made if it is not there
  --hold              links have no carrier until the control socket is told that they are connected
  --die-with-stdin    end when standard input does
`;

/** Exit codes: 0 told to end, 1 it can't go on, 2 command line or configuration wrong. */
const FAILED = 1;
const WRONG = 2;
/** How often devices are asked whether they are up: while one is down, and otherwise. Milliseconds. */
const CARRIER_WAIT = 20;
const CARRIER_CHECK = 500;

function fail(message: string, code: number): never {
  process.stderr.write(`kame-node: ${message}\n`);
  process.exit(code);
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        control: { type: 'string' },
        config: { type: 'string' },
        checked: { type: 'string' },
        tap: { type: 'string', multiple: true, default: [] },
        hold: { type: 'boolean', default: false },
        'die-with-stdin': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    if (values.control === undefined) return fail(`--control is missing\n${USAGE}`, WRONG);
    return { ...values, control: values.control };
  } catch (error) {
    return fail(`${(error as Error).message}\n${USAGE}`, WRONG);
  }
}

/** What is written by hand is parsed and checked; that takes a third of a node's start, so it is loaded only then. */
async function readConfig({
  config,
  tap,
  checked,
}: {
  config?: string;
  tap: string[];
  checked?: string;
}): Promise<NodeConfig> {
  if (checked !== undefined) return JSON.parse(readFileSync(checked, 'utf8')) as NodeConfig;
  const { commandLineConfig } = await import('./command-line-config.ts');
  const { ConfigError } = await import('./node-config.ts');
  try {
    return commandLineConfig(config, tap);
  } catch (error) {
    if (error instanceof ConfigError) return fail(`configuration:\n${error.message}`, WRONG);
    return fail(`${config}: ${(error as Error).message}`, WRONG);
  }
}

/** The devices, and which of them have carrier. */
class Devices {
  readonly #opened: { device: TunTap; link: TapLink }[] = [];
  #held: boolean;
  #timeout: NodeJS.Timeout | undefined;

  constructor(held: boolean) {
    this.#held = held;
  }

  open(config: InterfaceConfig, pool: Pool): TapLink {
    const { mode, mtu, offload } = config;
    const name = config.device ?? config.name;
    const { device, takes } = openDevice(name, mode, offload);
    const mac = mode === 'tun' ? undefined : config.mac === undefined ? randomMac() : parseMac(config.mac);
    const link = new TapLink(device, { mtu, mac, pool, offload: takes });
    this.#opened.push({ device, link });
    return link;
  }

  start(): void {
    for (const { link } of this.#opened) link.start((error) => process.stderr.write(`kame-node: ${error.message}\n`));
    this.#follow();
  }

  /** The far ends are in place. */
  release(): void {
    this.#held = false;
    clearTimeout(this.#timeout);
    this.#follow();
  }

  close(): void {
    for (const { link } of this.#opened) link.close();
  }

  #follow(): void {
    this.#look();
    const waiting = !this.#held && this.#opened.some(({ link }) => !link.carrier);
    this.#timeout = setTimeout(() => this.#follow(), waiting ? CARRIER_WAIT : CARRIER_CHECK);
    this.#timeout.unref();
  }

  #look(): void {
    for (const { device, link } of this.#opened) if (!device.closed) link.setCarrier(!this.#held && device.up);
  }
}

/** With all the offload that this kernel has. */
function openDevice(name: string, mode: 'tap' | 'tun', offload: boolean): { device: TunTap; takes: Offload } {
  if (!offload) return { device: TunTap.open({ name, mode }), takes: NO_OFFLOAD };
  const open = (uso: boolean): { device: TunTap; takes: Offload } => ({
    device: TunTap.open({
      name,
      mode,
      vnetHeader: true,
      offload: { checksum: true, tso6: true, uso4: uso, uso6: uso },
    }),
    takes: { checksum: true, tso6: true, tso4: false, uso },
  });
  try {
    return open(true);
  } catch (error) {
    // UDP segmentation came with Linux 6.2
    if (!(error instanceof NetworkError) || error.syscall !== 'TUNSETOFFLOAD') throw error;
    return open(false);
  }
}

/** Locally administered, unicast. */
function randomMac(): Uint8Array {
  const mac = new Uint8Array(6);
  new RealRandom().bytes(mac);
  mac[0] = (mac[0]! & 0xfc) | 2;
  return mac;
}

const options = readArguments();
const config = await readConfig(options);
const clock = new RealClock();
const epoch = performance.timeOrigin;
const pool = new Pool();
const devices = new Devices(options.hold || config.hold);

const node = new Node({
  clock,
  random: config.seed === undefined ? new RealRandom() : new SeededRandom(config.seed),
  pool,
  hostname: config.hostname ?? hostname(),
  date: () => epoch + clock.now,
  readFile: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
});
// what a BSD kernel writes to syslog
node.onEvent((event) => {
  if (event.type !== 'log') return;
  process.stderr.write(`${new Date(epoch + event.time).toISOString()} ${node.stack.hostname}: ${event.message}\n`);
});

const control = new ControlServer(node, { path: resolve(options.control), epoch, connected: () => devices.release() });

function end(code: number): void {
  node.end();
  devices.close();
  control.close();
  process.exit(code);
}
// whoever read our output may be gone before us
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
process.on('SIGTERM', () => end(0));
process.on('SIGINT', () => end(0));
if (options['die-with-stdin'])
  process.stdin
    .on('end', () => end(0))
    .on('error', () => end(0))
    .resume();

try {
  setUpNode(node, config, (one) => devices.open(one, pool));
  devices.start();
  await control.listen();
} catch (error) {
  const known =
    error instanceof ControlError ||
    error instanceof NetworkError ||
    error instanceof SystemError ||
    (error as { syscall?: string }).syscall !== undefined;
  if (!known) throw error;
  fail((error as Error).message, FAILED);
}
runCommands(node, config.commands, (failure) => {
  if (failure !== undefined) {
    process.stderr.write(`kame-node: ${failure}\n`);
    return end(FAILED);
  }
  process.stdout.write(
    `${JSON.stringify({ ready: true, control: options.control, interfaces: config.interfaces.map(({ name }) => name) })}\n`,
  );
});
