import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { HOSTILE } from "./test_helpers.ts";
import { oneLine, visible } from "./texts.ts";

describe("oneLine", () => {
  it("shows what is not seen", () => {
    assertEquals(
      oneLine("a\tb\r\n\x1b[2J\0\x85\u202e\ud800"),
      "a\\tb\\r\\n\\x1b[2J\\x00\\u{85}\\u{202e}\\u{d800}",
    );
  });

  it("leaves alone what is seen", () => {
    assertEquals(oneLine('日本語 é 🦙 "<&>" \\n'), '日本語 é 🦙 "<&>" \\n');
  });

  it("leaves nothing that XML or a terminal trips over", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      assertEquals(/[\p{Cc}\p{Cf}\p{Cs}\ufffe\uffff]/u.test(oneLine(text + HOSTILE)), false);
    }));
  });
});

describe("visible", () => {
  it("keeps line breaks", () => {
    assertEquals(visible("a\r\nb\n\x07c"), "a\nb\n\\x07c");
  });
});
