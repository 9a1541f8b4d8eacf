/**
 * The results of a run, as data that can be written and read as JSON.
 *
 * @module
 */

import { excerptOf } from "../src/text.ts";
import type { Exchange } from "./exchange.ts";
import type { Level, RuleInfo, Side } from "./rule.ts";

/**
 * The result of a rule:
 *
 * - `kept`: no input broke it, and at least one gave evidence.
 * - `broken`: an input breaks it.
 * - `hung`: something did not happen in time, nor when it was repeated alone. It counts as broken.
 * - `not seen`: it was tested, but no input gave evidence. Nothing is known.
 * - `skipped`: it was not tested, because the subject or the options exclude it.
 */
export type Verdict = "kept" | "broken" | "hung" | "not seen" | "skipped";

/** How a rule was broken. */
export interface Failure {
  /** What the rule asks for. */
  readonly expected: string;
  /** What was seen instead. */
  readonly seen: string;
  /** The requests and answers for the smallest input that was found. */
  readonly exchanges: readonly Exchange[];
  /** The seed that reproduces it. */
  readonly seed: number;
  /** The path to this input. With the seed, a run tries it first. */
  readonly path: string;
  /** How many inputs were tried up to the first one that breaks the rule. */
  readonly foundAfter: number;
  /** How many times that input was shrunk. */
  readonly shrinks: number;
  /** What found it, if not the rule's own inputs: the id of another rule, or `walk`. */
  readonly during?: string | undefined;
  /** What was done, step by step, in words and requests that a person can repeat. */
  readonly steps?: readonly string[] | undefined;
}

/** The result for one rule. */
export interface RuleResult extends RuleInfo {
  /** The verdict. */
  readonly verdict: Verdict;
  /** The reason, for `skipped` and `not seen`, and for other verdicts if it is known. */
  readonly reason?: string | undefined;
  /** How many inputs were tried. */
  readonly runs: number;
  /** How many of them gave evidence. Reports of format 1 do not contain this. */
  readonly conclusive?: number | undefined;
  /** How many exchanges, of this rule and of others, gave evidence, if they were watched. */
  readonly exchanges?: number | undefined;
  /** How many inputs ran out of time and were repeated alone, if any. */
  readonly repeated?: number | undefined;
  /** How it was broken, for `broken` and `hung`. */
  readonly failure?: Failure | undefined;
  /** The rule that is broken first, if this one is broken only because of it. */
  readonly because?: string | undefined;
}

/** The implementation under test. */
export interface SubjectInfo {
  /** Its name. */
  readonly name: string;
  /** Its version, if known. */
  readonly version?: string | undefined;
}

/** The results of a run of a suite. */
export interface Report {
  /** The version of this format. It increases when the meaning of a field changes. */
  readonly format: 2;
  /** Which side was tested. */
  readonly side: Side;
  /** The implementation under test. */
  readonly subject: SubjectInfo;
  /** The runtime of the tests, such as `Deno 2.9.6`. It says nothing about the subject. */
  readonly runtime: string;
  /** The most random inputs per rule, besides those that are tried in every run. */
  readonly runs: number;
  /** The seed of the inputs. */
  readonly seed: number;
  /** The result for each rule, in the order of the suite. */
  readonly results: readonly RuleResult[];
  /** The states that walks entered, each with how often. States that were not entered were not tested. */
  readonly states?: readonly StateCount[] | undefined;
}

/** How often walks entered a state. */
export interface StateCount {
  /** The action, what was on disk, and who was pulling, such as `pull: part there, 1 pull`. */
  readonly state: string;
  /** How many times. */
  readonly times: number;
}

/** The number of rules for each verdict. */
export type Tally = Readonly<Record<Verdict, number>>;

/** Counts the verdicts of results, of one level or all. */
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

/** Which results make the whole run fail, for an exit code. */
export interface Gate {
  /**
   * The lowest level that counts. Rules that ran out of time count at every level.
   *
   * @default {"should"}
   */
  readonly failOn?: Level | undefined;
  /** The ids of rules known to be broken: neither they nor rules broken because of them count. */
  readonly known?: readonly string[] | undefined;
  /** The ids of rules that may be `not seen`. Rules of the level `observed` or below `failOn` always may. */
  readonly mayBeUnseen?: readonly string[] | undefined;
}

/** The levels, the most important first. */
export const LEVELS: readonly Level[] = ["must", "should", "observed"];

/** Why a bad result does not make the run fail, or `undefined` if it does. */
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

/** Whether a result makes the run fail. */
export function isFailure(result: RuleResult, gate: Gate = {}): boolean {
  const isBad = isBroken(result) || result.verdict === "not seen";
  return isBad && excuseOf(result, gate) === undefined;
}

/**
 * Whether a subject passes: no rule that counts is broken or unseen.
 *
 * @param report The results.
 * @param gate Which results count.
 */
export function passes({ results }: Report, gate: Gate = {}): boolean {
  return !results.some((result) => isFailure(result, gate));
}

/** A report in format 1, in which unseen rules were `skipped` after some runs. */
type EarlierReport = Omit<Report, "format"> & { readonly format: 1 };

/**
 * Reads a report from JSON, in this format or an earlier one.
 *
 * @throws {SyntaxError} If it is not JSON.
 * @throws {TypeError} If it is not a report in a known format.
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
