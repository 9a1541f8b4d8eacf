import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { escapeControls, escapeUnits, excerptOf, messageOf, quote } from "./text.ts";

describe("excerptOf", () => {
  it("is the text, or its first 80 characters and an ellipsis", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200, size: "max" }), (text) => {
      const excerpt = excerptOf(text);
      if (text.length <= 80) assertEquals(excerpt, text);
      else assertEquals(excerpt, `${text.slice(0, 80)}…`);
    }));
  });

  it("has no half of a character at its end", () => {
    for (const text of ["😀".repeat(100), `x${"😀".repeat(100)}`]) {
      assert(!/[\ud800-\udbff](?![\udc00-\udfff])/.test(excerptOf(text)));
    }
  });
});

describe("quote", () => {
  it("is one line without control characters, whatever the text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
      // deno-lint-ignore no-control-regex
      assert(!/[\u0000-\u001f]/.test(quote(text)));
    }));
  });

  it("leaves no character that could control a terminal", () => {
    for (const control of ["\u001b", "\u0007", "\u007f", "\u009b", "\u0085"]) {
      assert(!quote(`a${control}b`).includes(control), `U+${control.charCodeAt(0).toString(16)}`);
    }
  });

  it("escapes what ends a string or a line, or controls a terminal", () => {
    assertEquals(quote('a"b\n\x1b[2J\x7f\x9b'), '"a\\"b\\n\\u001b[2J\\u007f\\u009b"');
  });

  it("shows at most 80 characters, and no half of one", () => {
    assertEquals(quote("x".repeat(1_000)), `"${"x".repeat(80)}…"`);
    assertEquals(quote(`${"x".repeat(79)}😀`), `"${"x".repeat(79)}\ufffd…"`);
  });
});

describe("escapeControls", () => {
  it("keeps the meaning of JSON", () => {
    const value = { text: "a\x7f\x80\x9fb é 😀" };
    const json = escapeControls(JSON.stringify(value));
    assertEquals(JSON.parse(json), value);
    assertEquals(/[\x7f-\x9f]/.test(json), false);
  });
});

describe("escapeUnits", () => {
  it("escapes each UTF-16 code unit", () => {
    assertEquals(escapeUnits("a\x00é😀"), "\\u0061\\u0000\\u00e9\\ud83d\\ude00");
    assertEquals(escapeUnits(""), "");
  });
});

describe("messageOf", () => {
  it("is the message of an error, or any other value as a string", () => {
    assertEquals(messageOf(new TypeError("broken")), "broken");
    assertEquals([messageOf("broken"), messageOf(undefined)], ["broken", "undefined"]);
  });
});
