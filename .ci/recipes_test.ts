/**
 * Shows that the recipes for apps are short, and that they leave the protocol to the package. Each is run
 * by a test of its own.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { isTestFile, listFiles, readText, ROOT } from "./project.ts";

/** The folders of the recipes: what an app writes around its pulls. */
const RECIPES = ["durable_object", "electron", "react", "service", "vscode"]
  .map((name) => `mock/recipes/${name}`);

const MAX_LINES = 40;

/**
 * What only the package knows: the endpoints, the fields and words of the statuses, and how to decode them.
 * A Worker may have a `fetch` for the requests that it gets, and hand them on.
 */
const PROTOCOL =
  /\/api\/|ndjson|digest|sha256|manifest|"success"|\bJSON\.|TextDecoder|getReader|\bfetch\b(?!(: )?\(request\b)|insecure/i;

/** The lines of a module that are neither blank, nor an import, nor a comment. */
function linesOfCode(text: string): string[] {
  const code = text
    .replace(/\/\*[^]*?\*\//g, "")
    .replace(/^import [^;]*;$/gm, "")
    .replace(/(?<!:)\/\/.*$/gm, "");
  return code.split("\n").filter((line) => line.trim() !== "");
}

/** The code of a recipe, in however many files. */
async function codeOf(folder: string): Promise<string[]> {
  const files = (await listFiles(ROOT, folder)).filter((file) =>
    /\.[jt]sx?$/.test(file) && !isTestFile(file) && !/\.vitest\.|stub/.test(file)
  );
  return linesOfCode((await Promise.all(files.map(readText))).join("\n"));
}

describe("a recipe for apps", () => {
  for (const folder of RECIPES) {
    it(`is short in ${folder}`, async () => {
      const { length } = await codeOf(folder);
      assert(length > 0 && length <= MAX_LINES, `${length} lines`);
    });

    it(`has nothing of the protocol in ${folder}`, async () => {
      assertEquals((await codeOf(folder)).filter((line) => PROTOCOL.test(line)), []);
    });
  }
});

describe("the count of lines", () => {
  it("leaves out blank lines, imports and comments alone", () => {
    const text = `/**
 * A module.
 */

import {
  one,
} from "one";
import type { Two } from "two";

/** One line. */
const url = "http://127.0.0.1"; // the address
// nothing
export const three = [
  one(url),
];
`;
    assertEquals(linesOfCode(text).length, 4);
  });
});
