/**
 * What `deno task test` says besides what the tests print: what runs, how far that is, and what came of it.
 *
 * @module
 */

import type { TestCount, TestTime } from "./junit.ts";

/** How a suite ended. */
export interface SuiteResult {
  /** The name of the suite. */
  readonly name: string;
  /** What was tested, with versions. */
  readonly subject: string;
  /** How many of its tests ended how. */
  readonly count: TestCount;
  /** How long each of its tests took. */
  readonly times: readonly TestTime[];
  /** How long it took. */
  readonly seconds: number;
  /** What went wrong outside of the tests. */
  readonly problem?: string | undefined;
}

/** How many of the slowest suites and tests are named. */
const SLOWEST = 5;

/** How many characters of a test's name are shown. */
const MAX_NAME = 100;

/** A time as minutes and seconds, such as `4:03`. */
export function clockTime(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** How many tests passed, failed and were skipped, in words. */
export function describeCount({ passed, failed, skipped }: TestCount): string {
  const parts = [`${passed} passed`, `${failed} failed`];
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return parts.join(", ");
}

/** The sum of the counts of all suites. */
export function totalOf(results: readonly SuiteResult[]): TestCount {
  const total: TestCount = { passed: 0, failed: 0, skipped: 0 };
  for (const { count } of results) {
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
  }
  return total;
}

/** A table of what came of each suite. */
export function tableOf(results: readonly SuiteResult[]): string {
  const rows = results.map(({ name, subject, count, seconds }) => [
    name,
    subject,
    ...[count.passed, count.failed, count.skipped].map(String),
    `${seconds.toFixed(1)} s`,
  ]);
  const table = [["suite", "runtime", "passed", "failed", "skipped", "time"], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row.map((cell, column) =>
      column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    ).join("  ")
  ).join("\n");
}

/** The things that took longest, the slowest first, a line each. */
function slowest(title: string, things: readonly TestTime[]): string {
  const first = things.toSorted((one, other) => other.seconds - one.seconds).slice(0, SLOWEST);
  const lines = first.map(({ name, seconds }) => {
    const short = name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME)}…`;
    return `  ${`${seconds.toFixed(1)} s`.padStart(8)}  ${short}`;
  });
  return [title, ...lines].join("\n");
}

/** The slowest suites, if there are several, and the slowest tests of all. */
export function slowestOf(results: readonly SuiteResult[]): string {
  const suites = results.map(({ name, subject, seconds }) => ({
    name: `${name}, in ${subject}`,
    seconds,
  }));
  const tests = results.flatMap(({ name: suite, subject, times }) =>
    times.map(({ name, seconds }) => ({ name: `${suite}, in ${subject}: ${name}`, seconds }))
  );
  return [
    ...(results.length > 1 ? [slowest("Slowest suites:", suites)] : []),
    slowest("Slowest tests:", tests),
  ].join("\n\n");
}
