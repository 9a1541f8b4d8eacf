/**
 * Counts the tests in a JUnit report of `deno test` or `bun test`.
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

interface TestCase {
  readonly name: string;
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

/** Counts the tests in a report. */
export function countTests(report: string): TestCount {
  const document = new DOMParser().parseFromString(report, "text/xml");
  const testCases = Array.from(document.getElementsByTagName("testcase"), (testCase) => ({
    name: testCase.getAttribute("name") ?? "",
    outcome: outcomeOf(testCase),
  }));
  const isDeno = document.documentElement?.getAttribute("name") === "deno test";
  const count: TestCount = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of isDeno ? withoutGroups(testCases) : testCases) count[outcome]++;
  return count;
}
