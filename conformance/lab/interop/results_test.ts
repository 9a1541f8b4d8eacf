import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "node:test";
import { lexer, type Token, type Tokens, walkTokens } from "marked";
import { readFile } from "node:fs/promises";
import type { Level } from "../../rule.ts";
import { recordOf, RULES } from "./record.ts";
import { renderResults } from "./results.ts";
import { IMPLEMENTATIONS } from "./shelves.ts";
import { CUT, outcomeOf } from "./test_helpers.ts";

/** The cells of all tables of a text. */
function cellsOf(markdown: string): string[][] {
  const tables = lexer(markdown).filter((token) => token.type === "table") as Tokens.Table[];
  return tables.flatMap(({ rows }) => rows).map((row) => row.map(({ text }) => text));
}

describe("the results", () => {
  const made = renderResults(recordOf([outcomeOf(CUT)]));

  it("are tables that hold any text, with scores that are counted", () => {
    const [scores, broken] = cellsOf(made);
    const of = (level: Level) =>
      RULES.filter((rule) => rule.side === "client" && rule.level === level).length;
    assertEquals(scores, [
      "[a|b](#a-b-1.2)",
      "1.2",
      `${of("must") - 1}/${of("must")}`,
      `${of("should") - 1}/${of("should") - 1} of ${of("should")}`,
      `${of("observed")}/${of("observed")}`,
      "**[C-END-1](#c-end-1)**",
    ]);
    assertEquals(broken, [
      "**[C-END-1](#c-end-1)** (must)",
      "A stream that ends without `success` is a failure",
      "it does | not `look`",
      '``{"a`b":1}\\n‖{ (the connection breaks here)``',
    ]);
  });

  it("say what was skipped, and why", () => {
    assertStringIncludes(made, "Skipped: [C-SUM-1](#c-sum-1) (The kit cannot see it).");
  });

  it("lead from every rule and every implementation to what is said of it, and nowhere else", async () => {
    const record = JSON.parse(await readFile(IMPLEMENTATIONS.record, "utf8"));
    const results = renderResults(record);
    const links = new Set<string>();
    walkTokens(lexer(results), (token: Token) => {
      if (token.type === "link") links.add(token.href.slice(1));
    });
    const anchors = Array.from(results.matchAll(/<a id="([^"]+)">/g), ([, id]) => id!);
    assert(links.size > 50);
    assertEquals(links, new Set(anchors));
    assertEquals(anchors.length, links.size);
  });
});
