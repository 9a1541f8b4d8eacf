import { assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { quoteGo } from "./quote.ts";

describe("A text in quotes as Go writes it", () => {
  it("is as in JSON, where all characters can be printed", () => {
    const printable = fc.string({ unit: "grapheme-ascii" });
    fc.assert(fc.property(printable, (text) => {
      assertStrictEquals(quoteGo(text), JSON.stringify(text));
    }));
  });

  it("has escapes of its own for what cannot", () => {
    assertStrictEquals(quoteGo("\x01\x7f\x07\n\v"), '"\\x01\\x7f\\a\\n\\v"');
    assertStrictEquals(
      quoteGo("\u0085\u00a0\ufeff\u{e0001}"),
      '"\\u0085\\u00a0\\ufeff\\U000e0001"',
    );
    assertStrictEquals(quoteGo("é世😀"), '"é世😀"');
  });
});
