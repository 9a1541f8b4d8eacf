import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { MISLEADING_TEXTS, misleadingTexts } from "./misleading.ts";
import { occurs } from "./test_helpers.ts";

describe("misleadingTexts", () => {
  it("are never success itself, nor blank", () => {
    fc.assert(fc.property(misleadingTexts(), (text) => text !== "success" && text.trim() !== ""));
  });

  it("come back from JSON as they were", () => {
    fc.assert(fc.property(misleadingTexts(), (text) => JSON.parse(JSON.stringify(text)) === text));
  });

  const traps: readonly [string, RegExp][] = [
    ["a quote", /"/],
    ["a backslash", /\\/],
    ["a newline", /\n/],
    ["an escape of a newline", /\\n/],
    ["an escape of a character", /\\u0041/],
    ["a bracket that is not closed", /^[^}]*{[^}]*$/],
    ["a bracket that was not opened", /^[^{]*}/],
    ["a whole line of the protocol", /^{"status":"success"}$/m],
    ["the word success", /success/],
    ["an error", /"error":/],
    ["characters of two, three and four bytes", /é.*中.*😀/u],
  ];
  for (const [name, trap] of traps) {
    it(`hold ${name}`, () => {
      assert(occurs(misleadingTexts(), (text) => trap.test(text)));
    });
  }

  it("begin with those that decide, of which each is another", () => {
    assertEquals(new Set(MISLEADING_TEXTS).size, MISLEADING_TEXTS.length);
    for (const text of MISLEADING_TEXTS) assert(occurs(misleadingTexts(), (one) => one === text));
  });
});
