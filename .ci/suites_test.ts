/**
 * Shows that no test lies where it would never run.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { isTestFile, listFiles, ROOT } from "./project.ts";
import { TEST_FOLDERS } from "./suites.ts";

describe("the suites", () => {
  it("hold every test file", async () => {
    const isInSuite = (file: string) =>
      TEST_FOLDERS.some((folder) => file.startsWith(`${folder}/`));
    const testFiles = (await listFiles(ROOT)).filter(isTestFile);
    assertEquals(testFiles.filter((file) => !isInSuite(file)), []);
  });
});
