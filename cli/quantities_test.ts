import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "./command.ts";
import { parseCount, parseDuration, parseSpeed } from "./quantities.ts";

describe("parseDuration", () => {
  const parse = (text: string) => parseDuration(text, "--x", Infinity);

  it("takes a number with its unit, or several of them", () => {
    const durations: [string, number][] = [
      ["250ms", 250],
      ["90s", 90_000],
      ["30m", 1_800_000],
      ["1.5h", 5_400_000],
      ["1h30m", 5_400_000],
      [" 2H ", 7_200_000],
      ["1d", 86_400_000],
    ];
    for (const [text, milliseconds] of durations) assertEquals(parse(text), milliseconds);
  });

  it("takes off for whatever that means", () => {
    assertEquals(parse("off"), Infinity);
    assertEquals(parseDuration("OFF", "--x", 0), 0);
  });

  it("refuses all else, and 0, which may mean none or no limit", () => {
    for (const text of ["", "90", "s", "0s", "-5m", "5 apples", "5mo", "1e3s", "1,5h", "2m x"]) {
      assertThrows(() => parse(text), UsageError, "--x: Cannot use the duration");
    }
  });
});

describe("parseSpeed", () => {
  it("takes bytes in decimal units, a second", () => {
    assertEquals(parseSpeed("100MB/s", "--rate"), 100e6);
    assertEquals(parseSpeed("1.5 gb", "--rate"), 1.5e9);
    assertEquals(parseSpeed("64kB/s", "--rate"), 64e3);
    assertEquals(parseSpeed("5", "--rate"), 5);
  });

  it("refuses an invalid speed, and 0", () => {
    for (const text of ["", "fast", "0", "-1MB/s", "1MiB/s", "1e9", "MB/s"]) {
      assertThrows(() => parseSpeed(text, "--rate"), UsageError, "--rate: Cannot use the speed");
    }
  });
});

describe("parseCount", () => {
  it("takes a whole number in its range, and no other", () => {
    assertEquals(parseCount("0", "--port", 9), 0);
    assertEquals(parseCount(" 9 ", "--port", 9), 9);
    for (const text of ["", "10", "-1", "1.5", "1e0", "0x1", "a"]) {
      assertThrows(() => parseCount(text, "--port", 9), UsageError, "a whole number from 0 to 9");
    }
  });
});
