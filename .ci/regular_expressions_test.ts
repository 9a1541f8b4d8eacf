/**
 * Shows that no input can make a regular expression of the package slow.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { readText } from "./project.ts";
import { intendedFiles } from "./publish.ts";
import { findExpressions, type FoundExpression, problemOf } from "./regular_expressions.ts";

/** The one expression in some code. */
function expressionIn(code: string): FoundExpression {
  const [expression, ...others] = findExpressions(code);
  if (!expression || others.length > 0) {
    throw new Error(`The code must have exactly one expression: ${code}`);
  }
  return expression;
}

describe("the regular expressions in code", () => {
  it("are found wherever they may be", async () => {
    const slow: string[] = [
      "const a = /^(a|a)*$/;",
      "if (b) /(a+)+$/.test(b);",
      "const c = `x ${b.replace(/(a+)+$/u, `${/y/.source}`)}`;",
      'const d = new RegExp("(a+)+$");',
      'const e: RegExp = RegExp("(a+)+$", "gi") as RegExp;',
      "const f = new globalThis.RegExp(`(a+)+$`);",
      "class G<T> { static h = a as number / 2; i = (): RegExp => /[/](a+)+$/; }",
    ];
    for (const code of slow) {
      const problems = await Promise.all(findExpressions(code).map(problemOf));
      assert(problems.some((problem) => problem?.includes("exponential")), code);
    }
  });

  it("are not confused with division, text or comments", () => {
    const code = [
      "const half = total / 2 / count; // not /this/",
      'const text = "/not/" + `/nor/ ${x}`; /* nor /this/ */',
      "const c = (a + b) / 2, d = list[0] / 3 /e;",
      'const set = new Set("a+"), f = Number("a+");',
    ].join("\n");
    assertEquals(findExpressions(code), []);
  });

  it("are read with the pattern and the flags that they have at run time", () => {
    const { pattern, flags } = expressionIn("call(/a[^\\]/]b/u, 1)");
    assertEquals([pattern, flags], ["a[^\\]/]b", "u"]);
    assertEquals(expressionIn('new RegExp("\\\\s", "g")'), {
      code: 'new RegExp("\\\\s", "g")',
      pattern: "\\s",
      flags: "g",
    });
  });

  it("are refused if they may be slow", async () => {
    const slow = [
      "/^(a|a)*$/",
      "/^(a+)+$/",
      "/^(?:a*b?)*$/",
      "/^(a|aa)+$/",
      "/^([a-z]+.?)+@x$/i",
      "/\\s+$/",
      "/a*b/",
      "/(?:x|[ab]+)c/g",
      "/^\\d*\\d*x/",
      "/^(.*)\\1$/",
    ];
    for (const code of slow) {
      const problem = await problemOf(expressionIn(code));
      assert(
        /^is (exponential|\d\w\w degree polynomial)/.test(problem ?? ""),
        `${code} ${problem}`,
      );
    }
  });

  it("are accepted if they are not", async () => {
    const quick = [
      "/^[ \\t]*$/",
      "/[ \\t]*x/y",
      "/\\/+/g",
      "/[<>&]/g",
      "/^(a{1,3}b)+$/",
      "/\\/?$/",
      "/^bytes=(\\d*)-(\\d*)$/",
      "/(?<=.)\\/$/",
    ];
    for (const code of quick) assertEquals(await problemOf(expressionIn(code)), undefined, code);
  });

  it("are refused if they cannot be checked", async () => {
    for (
      const code of [
        "new RegExp(text)",
        'RegExp("a" + text)',
        'RegExp("a", flags)',
        "RegExp(`${a}`)",
      ]
    ) {
      assertEquals(await problemOf(expressionIn(code)), "is known only when the code runs", code);
    }
    const problem = await problemOf(expressionIn("/[a-z&&[aeiou]]/v"));
    assert(problem?.startsWith("cannot be checked"), problem);
  });

  it("take time proportional to the text, everywhere in the package", async () => {
    const modules = (await intendedFiles()).filter((file) => file.endsWith(".ts"));
    const problems: string[] = [];
    let count = 0;
    for (const file of modules) {
      for (const expression of findExpressions(await readText(file))) {
        count++;
        const problem = await problemOf(expression);
        if (problem !== undefined) problems.push(`${file}: ${expression.code} ${problem}`);
      }
    }
    assertEquals(problems, []);
    assert(count >= 50, `${count} are found`);
  });
});
