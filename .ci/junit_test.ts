/**
 * Shows that tests are counted alike, whichever runtime reports on them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { readReport, type TestCount } from "./junit.ts";

/** What Deno reports of tests, each with its groups before it in its name. */
function denoReport(...testCases: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="deno test"><testsuite name="a_test.ts">${testCases.join("")}</testsuite>
    </testsuites>`;
}

function countIn(report: string): TestCount {
  return readReport(report).count;
}

describe("counting tests", () => {
  it("counts Deno's tests, and not the groups that they are in", () => {
    const report = denoReport(
      '<testcase name="adds"/>',
      '<testcase name="outer"><failure message="1 test step failed"/></testcase>',
      '<testcase name="outer &gt; inner"><failure message="1 test step failed"/></testcase>',
      '<testcase name="outer &gt; inner &gt; fails"><failure message="&lt;1&gt;"/></testcase>',
      '<testcase name="outer &gt; inner &gt; is left out"><skipped/></testcase>',
      '<testcase name="outer &gt; passes"/>',
    );
    assertEquals(countIn(report), { passed: 2, failed: 1, skipped: 1 });
  });

  it("counts a group of Deno's that failed although its tests did not", () => {
    const report = denoReport(
      '<testcase name="faulty hook"><failure message="no server"/></testcase>',
      '<testcase name="faulty hook &gt; passes"/>',
    );
    assertEquals(countIn(report), { passed: 1, failed: 1, skipped: 0 });
  });

  it("counts Bun's tests in all their groups", () => {
    const report = `<?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="bun test"><testsuite name="a_test.ts">
        <testcase name="adds"/><testcase name="adds &gt; more"/>
        <testsuite name="outer"><testcase name="fails"><failure/></testcase>
          <testsuite name="inner"><testcase name="is left out"><skipped/></testcase></testsuite>
        </testsuite>
      </testsuite></testsuites>`;
    assertEquals(countIn(report), { passed: 2, failed: 1, skipped: 1 });
  });

  it("counts nothing in an empty report", () => {
    assertEquals(countIn(denoReport()), { passed: 0, failed: 0, skipped: 0 });
  });
});

describe("the times of tests", () => {
  it("are those of tests, and not of the groups that they are in", () => {
    const report = denoReport(
      '<testcase name="outer" time="3.5"/>',
      '<testcase name="outer &gt; passes" time="1.25"/>',
      '<testcase name="outer &gt; is left out"><skipped/></testcase>',
    );
    assertEquals(readReport(report).times, [
      { name: "outer > passes", seconds: 1.25 },
      { name: "outer > is left out", seconds: 0 },
    ]);
  });
});
