/**
 * Shows that every test is in a suite, and which tests a quick run leaves out.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { isTestFile, listFiles, ROOT } from "./project.ts";
import { allSuites, quickSuite } from "./suites.ts";

describe("the suites", () => {
  it("include every test file", async () => {
    const targets = (await allSuites()).flatMap(({ targets }) => targets);
    const isInSuite = (file: string) =>
      targets.some((target) => file === target || file.startsWith(`${target}/`));
    const testFiles = (await listFiles(ROOT)).filter(isTestFile);
    assert(testFiles.length > 0);
    assertEquals(testFiles.filter((file) => !isInSuite(file)), []);
  });

  it("include a quick one, with the package's tests except load tests", async () => {
    const { targets } = await quickSuite();
    const testFiles = (await listFiles(ROOT)).filter((file) =>
      isTestFile(file) && /^(src|mock|cli)\//.test(file) && !file.startsWith("mock/recipes/")
    );
    assertEquals(testFiles.filter((file) => !targets.includes(file)), [
      "mock/finishing_test.ts",
      "mock/load_test.ts",
      "src/limits_test.ts",
    ]);
  });
});
