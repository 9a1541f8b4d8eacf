/**
 * Shows that no test lies where it would never run.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { isTestFile, listFiles, ROOT } from "./project.ts";
import { allSuites } from "./suites.ts";

describe("the suites", () => {
  it("hold every test file", async () => {
    const targets = (await allSuites()).flatMap(({ targets }) => targets);
    const isInSuite = (file: string) =>
      targets.some((target) => file === target || file.startsWith(`${target}/`));
    const testFiles = (await listFiles(ROOT)).filter(isTestFile);
    assert(testFiles.length > 0);
    assertEquals(testFiles.filter((file) => !isInSuite(file)), []);
  });
});
