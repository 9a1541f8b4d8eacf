/**
 * Reports as JUnit XML, which CI systems read: a test suite for each report, a test case for each rule.
 *
 * A broken rule is a failure at every level, with the level as its type. There are no times, as reports
 * have none.
 *
 * @module
 */

import { isBroken, type Report, type RuleResult } from "../report.ts";
import { type Markup, markup, trusted } from "./markup.ts";
import { prettyFailure } from "./pretty_failure.ts";
import type { ReporterOptions } from "./reporter.ts";
import { oneLine } from "./texts.ts";
import { sectionOf, subjectName } from "./words.ts";

/** Writes reports as JUnit XML. */
export function junitReport(reports: readonly Report[], options: ReporterOptions = {}): string {
  const results = reports.flatMap((report) => report.results);
  const document = markup`<testsuites name="pull conformance"${counts(results)}>${
    reports.map((report) => testSuite(report, options))
  }
</testsuites>
`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${document}`;
}

function counts(results: readonly RuleResult[]): Markup {
  const failures = results.filter(isBroken).length;
  const skipped = results.filter(({ verdict }) => verdict === "skipped").length;
  return trusted(
    ` tests="${results.length}" failures="${failures}" errors="0" skipped="${skipped}"`,
  );
}

function testSuite(report: Report, options: ReporterOptions): Markup {
  const { side, subject, runtime, runs, seed, results } = report;
  const name = oneLine(`${side} ${subjectName(subject)} (${runtime})`);
  return markup`
  <testsuite name="${name}"${counts(results)}>
    <properties>
      <property name="runtime" value="${oneLine(runtime)}"/>
      <property name="runs" value="${runs}"/>
      <property name="seed" value="${seed}"/>
    </properties>${results.map((result) => testCase(report, result, options))}
  </testsuite>`;
}

function testCase(report: Report, result: RuleResult, options: ReporterOptions): Markup {
  const { id, side, level, title } = result;
  return markup`
    <testcase classname="conformance.${side}.${oneLine(sectionOf(id))}" name="${
    oneLine(`${id} ${title} (${level})`)
  }">${outcome(report, result, options)}</testcase>`;
}

function outcome(report: Report, result: RuleResult, options: ReporterOptions): Markup | undefined {
  const { verdict, level, reason = "", failure } = result;
  if (verdict === "skipped") return markup`<skipped message="${oneLine(reason)}"/>`;
  if (!isBroken(result)) return undefined;
  const message = failure ? `expected ${failure.expected}, saw ${failure.seen}` : reason;
  return markup`<failure type="${level}" message="${oneLine(message)}">${
    prettyFailure(report, result, options)
  }</failure>`;
}
