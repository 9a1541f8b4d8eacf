import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { fitWidth } from "./fit_width.ts";
import { formatBytes, formatPercent, formatSeconds } from "./format.ts";
import { printable } from "./printable.ts";

describe("formatBytes", () => {
  it("writes sizes as ollama does", () => {
    const sizes: [number, string][] = [
      [0, "0 B"],
      [999, "999 B"],
      [1000, "1 KB"],
      [1400, "1.4 KB"],
      [9_960, "10 KB"],
      [11_356, "11 KB"],
      [999_949, "999 KB"],
      [999_999, "1 MB"],
      [274_290_656, "274 MB"],
      [4_661_211_424, "4.7 GB"],
      [43_000_000_000, "43 GB"],
      [2 ** 53 - 1, "9 PB"],
    ];
    for (const [bytes, text] of sizes) assertEquals(formatBytes(bytes), text);
  });

  it("takes six characters at most, so that columns keep their width", () => {
    for (let bytes = 1; bytes < 2 ** 53; bytes = Math.ceil(bytes * 1.003)) {
      assertEquals(formatBytes(bytes).length <= 6, true, `${bytes}: ${formatBytes(bytes)}`);
    }
  });

  it("writes a speed of less than a byte as a whole number", () => {
    assertEquals(formatBytes(0.4), "0 B");
    assertEquals(formatBytes(5.7), "6 B");
  });
});

describe("formatSeconds", () => {
  it("writes the two largest units", () => {
    const times: [number, string][] = [
      [0, "0s"],
      [0.2, "1s"],
      [59, "59s"],
      [59.5, "1m0s"],
      [85, "1m25s"],
      [3600, "1h0m"],
      [7384, "2h3m"],
      [1e9, "99h+"],
    ];
    for (const [seconds, text] of times) assertEquals(formatSeconds(seconds), text);
  });
});

describe("formatPercent", () => {
  it("never says 100% before all is done", () => {
    assertEquals(formatPercent(0), "0%");
    assertEquals(formatPercent(0.999), "99%");
    assertEquals(formatPercent(1 - Number.EPSILON / 2), "99%");
    assertEquals(formatPercent(1), "100%");
  });
});

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

describe("fitWidth", () => {
  it("leaves a line that fits as it is", () => {
    assertEquals(fitWidth("12345", 5), "12345");
  });

  it("cuts a line by the columns that it takes, not by its characters", () => {
    assertEquals(fitWidth("123456", 5), "1234…");
    assertEquals(fitWidth("日本語です", 5), "日本…");
    assertEquals(fitWidth("x", 0), "");
  });
});
