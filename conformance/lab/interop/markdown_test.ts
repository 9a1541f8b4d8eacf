import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { lexer, type Tokens } from "marked";
import { code, list, table, withMade } from "./markdown.ts";

describe("table", () => {
  it("holds any text", () => {
    const texts = ["a|b", "`c`", "", "d\ne"];
    const [parsed] = lexer(table(["1", "2", "3", "4"], [texts])) as unknown as [Tokens.Table];
    assertEquals(parsed.rows[0]!.map(({ text }) => text), ["a|b", "`c`", "", "d e"]);
  });
});

describe("code", () => {
  it("holds any text", () => {
    for (const text of ["a", "a`b", "`a", "a``b`c", "``"]) {
      const [paragraph] = lexer(code(text)) as unknown as [Tokens.Paragraph];
      const [span] = paragraph.tokens as unknown as [Tokens.Codespan];
      assertEquals([span.type, span.text], ["codespan", text]);
    }
  });
});

describe("list", () => {
  it("joins words as people do", () => {
    assertEquals(list([]), "");
    assertEquals(list(["a"]), "a");
    assertEquals(list(["a", "b", "c"]), "a, b and c");
  });
});

describe("withMade", () => {
  it("wants a place for what is made", () => {
    assertThrows(() => withMade("# Nothing", "a"), Error, "no marks for the generated part");
  });
});
