/** The report's pages as text: what they show, and that nodes can put nothing into them but text. */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CellResult, RunResult } from '#orchestrator/outcome.ts';
import { boundsBar } from '#orchestrator/report/bounds-bar.ts';
import { escaped, html } from '#orchestrator/report/html.ts';
import { indexPage } from '#orchestrator/report/index-page.ts';
import { FRAMES, ladder } from '#orchestrator/report/ladder.ts';
import { serveReport } from '#orchestrator/report/serve.ts';
import { writeReport } from '#orchestrator/report/site.ts';
import { boundsText, durationText, valueText } from '#orchestrator/report/text.ts';
import type { Entry } from '#orchestrator/report/timeline.ts';
import { RunFolder } from '#orchestrator/results.ts';
import { UsageError } from '#orchestrator/usage-error.ts';
import { HOSTILE, sampleCells, sampleLab, sampleOptions, sampleResult, writeCell } from './report-sample.ts';

let results: string;
let folder: string;
const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const pageOf = (outcome: string) => read(`${sampleCells.find((cell) => cell.outcome === outcome)!.folder}.html`);

beforeAll(async () => {
  results = mkdtempSync(join(tmpdir(), 'report-'));
  const run = await RunFolder.create(results, { ...sampleOptions, cells: sampleCells.map(({ id }) => id) });
  for (const cell of sampleCells) {
    // what broke before the lab came up leaves a result alone
    if (cell.outcome === 'harness-error') await run.caseFolder(cell).end(cell);
    else await writeCell(run, cell, { lab: sampleLab(() => HOSTILE) });
  }
  folder = run.path;
  await writeReport(folder, await run.finish({ duration: 43_210 }));
});
afterAll(() => rmSync(results, { recursive: true, force: true }));

describe('every page', () => {
  test('escapes what nodes say', () => {
    for (const path of globSync('**/*.html', { cwd: folder })) {
      expect(read(path), path).not.toMatch(/<script>document|<img/);
    }
    expect(pageOf('fail')).toContain('&lt;script&gt;document.title=&#39;taken&#39;&lt;/script&gt;');
  });

  test('links only to files that are there, and to no other host', () => {
    const pages = globSync('**/*.html', { cwd: folder });
    expect(pages).toHaveLength(sampleCells.length + 1);
    for (const path of pages) {
      const text = read(path);
      expect(text).not.toMatch(/(href|src)="(https?:)?\/\//);
      for (const [, to] of text.matchAll(/ href="([^"#]*)(?:#[^"]*)?"/g)) {
        if (to === '' || to!.startsWith('data:')) continue;
        expect(globSync(join(folder, path, '..', to!)), `${path} -> ${to}`).toHaveLength(1);
      }
    }
  });
});

describe('the index', () => {
  test('says first what became of the run', () => {
    expect(read('index.html')).toContain('<h1>3 of 19 cells failed, 1 known failure passed</h1>');
  });

  test('has every cell in the matrix, its outcome in words', () => {
    const text = read('index.html');
    for (const { folder, outcome } of sampleCells) {
      const cell = text.split(`<a href="${folder}.html" title=`)[1]!.split('</td>')[0]!;
      expect(cell, folder).toContain(outcome.replace('-', ' '));
    }
  });

  test('counts for a feature of the kame stack only cells with one', () => {
    const coverage = read('index.html').split('id="coverage"')[1]!;
    // ten cells, of which two are linux among themselves
    expect(coverage).toMatch(
      /ND-01<\/th><td><span class="state proven">proven<\/span><\/td><td class="figure">8 of 8 cells/,
    );
    expect(coverage).toMatch(/ND-15<\/th><td><span class="state in-part">in part/);
    expect(coverage).toMatch(
      /RFC 4861 7.2<\/th><td><span class="state proven">proven<\/span><\/td><td class="figure">10 of 10/,
    );
  });

  test('sets measured values beside their bounds and the source of those', () => {
    const row = read('index.html')
      .split('nud-p2p.tap.kame-linux.process.html">tap kame-linux process</a>')[1]!
      .split('</tr>')[0]!;
    expect(row).toContain('5.01 s');
    expect(row).toContain('12.4 ms over');
    expect(row).toContain('exactly 5 s');
    expect(row).toContain('RFC 4861 10');
    expect(row).toContain('<svg class="bar"');
  });
});

describe('the page of a cell', () => {
  test('has verdict, reason, command to run it again, ladder, time line, topology, outputs and files', () => {
    const text = pageOf('fail');
    expect(text).toContain('npx kamelab run nud-p2p/tap/linux-kame/process --seed 7');
    expect(text).toContain('ab: b answers a probe: not seen in 3000 ms');
    for (const part of [
      'svg class="ladder"',
      'id="entries"',
      'svg class="topology"',
      'ip -6 neigh',
      'ab.pcapng" download',
    ]) {
      expect(text).toContain(part);
    }
  });

  test('of a cell that never came up shows its reason and nothing that is missing', () => {
    const text = pageOf('harness-error');
    expect(text).toContain('the container of a did not start');
    expect(text).toContain('at up (docker.ts:12:5)');
    expect(text).not.toContain('Ladder');
  });
});

describe('the ladder', () => {
  const frames = (count: number): Entry[] =>
    Array.from({ length: count }, (_, at) => ({
      kind: 'frame',
      time: at,
      link: 'ab',
      from: 'a',
      to: ['b'],
      label: `frame ${at}`,
      text: '',
      length: 60,
    }));

  test('stops at its limit', () => {
    expect(ladder(['a', 'b'], frames(FRAMES + 5))?.text.match(/class="frame"/g)).toHaveLength(FRAMES);
  });

  test('shows a silence, a frame for nobody and one from nobody knows whom', () => {
    const [one, two] = frames(2) as [Entry & { kind: 'frame' }, Entry & { kind: 'frame' }];
    const { from, ...unknown } = { ...two, time: 5000 };
    const text = ladder(['a', 'b'], [{ ...one, to: [] }, unknown])!.text;
    expect(from).toBe('a');
    expect(text).toContain('class="silence"');
    expect(text).toContain('class="lost"');
    expect(text).toContain('wire unknown');
  });

  test('tells checks that held one after the other in one line, and each that did not', () => {
    const check = (time: number, ok: boolean): Entry => ({
      kind: 'check',
      time,
      ok,
      text: `check ${time}`,
      detail: '',
    });
    const text = ladder(
      ['a', 'b'],
      [check(1, true), check(2, true), check(3, true), check(4, false), check(5, false)],
    )!.text;
    expect(text.match(/class="note"[^>]*>[^<]*/g)?.map((note) => note.split('>')[1])).toEqual([
      '✓ check 1 and 2 more',
      '✗ check 4',
      '✗ check 5',
    ]);
  });

  test('of nothing is nothing', () => {
    expect(ladder(['a'], [])).toBeUndefined();
  });
});

test('HTML takes text as text, and only Html as it is', () => {
  const inner = html`<b>${'<'}</b>`;
  expect(html`${inner}${['&', inner]}${false}${undefined}${7}`.text).toBe('<b>&lt;</b>&amp;<b>&lt;</b>7');
  expect(escaped('\u001b[0m\u0000\r\nx\ud800')).toBe('\ufffd[0m\ufffd\nx\ufffd');
});

test.each([
  [0.42, '0.42 ms'],
  [340.2, '340 ms'],
  [1250, '1.25 s'],
  [30_000, '30 s'],
  [86_400_000, '1440 min'],
])('%d ms reads as %s', (value, text) => expect(durationText(value)).toBe(text));

test('bounds and values read with their unit', () => {
  expect(boundsText(15_000, 45_000, 'ms')).toBe('15 s – 45 s');
  expect(boundsText(undefined, 3, 'probes')).toBe('at most 3 probes');
  expect(boundsText(1, undefined, '')).toBe('at least 1');
  expect(boundsText(undefined, undefined, 'ms')).toBe('');
  expect(valueText(2 / 3, 'Gbit/s')).toBe('0.667 Gbit/s');
});

test('a value without bounds, or that is no number, has no bar', () => {
  expect(boundsBar({ name: 'x', value: 1, unit: 'ms' })).toBeUndefined();
  expect(boundsBar({ name: 'x', value: Number.NaN, unit: 'ms', max: 3 })).toBeUndefined();
  expect(boundsBar({ name: 'x', value: 4, unit: 'ms', max: 3 })?.text).toContain('outside');
});

describe('the server', () => {
  test('serves the folder and nothing above it', async () => {
    const server = await serveReport(folder, 0);
    try {
      const index = await fetch(server.url);
      expect([index.status, index.headers.get('content-type')]).toEqual([200, 'text/html;charset=utf-8']);
      const capture = await fetch(`${server.url}${sampleCells[0]!.folder}/ab.pcapng`);
      expect([capture.status, capture.headers.get('content-type')]).toEqual([200, 'application/x-pcapng']);
      for (const path of ['nothing', '..%2f..%2fetc/passwd', '%2e%2e/latest/index.html']) {
        expect((await fetch(server.url + path)).status, path).toBe(404);
      }
    } finally {
      await server.close();
    }
  });

  test('says what is missing where no report is', async () => {
    await expect(serveReport(results, 0)).rejects.toThrow(UsageError);
  });
});

describe('the history in the index', () => {
  const runOf = (started: number, cells: readonly CellResult[]): RunResult => ({
    ...sampleOptions,
    started,
    duration: 1,
    cells,
  });
  const before = (changed: (cell: CellResult) => CellResult): RunResult =>
    runOf(sampleOptions.started - 60_000, sampleCells.map(changed));
  const indexAfter = (earlier: RunResult) =>
    indexPage(runOf(sampleOptions.started, sampleCells), [{ name: 'earlier', run: earlier }]);

  test('is not there without an earlier run', () => {
    expect(indexPage(runOf(sampleOptions.started, sampleCells))).not.toMatch(/id="(changes|flakes)"/);
  });

  test('tells what is different since', () => {
    const page = indexAfter(
      before((cell) => ({
        ...cell,
        outcome: cell.outcome === 'fail' ? 'pass' : cell.outcome === 'pass' ? 'fail' : cell.outcome,
        measurements: cell.measurements.map((each) => ({ ...each, value: each.value * 2 })),
      })),
    );
    const changes = page.split('id="changes"')[1]!.split('</section>')[0]!;
    expect(changes).toContain('19 cells are in both');
    expect(changes.split('<h3>Newly failing</h3>')[1]).toContain(
      'nud-p2p/tap/linux-kame/process</a></th><td><span class="badge pass">',
    );
    expect(changes).toContain('Newly passing');
    expect(changes).toContain('-50 %');
    expect(changes).not.toContain('<script>');
  });

  test('says so where nothing is, and of each cell that ends differently how it ended', () => {
    const page = indexAfter(before((cell) => cell));
    expect(page).toContain('Nothing is different from the run of 2026-01-31 11:59:00 UTC');
    const flakes = page.split('id="flakes"')[1]!.split('</section>')[0]!;
    expect(flakes).toContain('nud-p2p/tap/linux-linux/process');
    expect(flakes).toContain('2 of 2');
    expect(flakes).toContain('<span title="flaky"><b class="flaky">≈</b></span>');
    expect(flakes).not.toContain('resolve/');
  });
});

test('the index names who is probably at fault, and what of the baseline is stale', () => {
  const cells = (['kame', 'linux'] as const).flatMap((a) =>
    (['kame', 'linux'] as const).map((b) =>
      sampleResult({
        scenario: 'nud',
        title: 'NUD',
        variant: 'p2p',
        kinds: [a, b],
        driver: 'process',
        outcome: a === 'kame' ? 'fail' : 'pass',
      }),
    ),
  );
  const page = indexPage({
    ...sampleOptions,
    duration: 1,
    cells,
    notes: ['known.yaml:2:3: "x" matches no cell; remove it'],
  });
  expect(page).toContain('nud: kame fails as a against every other');
  expect(page).toContain('known.yaml:2:3: &quot;x&quot; matches no cell');
});

test('what is allowed does not count as failed', () => {
  const page = indexPage({ ...sampleOptions, duration: 1, cells: sampleCells, allowed: ['flaky', 'now-passing'] });
  expect(page).toContain('<h1>2 of 19 cells failed</h1>');
});
