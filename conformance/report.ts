/**
 * The results of a run of a suite, as data that can be written and read as JSON.
 *
 * @module
 */

import { excerptOf } from "../src/text.ts";
import type { Exchange } from "./exchange.ts";
import type { Level, RuleInfo, Side } from "./rule.ts";

/**
 * The result of a rule:
 *
 * - `kept`: every input was fine, and at least one of them showed what the rule is about.
 * - `broken`: one input breaks it.
 * - `hung`: something did not come in time, nor when it was tried again alone. It counts as broken.
 * - `not seen`: it was tried, but no input showed what it is about. Nothing is known.
 * - `skipped`: it was not tried, because the subject or the options rule it out.
 */
export type Verdict = "kept" | "broken" | "hung" | "not seen" | "skipped";

/** How a rule was broken. */
export interface Failure {
  /** What the rule asks for. */
  readonly expected: string;
  /** What was seen instead. */
  readonly seen: string;
  /** What went over the wire, for the smallest input that was found. */
  readonly exchanges: readonly Exchange[];
  /** The seed that reproduces it. */
  readonly seed: number;
  /** The path to this input. With the seed, it is tried at once. */
  readonly path: string;
  /** How many inputs were tried until the first one that breaks the rule. */
  readonly foundAfter: number;
  /** How many times that input was made smaller. */
  readonly shrinks: number;
  /** What it was found by, if not by the rule's own inputs: the id of another rule, or `walk`. */
  readonly during?: string | undefined;
  /** What was done, step by step, in words and requests that a person can repeat. */
  readonly steps?: readonly string[] | undefined;
}

/** What was found about one rule. */
export interface RuleResult extends RuleInfo {
  /** What was found. */
  readonly verdict: Verdict;
  /** Why, for `skipped` and `not seen`; and for what is broken, where the reason is known. */
  readonly reason?: string | undefined;
  /** How many inputs were tried. */
  readonly runs: number;
  /** How many of them showed what the rule is about. Reports of format 1 do not say. */
  readonly conclusive?: number | undefined;
  /** How many exchanges, of this rule and of others, have shown what it is about, where that was watched. */
  readonly exchanges?: number | undefined;
  /** How many inputs ran out of time at first, and were tried again alone, if any were. */
  readonly repeated?: number | undefined;
  /** How it was broken, for `broken` and `hung`. */
  readonly failure?: Failure | undefined;
  /** The rule whose breach alone leads to this one, if there is one. */
  readonly because?: string | undefined;
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
  /** The version of this format. It is raised when a field changes its meaning. */
  readonly format: 2;
  /** Which side was tested. */
  readonly side: Side;
  /** What was tested. */
  readonly subject: SubjectInfo;
  /** What the tests ran on, as in `Deno 2.9.6`. It says nothing about the subject. */
  readonly runtime: string;
  /** How many inputs were drawn by chance per rule, at most, besides those that are tried in every run. */
  readonly runs: number;
  /** The seed of the inputs. */
  readonly seed: number;
  /** What was found about each rule, in the order of the suite. */
  readonly results: readonly RuleResult[];
  /** The states that walks have entered, each with how many times. What was not entered was not seen. */
  readonly states?: readonly StateCount[] | undefined;
}

/** How many times walks have entered a state. */
export interface StateCount {
  /** What was done, what was there, and who pulled, as in `pull: part there, 1 pull`. */
  readonly state: string;
  /** How many times. */
  readonly times: number;
}

/** How many rules have each verdict. */
export type Tally = Readonly<Record<Verdict, number>>;

/** Counts the verdicts of results, all or those of a level. */
export function tally(results: readonly RuleResult[], level?: Level): Tally {
  const counts = { kept: 0, broken: 0, hung: 0, "not seen": 0, skipped: 0 };
  for (const result of results) {
    if (level === undefined || result.level === level) counts[result.verdict]++;
  }
  return counts;
}

/** Whether a result says that its rule is broken. */
export function isBroken({ verdict }: RuleResult): boolean {
  return verdict === "broken" || verdict === "hung";
}

/** Which results count as a failure of the whole, for an exit code. */
export interface Gate {
  /**
   * The lowest level that counts. What is out of time counts at every level.
   *
   * @default {"should"}
   */
  readonly failOn?: Level | undefined;
  /** The ids of rules that are known to be broken: they do not count, nor does what breaks because of them. */
  readonly known?: readonly string[] | undefined;
  /** The ids of rules that may be `not seen`. Of the level `observed`, and of those below `failOn`, all may. */
  readonly mayBeUnseen?: readonly string[] | undefined;
}

/** The levels, the weightiest first. */
export const LEVELS: readonly Level[] = ["must", "should", "observed"];

/** Why a result that is not good does not count as a failure, or `undefined` if it counts. */
export function excuseOf(
  { id, level, verdict, because = id }: RuleResult,
  { failOn = "should", known = [], mayBeUnseen = [] }: Gate = {},
): string | undefined {
  const isMinor = LEVELS.indexOf(level) > LEVELS.indexOf(failOn);
  if (verdict === "not seen") {
    if (mayBeUnseen.includes(id)) return "it may be unseen";
    return isMinor || level === "observed" ? `the level ${level} may be unseen` : undefined;
  }
  if (known.includes(id)) return "it is known";
  if (known.includes(because)) return `${because} is known`;
  return isMinor && verdict !== "hung" ? `the level ${level} does not count` : undefined;
}

/** Whether a result counts as a failure of the whole. */
export function isFailure(result: RuleResult, gate: Gate = {}): boolean {
  const isBad = isBroken(result) || result.verdict === "not seen";
  return isBad && excuseOf(result, gate) === undefined;
}

/**
 * Whether a subject passes: nothing that counts is broken, and nothing that counts was not seen.
 *
 * @param report What was found.
 * @param gate What counts.
 */
export function passes({ results }: Report, gate: Gate = {}): boolean {
  return !results.some((result) => isFailure(result, gate));
}

/** A report of an earlier format, in which what was not seen was `skipped` after some runs. */
type EarlierReport = Omit<Report, "format"> & { readonly format: 1 };

/**
 * Reads a report that was written as JSON, in this format or in an earlier one.
 *
 * @throws {SyntaxError} If it is not JSON.
 * @throws {TypeError} If it is not a report of a format that is known.
 */
export function parseReport(json: string): Report {
  const report: Partial<Report | EarlierReport> | null = JSON.parse(json);
  if (report?.format !== 1 && report?.format !== 2) {
    const { format } = Object(report);
    const shown = excerptOf(JSON.stringify(format) ?? "undefined");
    throw new TypeError(`Not a conformance report: "format" must be 1 or 2, not ${shown}`);
  }
  if (!Array.isArray(report.results)) {
    throw new TypeError('Not a conformance report: "results" must be an array');
  }
  return report.format === 2 ? report as Report : upgrade(report as EarlierReport);
}

function upgrade({ results, ...report }: EarlierReport): Report {
  const upgraded = results.map((result): RuleResult =>
    result.verdict === "skipped" && result.runs > 0 ? { ...result, verdict: "not seen" } : result
  );
  return { ...report, format: 2, results: upgraded };
}
