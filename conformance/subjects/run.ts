/**
 * Runs the suite of a subject, and compares what is broken with what is known.
 *
 * @module
 */

import { runClientConformance } from "../client_suite.ts";
import { isBroken, type Report, type RuleResult, tally } from "../report.ts";
import type { RunOptions } from "../run.ts";
import { runServerConformance } from "../server_suite.ts";
import type { Subject } from "./subject.ts";

/** Runs the suite of a subject. */
export async function runSubject(subject: Subject, options: RunOptions = {}): Promise<Report> {
  return subject.side === "client"
    ? await runClientConformance(subject.implementation, options)
    : await runServerConformance(subject.implementation, options);
}

/** What is new about a subject: rules that it is not known to break, and ones that it keeps now. */
export function surprises({ breaks }: Subject, { results }: Report): string[] {
  const isNew = (result: RuleResult) => isBroken(result) !== Object.hasOwn(breaks, result.id);
  return results.filter((result) => result.verdict !== "skipped" && isNew(result))
    .map(({ id }) => id);
}

/** What was found about a subject, in a line, and one for each rule that it breaks, with the reason. */
export function summary({ implementation, breaks }: Subject, report: Report): string {
  const { kept, skipped, broken, hung } = tally(report.results);
  const lines = report.results.filter(isBroken).map(({ id, title, failure, reason }) =>
    `  ${id} ${title}: ${breaks[id] ?? `NOT KNOWN, saw ${failure?.seen ?? reason}`}\n`
  );
  const counts = `${kept} kept, ${broken + hung} broken, ${skipped} skipped`;
  return `${implementation.name}: ${counts}\n${lines.join("")}`;
}
