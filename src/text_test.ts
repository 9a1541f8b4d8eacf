import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { escapeControls, escapeUnits, messageOf, quote } from "./text.ts";

describe("quote", () => {
  it("escapes what ends a string or a line, or controls a terminal", () => {
    assertEquals(quote('a"b\n\x1b[2J\x7f\x9b'), '"a\\"b\\n\\u001b[2J\\u007f\\u009b"');
  });

  it("shows no more than 80 characters, and no half of one", () => {
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
  it("is the message of an error, and anything else as a text", () => {
    assertEquals(messageOf(new TypeError("broken")), "broken");
    assertEquals([messageOf("broken"), messageOf(undefined)], ["broken", "undefined"]);
  });
});
