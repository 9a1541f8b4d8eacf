/**
 * Reports for people at a terminal: a line per rule, then details of the broken ones, then the counts. Each
 * part is a separate function, so that lines can be shown as results arrive.
 *
 * Several reports become a matrix of signs, with the implementations numbered.
 *
 * @module
 */

import {
  excuseOf,
  type Gate,
  isBroken,
  isFailure,
  LEVELS,
  type Report,
  type RuleResult,
  tally,
} from "../report.ts";
import { type Breach, breachesOf } from "./causes.ts";
import { type Implementation, type Matrix, mergeReports, resultsOf } from "./matrix.ts";
import { paintOf, prettyFailure, type PrettyOptions } from "./pretty_failure.ts";
import { LEVEL_WIDTH, prettyRuleLine } from "./pretty_rule.ts";
import { describeRun } from "./reporter.ts";
import { type Paint, VERDICT_STYLES } from "./styles.ts";
import { count, oneLine } from "./texts.ts";
import {
  describeEvidence,
  describeRuntime,
  describeTally,
  SIGNS,
  subjectName,
  subjectsOf,
} from "./words.ts";

/** Writes reports for people. */
export function prettyReport(reports: readonly Report[], options: PrettyOptions = {}): string {
  const [report, ...others] = reports;
  if (report === undefined) return "";
  if (others.length > 0) return prettyMatrices(reports, options);
  return [
    prettyHeader(report, options),
    "",
    ...report.results.map((result) => prettyResult(result, options)),
    "",
    prettyEnd(report, options),
  ].join("\n");
}

/** What is tested and how, as a line without its line break. */
export function prettyHeader(
  report: Omit<Report, "format" | "results">,
  options: PrettyOptions = {},
): string {
  const paint = paintOf(options);
  const subject = oneLine(`${report.side} ${subjectName(report.subject)}`);
  return `${paint("bold", subject)} ${paint("dim", `(${oneLine(describeRun(report))})`)}`;
}

/** The result for one rule, as a line without its line break. */
export function prettyResult(result: RuleResult, options: PrettyOptions = {}): string {
  const paint = paintOf(options);
  const { verdict } = result;
  const line = `${paint(VERDICT_STYLES[verdict], SIGNS[verdict])} ${prettyRuleLine(result, paint)}`;
  const remark = remarkOn(result);
  return remark === undefined ? line : `${line} ${paint("dim", `(${oneLine(remark)})`)}`;
}

/** The evidence for a result, or why there is none. */
function remarkOn(result: RuleResult): string | undefined {
  const { verdict, reason = "no reason given", because } = result;
  if (verdict === "skipped" || verdict === "not seen") return `${verdict}: ${reason}`;
  if (because !== undefined) return `because ${because} is broken`;
  return isBroken(result) ? undefined : describeEvidence(result);
}

/** Details of the broken rules, and the counts, with a final line break. */
export function prettyEnd(report: Report, options: PrettyOptions = {}): string {
  const failures = breachesOf(report.results)
    .map((breach) => `${prettyBreach(report, breach, options)}\n\n`);
  const end = prettyConclusion(report, options).map((line) => `${line}\n`);
  return [...failures, ...end].join("");
}

/** Details of a broken rule, followed by the rules that are broken because of it. */
function prettyBreach(
  report: Report,
  { root, dependents }: Breach,
  options: PrettyOptions,
): string {
  const lines = [prettyFailure(report, root, options)];
  if (dependents.length > 0) lines.push("", "  Broken because of it:");
  for (const result of dependents) lines.push(`    ${prettyResult(result, options)}`);
  return lines.join("\n");
}

/** The counts by level, the skipped rules, and the conclusion, as lines without line breaks. */
function prettyConclusion(
  { results, states }: Pick<Report, "results" | "states">,
  options: PrettyOptions,
): string[] {
  const paint = paintOf(options);
  const counts = LEVELS.filter((level) => results.some((result) => result.level === level))
    .map((level) => `${level.padEnd(LEVEL_WIDTH)}  ${describeTally(tally(results, level))}`);
  if (states !== undefined) counts.push(`walks     ${count(states.length, "state")} entered`);
  return [...counts, ...listSkipped(results, paint), ...conclude(results, options, paint)];
}

/** The skipped rules, grouped by reason, which says how to run them. */
function listSkipped(results: readonly RuleResult[], paint: Paint): string[] {
  const reasons = new Map<string, string[]>();
  for (const { verdict, id, reason = "no reason given" } of results) {
    if (verdict === "skipped") addTo(reasons, reason, id);
  }
  return Array.from(
    reasons,
    ([reason, ids]) => paint("dim", oneLine(`skipped   ${ids.join(", ")}: ${reason}`)),
  );
}

function addTo(lists: Map<string, string[]>, key: string, id: string): void {
  lists.set(key, [...lists.get(key) ?? [], id]);
}

/** The conclusion. It gets a ✓ only if nothing is broken or unseen. */
function conclude(
  results: readonly RuleResult[],
  { gate }: PrettyOptions,
  paint: Paint,
): string[] {
  const broken = results.filter(isBroken);
  const unseen = results.filter(({ verdict }) => verdict === "not seen");
  const lines = [
    concludeOn("broken", broken, gate, paint),
    concludeOn("not seen", unseen, gate, paint),
  ].filter((line) => line !== undefined);
  if (lines.length > 0) return lines;
  const { kept, skipped } = tally(results);
  if (kept === 0) return [paint("dim", `${SIGNS.skipped} No rule was tested`)];
  const all = skipped === 0 ? "" : `; ${count(skipped, "rule")} could not be tested`;
  return [paint("green", `${SIGNS.kept} No tested rule is broken${all}`)];
}

/** The rules that are bad in some way, and which of them do not count. */
function concludeOn(
  what: "broken" | "not seen",
  results: readonly RuleResult[],
  gate: Gate | undefined,
  paint: Paint,
): string | undefined {
  if (results.length === 0) return undefined;
  const byLevel = LEVELS.map((level) => ({ level, of: tally(results, level) }))
    .map(({ level, of }) => ({ level, number: of.broken + of.hung + of["not seen"] }))
    .filter(({ number }) => number > 0)
    .map(({ level, number }) => `${number} ${level}`);
  const excuses = new Map<string, string[]>();
  for (const result of results) {
    const excuse = excuseOf(result, gate);
    if (excuse !== undefined) addTo(excuses, excuse, result.id);
  }
  const excused = Array.from(excuses, ([excuse, ids]) => `${ids.join(", ")} (${excuse})`);
  const rest = excused.length === 0 ? "" : `; not counted: ${excused.join(", ")}`;
  const counts = results.some((result) => isFailure(result, gate));
  const text = `${SIGNS[what]} ${count(results.length, "rule")} ${what}: ${
    byLevel.join(", ")
  }${rest}`;
  return paint(counts && what === "broken" ? "red" : "yellow", oneLine(text));
}

function prettyMatrices(reports: readonly Report[], options: PrettyOptions): string {
  return mergeReports(reports).map((matrix) => prettyMatrix(matrix, options)).join("\n");
}

function prettyMatrix({ side, implementations, sections }: Matrix, options: PrettyOptions): string {
  const paint = paintOf(options);
  const width = String(implementations.length).length + 1;
  const numbers = implementations.map((_, index) => String(index + 1).padStart(width)).join("");
  const lines = [
    paint("bold", subjectsOf(side)),
    ...implementations.map((implementation, index) =>
      `${String(index + 1).padStart(width)}  ${describeImplementation(implementation)}`
    ),
    "",
    numbers,
  ];
  for (const { title, rules } of sections) {
    lines.push(" ".repeat(numbers.length + 1) + paint("bold", oneLine(title)));
    for (const rule of rules) {
      const signs = implementations.map(({ findings }) => {
        const verdict = findings.get(rule.id)?.result.verdict;
        if (verdict === undefined) return " ".repeat(width);
        return paint(VERDICT_STYLES[verdict], SIGNS[verdict].padStart(width));
      });
      lines.push(`${signs.join("")} ${prettyRuleLine(rule, paint)}`);
    }
  }
  const ends = implementations.map((implementation) => endOf(implementation, options));
  return [...lines, "", ...ends].join("\n");
}

function describeImplementation({ subject, runtime }: Implementation): string {
  return oneLine(`${subjectName(subject)} (${describeRuntime({ runtime })})`);
}

function endOf(implementation: Implementation, options: PrettyOptions): string {
  const { findings } = implementation;
  const failures = breachesOf(resultsOf(implementation)).map((breach) =>
    `${prettyBreach(findings.get(breach.root.id)!.report, breach, options)}\n\n`
  );
  const counts = prettyConclusion({ results: resultsOf(implementation) }, options);
  const name = paintOf(options)("bold", describeImplementation(implementation));
  return `${failures.join("")}${[name, ...counts].join("\n")}\n`;
}
