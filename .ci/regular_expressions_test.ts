/**
 * Shows that no regular expression of the library and the mock can be made slow by what it is given.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { isForTests, listFiles, readText, ROOT } from "./project.ts";
import { findExpressions, problemOf } from "./regular_expressions.ts";

const FOLDERS = ["src", "mock"];

async function codeFiles(): Promise<string[]> {
  const files = (await listFiles(ROOT)).filter((file) =>
    FOLDERS.some((folder) => file.startsWith(`${folder}/`))
  );
  return files.filter((file) => file.endsWith(".ts") && !isForTests(file));
}

describe("the regular expressions in code", () => {
  it("are found, and what looks like them is not", () => {
    const code = [
      "const half = total / 2 / count; // not /this/",
      'const A = /^[/"]+$/g, text = "/not/", b = `/nor/ ${x}`;',
      "/* nor /this/ */ if (/\\/x/.test(y)) return /z/;",
      "const c = (a + b) / 2, d = list[0] / 3 /e;",
      "call(/a[^\\]]b/u, 1)",
    ].join("\n");
    assertEquals(findExpressions(code).map(({ source, flags }) => `/${source}/${flags}`), [
      '/^[/"]+$/g',
      "/\\/x/",
      "/z/",
      "/a[^\\]]b/u",
    ]);
  });

  it("are refused if they may be slow", () => {
    const slow: [source: string, flags?: string][] = [
      ["^(a+)+$"],
      ["^(?:a*b?)*$"],
      ["^((a{2,})b)+$"],
      ["\\s+$"],
      ["a*b"],
      ["(?:x|[ab]+)c", "g"],
      ["^\\d*\\d*x"],
      ["^(.*)\\1$"],
      ["^(?<a>x)\\k<a>"],
    ];
    for (const [source, flags = ""] of slow) {
      assert(problemOf({ source, flags }) !== undefined, source);
    }
  });

  it("are let through if they may not", () => {
    const quick: [source: string, flags?: string][] = [
      ["^[ \\t]*$"],
      ["[ \\t]*", "y"],
      ["\\/+", "g"],
      ["[<>&]", "g"],
      ["^(a{1,3}b)+$"],
      ["\\/?$"],
      ["^bytes=(\\d*)-(\\d*)$"],
      ["(?<=.)\\/$"],
    ];
    for (const [source, flags = ""] of quick) {
      assertEquals(problemOf({ source, flags }), undefined, source);
    }
  });

  for (const folder of FOLDERS) {
    it(`take time in proportion to the text, in ${folder}/`, async () => {
      const files = (await codeFiles()).filter((file) => file.startsWith(`${folder}/`));
      let count = 0;
      for (const file of files) {
        for (const expression of findExpressions(await readText(file))) {
          count++;
          const shown = `/${expression.source}/${expression.flags} in ${file}`;
          assertEquals(problemOf(expression), undefined, shown);
        }
      }
      assert(count >= 3, `${count} are found`);
    });
  }
});
