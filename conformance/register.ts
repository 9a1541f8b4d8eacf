/**
 * Registers rules as tests with a test runner: `node:test`, which works in Deno, Bun and Node, or Vitest.
 *
 * ```ts ignore
 * import { describe, it } from "node:test";
 * registerConformance(serverSuite, remoteServer({ url, model: "tiny" }), { describe, it });
 * ```
 *
 * @module
 */

import { LONGEST_TIMER_MS } from "../src/pull/sleep.ts";
import { prettyFailure } from "./reporters/pretty_failure.ts";
import { subjectName } from "./reporters/words.ts";
import { isBroken, type Report, type RuleResult, type SubjectInfo } from "./report.ts";
import type { Rule } from "./rule.ts";
import { type RunOptions, type Suite, SuiteRun } from "./run.ts";

/** The part of a test runner that rules are registered with. */
export interface TestRunner {
  /** Groups tests. */
  readonly describe: (name: string, body: () => void) => unknown;
  /** Registers a test. */
  readonly it: TestFunction;
}

/** Registers a test. */
export interface TestFunction {
  /** Registers a test to run, with its time limit in milliseconds. */
  (
    name: string,
    options: { timeout: number },
    body: (context: SkippableTest) => Promise<void>,
  ): unknown;
  /** Registers a test to skip. */
  readonly skip: (name: string, body: () => void) => unknown;
}

/** A running test. */
export interface SkippableTest {
  /** Marks the test as skipped. */
  readonly skip: (reason: string) => unknown;
}

/**
 * Registers every rule of a suite as a separate test. A broken rule fails its test with a message that shows
 * the smallest counterexample and how to reproduce it. A rule that does not apply to the subject is a skipped
 * test. So is a rule that was not seen, if the runner can skip a test that is already running.
 *
 * @param suite The suite: {@link serverSuite}, {@link clientSuite} or some rules of one.
 * @param subject The implementation under test.
 * @param runner `describe` and `it` of the test runner.
 * @param options Which rules to run, and how thoroughly.
 * @throws {CannotRun} If `rules` names a rule that does not exist.
 */
export function registerConformance<Subject>(
  suite: Suite<Subject> | readonly Rule<Subject>[],
  subject: Subject & SubjectInfo,
  { describe, it }: TestRunner,
  options: RunOptions = {},
): void {
  const run = new SuiteRun("rules" in suite ? suite : suiteOf(suite), subject, options);
  describe(`conformance of ${subjectName(subject)}`, () => {
    for (const rule of run.rules) {
      const name = `${rule.id} ${rule.title} (${rule.level})`;
      const reason = rule.skips?.(subject);
      if (reason !== undefined) {
        it.skip(`${name}: ${reason}`, () => {});
        continue;
      }
      // A test makes a hundred checks, each with its own time limit. No value means "no limit" in every
      // runner.
      it(name, { timeout: LONGEST_TIMER_MS }, async (test) => {
        await run.prepare();
        const result = await run.tryRule(rule);
        if (isBroken(result)) {
          const report = { ...run.head, results: [result] };
          throw new Error(prettyFailure(report, result, { replay: describeOptions }));
        }
        if (result.verdict === "not seen") skip(test, result.reason ?? "No input was conclusive");
      });
    }
  });
}

/** Turns some rules into a suite. */
function suiteOf<Subject>(rules: readonly Rule<Subject>[]): Suite<Subject> {
  return { side: rules[0]?.side ?? "server", rules };
}

/** The call that reproduces a counterexample. */
function describeOptions(report: Report, { id, failure }: RuleResult): string {
  const { seed = report.seed, path } = failure ?? {};
  const options = { rules: [id], seed, ...(path ? { path } : { runs: report.runs }) };
  return `registerConformance(suite, subject, runner, ${JSON.stringify(options)})`;
}

/** Ends an inconclusive test so that it does not count as passed. */
function skip(test: SkippableTest, reason: string): void {
  test.skip(reason);
  // In Vitest `skip` throws; Node and Bun record it; Deno ignores it.
  if ("Deno" in globalThis) throw new Error(`The rule could not be checked: ${reason}`);
}
