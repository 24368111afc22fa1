/** What a run leaves on disk, and when. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LinkRecord } from '#orchestrator/capture.ts';
import { CaptureFile } from '#orchestrator/capture-file.ts';
import { gather } from '#orchestrator/evidence.ts';
import type { RunResult } from '#orchestrator/outcome.ts';
import type { Timeline } from '#orchestrator/report/timeline.ts';
import { topologyText } from '#orchestrator/report/topology-text.ts';
import { RunFolder } from '#orchestrator/results.ts';
import { loadTopology, parseTopology, type Topology, topology } from '#orchestrator/topology.ts';
import { UsageError } from '#orchestrator/usage-error.ts';
import {
  conversation,
  EPOCH,
  echo,
  sampleCells,
  sampleLab,
  sampleOptions,
  sampleResult,
  sampleTopology,
  solicitation,
  writeCell,
} from './report-sample.ts';

let results: string;
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), 'results-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(results, { recursive: true, force: true });
});

const json = <T>(...path: string[]): T => JSON.parse(readFileSync(join(...path), 'utf8')) as T;
const [first, second] = sampleCells as [(typeof sampleCells)[number], (typeof sampleCells)[number]];

describe('the folder of a run', () => {
  test('is named by its time, and latest leads to the newest', async () => {
    const old = await RunFolder.create(results, sampleOptions);
    expect(old.path).toMatch(/\/20260131T120000Z-[0-9a-f]{4}$/);
    const newer = await RunFolder.create(results, { ...sampleOptions, started: sampleOptions.started + 1000 });
    expect(join(results, readlinkSync(join(results, 'latest')))).toBe(newer.path);
    expect(readdirSync(results)).toHaveLength(3);
  });

  test('holds the cells that have finished, in the order of the matrix, before the run ends', async () => {
    const run = await RunFolder.create(results, { ...sampleOptions, cells: [first.id, second.id] });
    expect(json<RunResult>(run.path, 'results.json').cells).toEqual([]);
    await writeCell(run, second);
    expect(json<RunResult>(run.path, 'results.json').cells.map(({ id }) => id)).toEqual([second.id]);
    await writeCell(run, first);
    expect(json<RunResult>(run.path, 'results.json')).toMatchObject({
      kamelab: '0.1.0',
      started: sampleOptions.started,
      host: sampleOptions.host,
      cells: [{ id: first.id }, { id: second.id }],
    });
    expect(globSync('**/*.unfinished', { cwd: run.path })).toEqual([]);
  });

  test('a cell that was killed leaves its captures and no result', async () => {
    const run = await RunFolder.create(results, sampleOptions);
    const cell = run.caseFolder(first);
    await cell.begin(sampleTopology());
    expect(readdirSync(join(run.path, cell.relative)).sort()).toEqual(['ab.pcapng', 'lan0.pcapng', 'topology.yaml']);
  });

  test('a resumed run keeps what has finished, even what only the case folder tells', async () => {
    const run = await RunFolder.create(results, sampleOptions);
    await writeCell(run, first);
    // killed before the second cell's result came into results.json
    const before = readFileSync(join(run.path, 'results.json'));
    await writeCell(run, second);
    writeFileSync(join(run.path, 'results.json'), before);

    const resumed = await RunFolder.create(results, {
      ...sampleOptions,
      started: sampleOptions.started + 60_000,
      resume: 'latest',
    });
    expect(resumed.path).toBe(run.path);
    expect(resumed.finished(first.id)?.outcome).toBe('pass');
    expect(resumed.finished(second.id)?.outcome).toBe('pass');
    expect(resumed.finished('resolve/lan/linux-linux/docker')).toBeUndefined();
    const { started, cells } = await resumed.finish({ duration: 1 });
    expect([started, cells.length]).toEqual([sampleOptions.started, 2]);
  });

  test('a run that is not there can not be resumed', async () => {
    await expect(RunFolder.create(results, { ...sampleOptions, resume: 'latest' })).rejects.toThrow(UsageError);
  });

  test('a cell that is run again leaves nothing of the first time', async () => {
    const run = await RunFolder.create(results, sampleOptions);
    await writeCell(run, first);
    const cell = run.caseFolder(first);
    await cell.end({ ...first, outcome: 'unsupported', reason: 'no TAP' });
    expect(readdirSync(join(run.path, cell.relative))).toEqual(['result.json']);
    expect(run.result.cells.map(({ outcome }) => outcome)).toEqual(['unsupported']);
  });
});

describe('the capture of a link', () => {
  const capture = (name: string, medium: 'ethernet' | 'tun' = 'ethernet') =>
    new CaptureFile(join(results, name), { name: 'ab', medium });

  test('of one run is byte for byte that of another', async () => {
    for (const name of ['one', 'two']) {
      await writeCell(await RunFolder.create(join(results, name), sampleOptions), first);
    }
    const file = (name: string) => readFileSync(join(results, name, 'latest', first.folder, 'ab.pcapng'));
    expect(file('one').length).toBeGreaterThan(1000);
    expect(file('one').equals(file('two'))).toBe(true);
  });

  test('is a capture from the start, without a frame', () => {
    const file = capture('empty.pcapng', 'tun');
    const v = new DataView(new Uint8Array(readFileSync(join(results, 'empty.pcapng'))).buffer);
    const header = v.getUint32(4, true);
    expect([v.getUint32(0, true), v.getUint32(header, true), v.getUint16(header + 8, true)]).toEqual([
      0x0a0d0d0a, 1, 101,
    ]);
    file.close();
  });

  test('is on disk after a second, or a megabyte', () => {
    vi.useFakeTimers();
    const file = capture('ab.pcapng');
    const size = () => statSync(join(results, 'ab.pcapng')).size;
    const empty = size();
    file.frame(solicitation('a'), 1, EPOCH);
    vi.advanceTimersByTime(999);
    expect(size()).toBe(empty);
    vi.advanceTimersByTime(1);
    expect(size()).toBeGreaterThan(empty + 86);
    const before = size();
    for (let count = 0; count < 17; count++) file.frame(new Uint8Array(60_000), 2, EPOCH);
    expect(size()).toBeGreaterThan(before + 1_000_000);
    file.close();
    file.frame(solicitation('a'), 3, EPOCH); // late, and of no interest
    file.close();
  });

  test.skipIf(spawnSync('tshark', ['-v']).status !== 0)('is read by tshark: times, lengths, no malformed frame', () => {
    const file = capture('ab.pcapng');
    const record = new LinkRecord(sampleTopology().links[0]!, ({ bytes, time, from }) =>
      file.frame(bytes, time, EPOCH, from),
    );
    conversation(record);
    file.close();
    const fields = [
      'frame.time_epoch',
      'frame.len',
      'icmpv6.type',
      'icmpv6.checksum.status',
      'frame.comment',
      '_ws.malformed',
    ];
    const output = execFileSync(
      'tshark',
      [
        '-r',
        join(results, 'ab.pcapng'),
        '-T',
        'fields',
        '-E',
        'separator=|',
        ...fields.flatMap((field) => ['-e', field]),
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const lines = output.trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe('990748800.012500000|86|135|1|from a|');
    expect(lines[3]).toBe('990748800.250400000|118|129|1|from b|');
  });
});

describe('topology.yaml', () => {
  const shape = ({ name, description, seed, nodes, links }: Topology) => ({ name, description, seed, nodes, links });

  test.each(globSync('topologies/examples/*/topology.yaml').sort())(
    'of %s is the same lab when it is read again',
    (path) => {
      const lab = loadTopology(path);
      expect(shape(parseTopology(topologyText(lab), 'again'))).toEqual(shape(lab));
    },
  );

  test('keeps all that a node can have', () => {
    const lab = topology({
      name: 'all',
      description: 'Everything: "quoted"',
      seed: 9,
      nodes: {
        a: {
          kind: 'linux',
          hostname: 'gate',
          forwarding: true,
          addresses: ['2001:db8:f::1%lo/128'],
          routes: [
            { to: 'default', via: 'fe80::2%eth0' },
            { to: '2001:db8:2::/48', reject: true },
          ],
          sysctls: { 'net.ipv6.conf.all.hop_limit': 3 },
          files: { '/etc/a.conf': 'one\n\ttwo\n' },
          commands: ['echo "1 2"'],
          daemons: [{ run: 'radvd -n', ready: 'up: \\d+' }],
          limits: { memory: '1536K', cpus: 0.5 },
        },
        b: { kind: 'kame' },
      },
      links: {
        ab: { type: 'p2p', medium: 'tun', mtu: 1400, nodes: ['a:eth0', 'b'] },
        lan0: {
          type: 'lan',
          ends: {
            a: { addresses: [{ address: '2001:db8::1/64', allowDuplicate: true }, '198.51.100.1/24'] },
            b: { addresses: ['2001:db8::1/64'] },
          },
        },
      },
    });
    expect(shape(parseTopology(topologyText(lab), 'again'))).toEqual(shape(lab));
  });
});

describe('evidence', () => {
  test('is what tools of each kind say, and the log', async () => {
    const told = await gather(sampleLab());
    expect(told.filter(({ node }) => node === 'a').map(({ command }) => command)).toEqual([
      'ifconfig -a',
      'ndp -an',
      'netstat -rn',
      'netstat -sn',
      undefined,
    ]);
    expect(told.find(({ command }) => command === 'ip -6 neigh')?.output).toBe('output of ip -6 neigh\n');
  });

  test('of a node that is dead says so and does not fail', async () => {
    const told = await gather(sampleLab(() => new Error('the node is gone')));
    expect(told.find(({ command }) => command === 'ndp -an')?.output).toBe('(the node is gone)\n');
    expect(told.filter(({ command }) => command === undefined)).toHaveLength(2);
  });

  test('of a node that keeps still is waited for once, for two seconds', async () => {
    vi.useFakeTimers();
    const started = Date.now();
    const gathering = gather(sampleLab(() => 3_600_000));
    await vi.advanceTimersByTimeAsync(3000);
    const told = await gathering;
    expect(Date.now() - started).toBe(3000);
    expect(told.filter(({ node }) => node === 'a').map(({ output }) => output)).toEqual([
      '(no answer in 2 s)\n',
      expect.stringContaining('a: up'),
    ]);
  });
});

describe('the time line', () => {
  const timeline = async (): Promise<Timeline> => {
    const run = await RunFolder.create(results, sampleOptions);
    await writeCell(run, sampleResult({ ...first, kinds: ['kame', 'linux'], outcome: 'fail', reason: 'silent' }));
    return json(globSync(join(run.path, 'cells/*/timeline.json'))[0]!);
  };

  test('merges steps, frames, events and checks in order of time', async () => {
    const { entries, epoch, omitted } = await timeline();
    expect([epoch, omitted]).toEqual([EPOCH, 0]);
    expect(entries.map(({ time }) => time)).toEqual(entries.map(({ time }) => time).sort((a, b) => a - b));
    expect(entries.slice(0, 5).map(({ kind, text }) => `${kind} ${text.slice(0, 30)}`)).toEqual([
      'step a pings b',
      'frame IP6 fe80::ff:fe00:a > ff02::1:',
      'frame IP6 fe80::ff:fe00:b > fe80::ff',
      'event neighbor, address fe80::b, sta',
      'check ab: a solicits b',
    ]);
    expect(entries.at(-1)).toMatchObject({ kind: 'check', ok: false, detail: 'silent' });
  });

  test('says where a frame goes and what it is', async () => {
    const { entries } = await timeline();
    const frames = entries.filter((entry) => entry.kind === 'frame');
    expect(frames.slice(0, 3)).toMatchObject([
      { link: 'ab', from: 'a', to: ['b'], label: 'NS fe80::ff:fe00:b', length: 86 },
      { link: 'ab', from: 'b', to: ['a'], label: 'NA fe80::ff:fe00:b [SO]' },
      { link: 'ab', from: 'a', to: ['b'], label: 'echo request seq 1' },
    ]);
  });

  test('on a LAN a group is for all others, a station for one, and a strange one for nobody', async () => {
    const plan = topology({
      name: 'lan',
      defaults: { kind: 'kame' },
      nodes: { a: {}, b: {}, c: {} },
      links: {
        lan0: { type: 'lan', ends: { a: { mac: '02:00:00:00:00:0a' }, b: { mac: '02:00:00:00:00:0b' }, c: {} } },
      },
    });
    const run = await RunFolder.create(results, sampleOptions);
    const strange = echo('a', 2);
    strange[5] = 0x77;
    const talk = (record: LinkRecord): void => {
      for (const [time, bytes] of [solicitation('a'), echo('a', 1), strange, Uint8Array.of(1, 2, 3)].entries())
        record.add(time, bytes, 'a');
    };
    await writeCell(run, first, { plan, talk });
    const { entries } = json<Timeline>(run.path, first.folder, 'timeline.json');
    const frames = entries.filter((entry) => entry.kind === 'frame');
    expect(frames.map(({ to }) => to)).toEqual([['b', 'c'], ['b'], [], []]);
    expect(frames[3]!.label).toMatch(/malformed/);
  });
});

describe('junit.xml', () => {
  test('has a suite a scenario and a case a cell, with the outcome as its readers know it', async () => {
    const run = await RunFolder.create(results, { ...sampleOptions, cells: sampleCells.map(({ id }) => id) });
    for (const cell of sampleCells) await run.caseFolder(cell).end(cell);
    await run.finish({ duration: 5000 });
    const root = wellFormed(readFileSync(join(run.path, 'junit.xml'), 'utf8'));
    expect(root).toMatchObject({
      name: 'testsuites',
      attributes: { name: 'kamelab', tests: '19', failures: '3', errors: '1', skipped: '3' },
    });
    expect(root.children.map(({ name, attributes }) => [name, attributes['name'], attributes['tests']])).toEqual([
      ['testsuite', 'resolve', '10'],
      ['testsuite', 'nud-p2p', '9'],
    ]);
    const cases = root.children.flatMap((suite) => suite.children.filter(({ name }) => name === 'testcase'));
    expect(cases.map(({ attributes }) => attributes['name'])).toEqual(sampleCells.map(({ id }) => id));
    const marks = new Map(
      sampleCells.map(({ outcome }, at) => [
        outcome,
        cases[at]!.children.map(({ name }) => name).filter((name) => name !== 'properties'),
      ]),
    );
    expect(Object.fromEntries(marks)).toEqual({
      pass: [],
      'now-passing': ['failure'],
      fail: ['failure'],
      flaky: ['failure'],
      'harness-error': ['error'],
      unsupported: ['skipped', 'system-out'],
      inconclusive: ['skipped', 'system-out'],
      'known-fail': ['skipped', 'system-out'],
    });
    const unsupported = cases[sampleCells.findIndex(({ outcome }) => outcome === 'unsupported')]!;
    expect(unsupported.children.at(-1)?.text).toMatch(/^unsupported: linux has no switch/);
  });
});

interface Element {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: Element[];
  text: string;
}

/** Reads the XML that is written here, and fails on what is not well formed. */
function wellFormed(xml: string): Element {
  expect(xml).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
  const open: Element[] = [{ name: '', attributes: {}, children: [], text: '' }];
  const tokens = /<!\[CDATA\[([\s\S]*?)\]\]>|<\/([\w-]+)>|<([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  tokens.lastIndex = xml.indexOf('\n');
  while (tokens.lastIndex < xml.length) {
    const at = tokens.lastIndex;
    const token = tokens.exec(xml);
    if (token === null) throw new Error(`not well formed at ${at}: ${xml.slice(at, at + 60)}`);
    const [, cdata, closes, opens, attributes = '', empty, text] = token;
    const parent = open.at(-1)!;
    if (closes !== undefined) expect(open.pop()!.name).toBe(closes);
    else if (opens === undefined) parent.text += cdata ?? text ?? '';
    else {
      const pairs = [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]);
      const element: Element = { name: opens, attributes: Object.fromEntries(pairs), children: [], text: '' };
      parent.children.push(element);
      if (empty === '') open.push(element);
    }
  }
  expect(open).toHaveLength(1);
  return open[0]!.children[0]!;
}
