/**
 * Reports for people in a terminal: a line for each rule, then how the broken ones are broken, then
 * the counts. The parts are functions of their own, so that the lines can be shown as they come in.
 *
 * Several reports become a matrix of signs, with their implementations by number.
 *
 * @module
 */

import { isBroken, type Report, type RuleResult, tally } from "../report.ts";
import type { RuleInfo } from "../rule.ts";
import { type Implementation, type Matrix, mergeReports, resultsOf } from "./matrix.ts";
import { paintOf, prettyFailure, type PrettyOptions } from "./pretty_failure.ts";
import { describeRun } from "./reporter.ts";
import { type Paint, VERDICT_STYLES } from "./styles.ts";
import { oneLine } from "./texts.ts";
import { describeTally, LEVELS, SIGNS, subjectName, subjectsOf } from "./words.ts";

const LEVEL_WIDTH = Math.max(...LEVELS.map((level) => level.length));
const ID_WIDTH = "S-CANCEL-10".length;

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

/** What is tested and how, as a line without its end. */
export function prettyHeader(
  report: Omit<Report, "format" | "results">,
  options: PrettyOptions = {},
): string {
  const paint = paintOf(options);
  const subject = oneLine(`${report.side} ${subjectName(report.subject)}`);
  return `${paint("bold", subject)} ${paint("dim", `(${oneLine(describeRun(report))})`)}`;
}

/** What was found about one rule, as a line without its end. */
export function prettyResult(result: RuleResult, options: PrettyOptions = {}): string {
  const paint = paintOf(options);
  const { verdict, reason } = result;
  const line = `${paint(VERDICT_STYLES[verdict], SIGNS[verdict])} ${describeRule(result, paint)}`;
  return verdict === "skipped"
    ? `${line} ${paint("dim", `(skipped: ${oneLine(reason ?? "no reason given")})`)}`
    : line;
}

function describeRule({ level, id, title }: RuleInfo, paint: Paint): string {
  const shownLevel = level.padEnd(LEVEL_WIDTH);
  const emphasized = level === "must" ? shownLevel : paint("dim", shownLevel);
  return `${emphasized} ${oneLine(id).padEnd(ID_WIDTH)} ${oneLine(title)}`;
}

/** How the broken rules are broken, and the counts, with a line break at the end. */
export function prettyEnd(report: Report, options: PrettyOptions = {}): string {
  const failures = report.results.filter(isBroken)
    .map((result) => `${prettyFailure(report, result, options)}\n\n`);
  return [...failures, ...prettyTally(report.results, options).map((line) => `${line}\n`)].join("");
}

function prettyTally(results: readonly RuleResult[], options: PrettyOptions): string[] {
  const paint = paintOf(options);
  const counts = LEVELS.filter((level) => results.some((result) => result.level === level))
    .map((level) => `${level.padEnd(LEVEL_WIDTH)}  ${describeTally(tally(results, level))}`);
  return [...counts, concludeFor(results, paint)];
}

function concludeFor(results: readonly RuleResult[], paint: Paint): string {
  const counts = tally(results, "must");
  if (counts.broken + counts.hung > 0) {
    return paint("red", `${SIGNS.broken} The spec is broken: ${describeTally(counts)}`);
  }
  return counts.kept > 0
    ? paint("green", `${SIGNS.kept} Nothing that was tried breaks the spec`)
    : paint("dim", `${SIGNS.skipped} Nothing that the spec asks for was tried`);
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
      lines.push(`${signs.join("")} ${describeRule(rule, paint)}`);
    }
  }
  const ends = implementations.map((implementation) => endOf(implementation, options));
  return [...lines, "", ...ends].join("\n");
}

function describeImplementation({ subject, runtime }: Implementation): string {
  return oneLine(`${subjectName(subject)} (${runtime})`);
}

function endOf(implementation: Implementation, options: PrettyOptions): string {
  const failures = [...implementation.findings.values()]
    .filter(({ result }) => isBroken(result))
    .map(({ report, result }) => `${prettyFailure(report, result, options)}\n\n`);
  const counts = prettyTally(resultsOf(implementation), options);
  const name = paintOf(options)("bold", describeImplementation(implementation));
  return `${failures.join("")}${[name, ...counts].join("\n")}\n`;
}
