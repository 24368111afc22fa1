/** JUnit XML of a run: a suite a scenario, a case a cell. */
import exported, { type Builder, type TestCase } from 'junit-report-builder';
import { type CellResult, failingIn, type Outcome, type RunResult } from '../outcome.ts';
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
      judge(test, cell, failingIn(run));
    }
  }
  return report.build();
}

/** What makes the run fail is a failure here, and nothing else is. */
function judge(test: TestCase, cell: CellResult, failing: readonly Outcome[]): void {
  const reason = printable(cell.reason);
  if (!failing.includes(cell.outcome) && (cell.outcome === 'flaky' || cell.outcome === 'now-passing')) {
    test.standardOutput(`${cell.outcome}: ${reason}`);
    return;
  }
  switch (cell.outcome) {
    case 'pass':
      if (reason !== '') test.standardOutput(reason);
      return;
    case 'fail':
    case 'flaky':
    case 'now-passing':
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
