/**
 * Shows that the tests behind every promise of SECURITY.md exist.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { readText } from "./project.ts";
import { hasTest, readPromises } from "./promises.ts";

const HEADING = "What is promised";

describe("promises", () => {
  it("are read with their tests, across line breaks, up to the next heading", () => {
    const markdown = [
      "# Title\n\n- no promise\n\n## Other\n\n- none\n\n## What is promised\n\nText.\n",
      "### Part\n\n- One that\n  is long.\n  - `a_test.ts`: holds\n    it\n  - `b_test.ts`: too",
      "\n### Next\n\n- Two.\n  - `c_test.ts`: holds: ${name}\n\n## After\n\n- none\n",
    ].join("\n");
    assertEquals(readPromises(markdown, HEADING), [
      {
        text: "One that is long.",
        tests: [{ file: "a_test.ts", name: "holds it" }, { file: "b_test.ts", name: "too" }],
      },
      { text: "Two.", tests: [{ file: "c_test.ts", name: "holds: ${name}" }] },
    ]);
    assertThrows(() => readPromises("\n## What is promised\n- a\n  - b\n", HEADING), Error, "b");
  });

  it("are proven only by tests with exactly the same name", () => {
    const code = 'it("does this", () => {});\nit(\n  `does ${that}`, () => {});\n// it "does more"';
    assert(hasTest(code, "does this") && hasTest(code, "does ${that}"));
    assert(!hasTest(code, "does") && !hasTest(code, "does more") && !hasTest(code, "that"));
  });
});

const promises = readPromises(await readText("SECURITY.md"), HEADING);

describe("SECURITY.md", () => {
  it("has promises", () => {
    assert(promises.length > 20);
  });

  for (const { text, tests } of promises) {
    it(`names existing tests for: ${text}`, async () => {
      assert(tests.length > 0);
      for (const { file, name } of tests) {
        assert(hasTest(await readText(file), name), `${file} has no test "${name}"`);
      }
    });
  }
});
