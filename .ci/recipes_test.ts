/**
 * Shows that the recipes for apps are short, and that they leave the protocol to the package. Each recipe has
 * its own test, which runs it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { isTestFile, listFiles, readText, ROOT } from "./project.ts";

/** The folders of the recipes for apps. */
const RECIPES = ["durable_object", "electron", "react", "service", "vscode"]
  .map((name) => `mock/recipes/${name}`);

const MAX_LINES = 40;

/**
 * Signs of the protocol: endpoints, fields and words of statuses, and decoding. A Worker may have a `fetch`
 * for its incoming requests, and pass them on.
 */
const PROTOCOL =
  /\/api\/|ndjson|digest|sha256|manifest|"success"|\bJSON\.|TextDecoder|getReader|\bfetch\b(?!(: )?\(request\b)|insecure/i;

/** The lines of a module without blank lines, imports and comments. */
function linesOfCode(text: string): string[] {
  const code = text
    .replace(/\/\*[^]*?\*\//g, "")
    .replace(/^import [^;]*;$/gm, "")
    .replace(/(?<!:)\/\/.*$/gm, "");
  return code.split("\n").filter((line) => line.trim() !== "");
}

/** The code of all files of a recipe. */
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

    it(`contains nothing of the protocol in ${folder}`, async () => {
      assertEquals((await codeOf(folder)).filter((line) => PROTOCOL.test(line)), []);
    });
  }
});

describe("the count of lines", () => {
  it("leaves out only blank lines, imports and comments", () => {
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
