import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  clockTime,
  describeCount,
  slowestOf,
  type SuiteResult,
  tableOf,
  totalOf,
} from "./test_report.ts";

function resultOf(name: string, seconds: number, ...testSeconds: number[]): SuiteResult {
  return {
    name,
    subject: "Deno 1.2.3",
    count: { passed: testSeconds.length, failed: 0, skipped: 1 },
    times: testSeconds.map((seconds, index) => ({ name: `test ${index}`, seconds })),
    seconds,
  };
}

describe("the report of a test run", () => {
  it("tells time in minutes and seconds", () => {
    assertEquals([0, 9.9, 60, 243.2, 3725].map(clockTime), [
      "0:00",
      "0:09",
      "1:00",
      "4:03",
      "62:05",
    ]);
  });

  it("sums up all suites, and leaves out that nothing was skipped", () => {
    const total = totalOf([resultOf("a", 1, 1, 1), resultOf("b", 2, 1)]);
    assertEquals(describeCount(total), "3 passed, 0 failed, 2 skipped");
    assertEquals(describeCount({ passed: 1, failed: 2, skipped: 0 }), "1 passed, 2 failed");
  });

  it("has a row for each suite", () => {
    assertEquals(tableOf([resultOf("long", 1.25, 1), resultOf("b", 100, 1)]).split("\n"), [
      "suite  runtime     passed  failed  skipped     time",
      "long   Deno 1.2.3       1       0        1    1.3 s",
      "b      Deno 1.2.3       1       0        1  100.0 s",
    ]);
  });

  it("names the slowest suites and tests, the slowest first", () => {
    const text = slowestOf([resultOf("quick", 1, 0.5), resultOf("slow", 9, 3, 7, 1, 2, 4, 6)]);
    assertEquals(text.split("\n"), [
      "Slowest suites:",
      "     9.0 s  slow, in Deno 1.2.3",
      "     1.0 s  quick, in Deno 1.2.3",
      "",
      "Slowest tests:",
      "     7.0 s  slow, in Deno 1.2.3: test 1",
      "     6.0 s  slow, in Deno 1.2.3: test 5",
      "     4.0 s  slow, in Deno 1.2.3: test 4",
      "     3.0 s  slow, in Deno 1.2.3: test 0",
      "     2.0 s  slow, in Deno 1.2.3: test 3",
    ]);
  });

  it("names no slowest suite where there is one alone", () => {
    assertEquals(slowestOf([resultOf("only", 1, 1)]).split("\n")[0], "Slowest tests:");
  });
});
