/**
 * Reports as TAP 14, the Test Anything Protocol: a line a rule, and for a broken one a YAML block.
 *
 * A broken rule is `not ok` at every level; to have those of the spec alone, run those alone. The YAML
 * is written as JSON, which YAML contains.
 *
 * @module
 */

import { escapeUnits } from "../../src/text.ts";
import { isBroken, type Report, type RuleResult } from "../report.ts";
import { describeReplay, type ReporterOptions } from "./reporter.ts";
import { oneLine } from "./texts.ts";
import { subjectName } from "./words.ts";

/** Writes reports as TAP 14. Of several, each line names the subject too. */
export function tapReport(reports: readonly Report[], options: ReporterOptions = {}): string {
  const tests = reports.flatMap((report) => {
    const subject = reports.length > 1 ? `${subjectName(report.subject)}: ` : "";
    return report.results.map((result) => ({ report, result, subject }));
  });
  const lines = tests.flatMap(({ report, result, subject }, index) => {
    const { id, level, title } = result;
    const description = escapeText(`${subject}${id} ${title} (${level})`);
    const line = `${isBroken(result) ? "not ok" : "ok"} ${index + 1} - ${description}`;
    if (result.verdict === "skipped") return [`${line} # SKIP ${escapeText(result.reason ?? "")}`];
    return isBroken(result) ? [line, ...diagnose(report, result, options)] : [line];
  });
  return ["TAP version 14", `1..${tests.length}`, ...lines, ""].join("\n");
}

/** A `#` would begin a directive, and a backslash takes its meaning away. */
function escapeText(text: string): string {
  return oneLine(text).replace(/[\\#]/g, "\\$&").trim();
}

function diagnose(
  report: Report,
  result: RuleResult,
  { replay = describeReplay }: ReporterOptions,
): string[] {
  const { level, verdict, cites, reason, runs, failure } = result;
  const details = {
    message: failure ? `expected ${failure.expected}, saw ${failure.seen}` : reason,
    severity: "fail",
    level,
    verdict,
    cites,
    runs,
    ...failure,
    replay: replay(report, result),
  };
  // YAML allows fewer characters in a text than JSON does.
  const json = JSON.stringify(details, null, 2).replace(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, escapeUnits);
  return ["---", ...json.split("\n"), "..."].map((line) => `  ${line}`);
}
