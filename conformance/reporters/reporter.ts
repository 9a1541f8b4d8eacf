/**
 * What a reporter is: a function from reports to text.
 *
 * @module
 */

import type { Gate, Report, RuleResult } from "../report.ts";
import { count } from "./texts.ts";
import { describeRuntime } from "./words.ts";

/** Options of every reporter. */
export interface ReporterOptions {
  /**
   * Says how to reproduce a result: with a command, or in another way.
   *
   * @default describeReplay
   */
  readonly replay?: ((report: Report, result: RuleResult) => string) | undefined;
  /**
   * Which results count as failures.
   *
   * @default {{}}
   */
  readonly gate?: Gate | undefined;
}

/** Creates a text from reports. */
export type Reporter<Options extends ReporterOptions = ReporterOptions> = (
  reports: readonly Report[],
  options?: Options,
) => string;

/**
 * The command-line options that reproduce a result: rule, seed and, for a counterexample, its path. Anything
 * that a shell would not take as a single word is left out, because a report may come from elsewhere.
 */
export function replayFlags(report: Report, { id, failure }: RuleResult): string[] {
  const word = (value: string | number) => String(value).replace(/[^\w:.-]/g, "");
  const { seed = report.seed, path = "", during } = failure ?? {};
  const others = during === undefined || during === "walk" ? [] : [during];
  const rules = [id, ...others].flatMap((rule) => ["--rule", word(rule)]);
  const flags = [...rules, "--seed", word(seed)];
  if (path !== "") return [...flags, "--path", word(path)];
  const isByItself = failure !== undefined && during === undefined;
  return isByItself ? flags : [...flags, "--runs", word(report.runs)];
}

/** The command that reproduces a result, except for the arguments that select the subject. */
export function describeReplay(report: Report, result: RuleResult): string {
  return ["conformance", report.side, ...replayFlags(report, result)].join(" ");
}

/** How much was tested, in words. */
export function describeRun(
  { runtime, runs, seed }: Pick<Report, "runtime" | "runs" | "seed">,
): string {
  return `${describeRuntime({ runtime })}, up to ${
    count(runs, "input")
  } by chance a rule, seed ${seed}`;
}
