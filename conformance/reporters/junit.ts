/**
 * Reports as JUnit XML, which CI systems read: a test suite per report, a test case per rule.
 *
 * A result that makes the run fail is a failure, with the level as its type. A broken rule that does not
 * count is skipped, with the details as its output. There are no times, because reports contain none.
 *
 * @module
 */

import { excuseOf, isBroken, isFailure, type Report, type RuleResult } from "../report.ts";
import { type Markup, markup, trusted } from "./markup.ts";
import { prettyFailure } from "./pretty_failure.ts";
import type { ReporterOptions } from "./reporter.ts";
import { oneLine } from "./texts.ts";
import { describeRuntime, sectionOf, subjectName } from "./words.ts";

/** Writes reports as JUnit XML. */
export function junitReport(reports: readonly Report[], options: ReporterOptions = {}): string {
  const results = reports.flatMap((report) => report.results);
  const document = markup`<testsuites name="pull conformance"${counts(results, options)}>${
    reports.map((report) => testSuite(report, options))
  }
</testsuites>
`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${document}`;
}

function counts(results: readonly RuleResult[], { gate }: ReporterOptions): Markup {
  const failures = results.filter((result) => isFailure(result, gate)).length;
  const skipped = results.filter(({ verdict }) => verdict !== "kept").length - failures;
  return trusted(
    ` tests="${results.length}" failures="${failures}" errors="0" skipped="${skipped}"`,
  );
}

function testSuite(report: Report, options: ReporterOptions): Markup {
  const { side, subject, runtime, runs, seed, results } = report;
  const name = oneLine(`${side} ${subjectName(subject)} (${describeRuntime({ runtime })})`);
  return markup`
  <testsuite name="${name}"${counts(results, options)}>
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
  if (verdict === "kept") return undefined;
  if (verdict === "skipped") return markup`<skipped message="${oneLine(reason)}"/>`;
  const { gate } = options;
  const seen = failure ? `expected ${failure.expected}, saw ${failure.seen}` : reason;
  const message = `${verdict}: ${seen}`;
  const details = isBroken(result) ? prettyFailure(report, result, options) : message;
  if (isFailure(result, gate)) {
    return markup`<failure type="${level}" message="${oneLine(message)}">${details}</failure>`;
  }
  const excuse = `${message} (${excuseOf(result, gate)})`;
  return markup`<skipped message="${oneLine(excuse)}"/><system-out>${details}</system-out>`;
}
