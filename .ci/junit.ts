/**
 * Reads the tests in a JUnit report of `deno test`, `bun test` or Vitest: how many ended how, and how long
 * each of them took.
 *
 * @module
 */

import { DOMParser, type Element } from "@xmldom/xmldom";

/** How many tests ended how. */
export interface TestCount {
  passed: number;
  failed: number;
  skipped: number;
}

/** How long a test took. */
export interface TestTime {
  readonly name: string;
  readonly seconds: number;
}

/** What a report says. */
export interface TestReport {
  readonly count: TestCount;
  readonly times: readonly TestTime[];
}

interface TestCase extends TestTime {
  readonly outcome: keyof TestCount;
}

/** What Deno puts between the name of a group and those of its tests. */
const SEPARATOR = " > ";

function outcomeOf(testCase: Element): keyof TestCount {
  const has = (tag: string) => testCase.getElementsByTagName(tag).length > 0;
  if (has("failure") || has("error")) return "failed";
  return has("skipped") ? "skipped" : "passed";
}

/** Every group that a name says it is in, the outermost first. */
function groupsOf(name: string): string[] {
  const parts = name.split(SEPARATOR);
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(SEPARATOR));
}

/**
 * Leaves out the groups, which Deno lists as if they were tests. A group that failed although its
 * tests did not, as one with a faulty hook does, counts as a test that failed.
 */
function withoutGroups(testCases: TestCase[]): TestCase[] {
  const groups = new Set(testCases.flatMap(({ name }) => groupsOf(name)));
  const tests = testCases.filter(({ name }) => !groups.has(name));
  const failedTests = tests.filter(({ outcome }) => outcome === "failed");
  const explained = new Set(failedTests.flatMap(({ name }) => groupsOf(name)));
  const unexplained = testCases.filter(({ name, outcome }) =>
    outcome === "failed" && groups.has(name) && !explained.has(name)
  );
  return [...tests, ...unexplained];
}

/** Reads a report. */
export function readReport(report: string): TestReport {
  const document = new DOMParser().parseFromString(report, "text/xml");
  const testCases = Array.from(document.getElementsByTagName("testcase"), (testCase) => ({
    name: testCase.getAttribute("name") ?? "",
    seconds: Number(testCase.getAttribute("time") ?? 0),
    outcome: outcomeOf(testCase),
  }));
  const isDeno = document.documentElement?.getAttribute("name") === "deno test";
  const tests = isDeno ? withoutGroups(testCases) : testCases;
  const count: TestCount = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of tests) count[outcome]++;
  return { count, times: tests.map(({ name, seconds }) => ({ name, seconds })) };
}
