/**
 * Reports as TAP 14, the Test Anything Protocol: a line per rule, and a YAML block for a broken one.
 *
 * A result that makes the run fail is `not ok`. A broken rule that does not count is `not ok` with `# TODO`,
 * which harnesses do not treat as a failure. The YAML is written as JSON, which is a subset of YAML.
 *
 * @module
 */

import { escapeUnits } from "../../src/text.ts";
import { excuseOf, isBroken, isFailure, type Report, type RuleResult } from "../report.ts";
import { describeReplay, type ReporterOptions } from "./reporter.ts";
import { oneLine } from "./texts.ts";
import { subjectName } from "./words.ts";

/** Writes reports as TAP 14. With several reports, each line also names the subject. */
export function tapReport(reports: readonly Report[], options: ReporterOptions = {}): string {
  const tests = reports.flatMap((report) => {
    const subject = reports.length > 1 ? `${subjectName(report.subject)}: ` : "";
    return report.results.map((result) => ({ report, result, subject }));
  });
  const lines = tests.flatMap(({ report, result, subject }, index) => {
    const { id, level, title } = result;
    const description = escapeText(`${subject}${id} ${title} (${level})`);
    const isGood = !isBroken(result) && !isFailure(result, options.gate);
    const line = `${isGood ? "ok" : "not ok"} ${index + 1} - ${description}${
      directive(result, options)
    }`;
    return isGood ? [line] : [line, ...diagnose(report, result, options)];
  });
  return ["TAP version 14", `1..${tests.length}`, ...lines, ""].join("\n");
}

/** The directive that changes the meaning of a line. */
function directive(result: RuleResult, { gate }: ReporterOptions): string {
  const { verdict, reason = "" } = result;
  if (verdict === "kept" || isFailure(result, gate)) return "";
  if (isBroken(result)) return ` # TODO ${escapeText(excuseOf(result, gate) ?? "")}`;
  const words = verdict === "skipped" ? reason : `${verdict}: ${reason}`;
  return ` # SKIP ${escapeText(words)}`;
}

/** An unescaped `#` would begin a directive, so `#` and backslashes are escaped. */
function escapeText(text: string): string {
  return oneLine(text).replace(/[\\#]/g, "\\$&").trim();
}

function diagnose(
  report: Report,
  result: RuleResult,
  { replay = describeReplay }: ReporterOptions,
): string[] {
  const { level, verdict, cites, reason, runs, conclusive, evidence, because, failure } = result;
  const details = {
    message: failure ? `expected ${failure.expected}, saw ${failure.seen}` : reason,
    severity: "fail",
    level,
    verdict,
    cites,
    because,
    runs,
    conclusive,
    evidence,
    ...failure,
    replay: replay(report, result),
  };
  // YAML allows fewer characters in texts than JSON.
  const json = JSON.stringify(details, null, 2).replace(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, escapeUnits);
  return ["---", ...json.split("\n"), "..."].map((line) => `  ${line}`);
}
