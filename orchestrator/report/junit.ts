/** JUnit XML of a run: a suite a scenario, a case a cell. */
import exported, { type Builder, type TestCase } from 'junit-report-builder';
import type { CellResult, RunResult } from '../outcome.ts';
import { printable } from './printable.ts';

// the module exports the builder itself, its types say that it is in a field
const junit = exported as unknown as Builder;

export function junitXml(run: RunResult): string {
  const report = junit.newBuilder().name('kamelab');
  for (const [scenario, cells] of Map.groupBy(run.cells, (cell) => cell.scenario)) {
    const suite = report.testSuite().name(scenario);
    suite.timestamp(new Date(Math.min(...cells.map((cell) => cell.started))).toISOString());
    suite.time(seconds(cells.reduce((sum, cell) => sum + cell.duration, 0)));
    suite.property('kamelab', run.kamelab);
    for (const cell of cells) {
      const test = suite.testCase().className(`kamelab.${scenario}`).name(cell.id).time(seconds(cell.duration));
      test.property('outcome', cell.outcome).property('seed', `${cell.seed}`).property('folder', cell.folder);
      judge(test, cell);
    }
  }
  return report.build();
}

function judge(test: TestCase, cell: CellResult): void {
  const reason = printable(cell.reason);
  switch (cell.outcome) {
    case 'pass':
    case 'now-passing':
      if (reason !== '') test.standardOutput(reason);
      return;
    case 'fail':
    case 'flaky':
      test
        .failure(reason, cell.outcome)
        .stacktrace(
          cell.checks
            .map((check) =>
              printable(`${check.ok ? 'ok' : 'NOT OK'} ${check.text}${check.detail && `: ${check.detail}`}`),
            )
            .join('\n'),
        );
      return;
    case 'harness-error':
      test.error(reason.split('\n')[0], cell.outcome, reason);
      return;
    case 'unsupported':
    case 'known-fail':
    case 'inconclusive':
      // the builder's <skipped> takes no message: readers show the output of a skipped case
      test.skipped().standardOutput(`${cell.outcome}: ${reason}`);
  }
}

const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000;
