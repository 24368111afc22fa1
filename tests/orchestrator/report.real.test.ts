/** The report in a browser: from the matrix to a cell, the filter of its time line, no complaint on the console. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ReportServer, serveReport } from '#orchestrator/report/serve.ts';
import { writeReport } from '#orchestrator/report/site.ts';
import { RunFolder } from '#orchestrator/results.ts';
import { HOSTILE, sampleCells, sampleLab, sampleOptions, writeCell } from './report-sample.ts';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Kept for people to look at where it is named. */
const SHOTS = process.env['KAMELAB_SCREENSHOTS'];

describe.skipIf(!existsSync(CHROMIUM))('the report in a browser (needs chromium)', () => {
  let results: string;
  let server: ReportServer;
  let browser: Browser;

  beforeAll(async () => {
    results = mkdtempSync(join(tmpdir(), 'report-'));
    const run = await RunFolder.create(results, { ...sampleOptions, cells: sampleCells.map(({ id }) => id) });
    for (const cell of sampleCells) await writeCell(run, cell, { lab: sampleLab(() => HOSTILE) });
    await writeReport(run.path, await run.finish({ duration: 43_210 }));
    server = await serveReport(join(results, 'latest'), 0);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(results, { recursive: true, force: true });
  });

  /** A page, and what its console and the network complained of. */
  async function open(url: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
    });
    await page.goto(url);
    return { page, complaints };
  }

  async function shot(page: Page, name: string): Promise<void> {
    const bytes = await page.screenshot({
      fullPage: true,
      ...(SHOTS === undefined ? {} : { path: join(SHOTS, `${name}.png`) }),
    });
    expect(bytes.length).toBeGreaterThan(10_000);
  }

  const served = () => server.url;
  const fromDisk = () => pathToFileURL(join(results, 'latest/index.html')).href;

  test.each([
    ['over HTTP', 'light', served],
    ['from a file', 'dark', fromDisk],
  ] as const)(
    'leads %s from the matrix to a cell, whose time line is filtered as one types',
    async (name, colorScheme, url) => {
      const { page, complaints } = await open(url(), { colorScheme });
      await shot(page, `index-${name}`);
      await page.click('#scenario-nud-p2p td.fail a');
      await page.waitForURL(/nud-p2p\.tap\.linux-kame\.process\.html$/);
      expect(await page.title()).toBe('fail: nud-p2p/tap/linux-kame/process');
      await shot(page, `cell-${name}`);

      const rows = page.locator('#entries tbody tr:visible');
      const all = await rows.count();
      expect(await page.textContent('#entries-count')).toBe(`${all} entries`);
      await page.fill('#filter', 'Solicitation  from a');
      expect(await rows.count()).toBe(3);
      expect(await page.textContent('#entries-count')).toBe(`3 of ${all} entries`);
      await page.fill('#filter', '');
      expect(await rows.count()).toBe(all);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );

  test('runs nothing that a node has said', async () => {
    const { page } = await open(`${served()}cells/nud-p2p.tap.linux-kame.process.html`);
    for (const summary of await page.locator('summary').all()) await summary.click();
    expect(await page.locator('main script, main img').count()).toBe(0);
    expect(await page.title()).toBe('fail: nud-p2p/tap/linux-kame/process');
    await page.context().close();
  });

  test.each(['index.html', 'cells/nud-p2p.tap.linux-kame.process.html'])(
    '%s fits a phone without moving sideways',
    async (path) => {
      const { page, complaints } = await open(served() + path, { viewport: { width: 390, height: 844 } });
      await shot(page, `phone-${path.replaceAll('/', '-')}`);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );

  test('is read without scripts', async () => {
    const { page } = await open(served(), { javaScriptEnabled: false });
    await page.click('#scenario-resolve td.pass a');
    await page.waitForURL(/resolve\.p2p\.kame-kame\.sim\.html$/);
    expect(await page.locator('svg.ladder').count()).toBe(1);
    await page.context().close();
  });
});
