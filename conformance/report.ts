/**
 * What a run of a suite found, as data: JSON in, JSON out.
 *
 * @module
 */

import type { Exchange } from "./exchange.ts";
import type { Level, RuleInfo, Side } from "./rule.ts";

/**
 * What was found about a rule: `kept` for every input tried, `broken` for one, `hung` (a check did not
 * come to an end, which counts as broken), or `skipped` (nothing could be told, for a reason).
 */
export type Verdict = "kept" | "broken" | "hung" | "skipped";

/** How a rule was broken. */
export interface Failure {
  /** What the rule asks for. */
  readonly expected: string;
  /** What was seen instead. */
  readonly seen: string;
  /** What went over the wire, for the smallest input that was found. */
  readonly exchanges: readonly Exchange[];
  /** The seed that finds it again. */
  readonly seed: number;
  /** The path that leads to it at once. */
  readonly path: string;
  /** How many inputs were tried until the first one that breaks the rule. */
  readonly foundAfter: number;
  /** How often that input was made smaller. */
  readonly shrinks: number;
}

/** What was found about one rule. */
export interface RuleResult extends RuleInfo {
  /** What was found. */
  readonly verdict: Verdict;
  /** Why, for `skipped` and `hung`. */
  readonly reason?: string | undefined;
  /** How many inputs were tried. */
  readonly runs: number;
  /** How it was broken, for `broken`. */
  readonly failure?: Failure | undefined;
}

/** What was tested. */
export interface SubjectInfo {
  /** Its name. */
  readonly name: string;
  /** Its version, where it is known. */
  readonly version?: string | undefined;
}

/** What a run of a suite found. */
export interface Report {
  /** The form of this object. It is raised when a field changes its meaning. */
  readonly format: 1;
  /** Which side was tested. */
  readonly side: Side;
  /** What was tested. */
  readonly subject: SubjectInfo;
  /** Where it was tested, as in `Deno 2.9.6`. */
  readonly runtime: string;
  /** How many inputs were to be tried for each rule. */
  readonly runs: number;
  /** What the inputs followed from. */
  readonly seed: number;
  /** What was found about each rule, in the order of the suite. */
  readonly results: readonly RuleResult[];
}

/** How many rules have each verdict. */
export type Tally = Readonly<Record<Verdict, number>>;

/** Counts the verdicts of results, all or those of a level. */
export function tally(results: readonly RuleResult[], level?: Level): Tally {
  const counts = { kept: 0, broken: 0, hung: 0, skipped: 0 };
  for (const result of results) {
    if (level === undefined || result.level === level) counts[result.verdict]++;
  }
  return counts;
}

/** Whether a result says that its rule is broken. */
export function isBroken({ verdict }: RuleResult): boolean {
  return verdict === "broken" || verdict === "hung";
}

/** Whether the subject keeps every rule of the spec, as far as could be told. */
export function passes({ results }: Report): boolean {
  return !results.some((result) => result.level === "must" && isBroken(result));
}

/** Reads a report that was written as JSON. */
export function parseReport(json: string): Report {
  const report = JSON.parse(json) as Report;
  if (report?.format !== 1 || !Array.isArray(report.results)) {
    throw new TypeError("This is not a conformance report of format 1");
  }
  return report;
}
