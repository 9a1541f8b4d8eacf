/**
 * Shows that no test lies where it would never run, and which tests a quick run leaves out.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { isTestFile, listFiles, ROOT } from "./project.ts";
import { allSuites, quickSuite } from "./suites.ts";

describe("the suites", () => {
  it("hold every test file", async () => {
    const targets = (await allSuites()).flatMap(({ targets }) => targets);
    const isInSuite = (file: string) =>
      targets.some((target) => file === target || file.startsWith(`${target}/`));
    const testFiles = (await listFiles(ROOT)).filter(isTestFile);
    assert(testFiles.length > 0);
    assertEquals(testFiles.filter((file) => !isInSuite(file)), []);
  });

  it("have a quick one, of the package's tests but for those of load", async () => {
    const { targets } = await quickSuite();
    const testFiles = (await listFiles(ROOT)).filter((file) =>
      isTestFile(file) && /^(src|mock|cli)\//.test(file) && !file.startsWith("mock/recipes/")
    );
    assertEquals(testFiles.filter((file) => !targets.includes(file)), [
      "mock/load_test.ts",
      "src/limits_test.ts",
    ]);
  });
});
