import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { printable } from "./printable.ts";

describe("printable", () => {
  it("takes escape sequences and control characters out of a text", () => {
    assertEquals(printable("\x1b[2J\x1b[31mred\x1b[0m\x07 \x9b1mtext"), "red text");
    assertEquals(printable("\x1b]0;title\x07after"), "after");
    assertEquals(printable("a\rb\nc\u2028d\te"), "a b c d e");
    assertEquals(printable("gnp\u202egpj\u2066.\u200b"), "gnpgpj.");
  });

  it("leaves nothing but what can be seen, whatever comes in", () => {
    for (let code = 0; code < 0x3000; code++) {
      const text = printable(`\x1b${String.fromCharCode(code)}[${String.fromCharCode(code)}m`);
      // deno-lint-ignore no-control-regex
      assertEquals(/[\x00-\x1f\x7f-\x9f]/.test(text), false, `U+${code.toString(16)}`);
    }
  });

  it("cuts what is too long to be read", () => {
    assertEquals(printable("x".repeat(1_000_000)).length, 401);
  });
});
