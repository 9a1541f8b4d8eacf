import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UsageError } from "./command.ts";
import { parseCount, parseDuration, parseRate, parseSize, parseSpeed } from "./quantities.ts";

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

  it("accepts off for the value that it stands for", () => {
    assertEquals(parse("off"), Infinity);
    assertEquals(parseDuration("OFF", "--x", 0), 0);
  });

  it("rejects everything else, and 0, which could mean none or no limit", () => {
    for (const text of ["", "90", "s", "0s", "-5m", "5 apples", "5mo", "1e3s", "1,5h", "2m x"]) {
      assertThrows(() => parse(text), UsageError, "--x: Cannot use the duration");
    }
  });
});

describe("parseSpeed", () => {
  it("takes bytes a second in any unit", () => {
    assertEquals(parseSpeed("100MB/s", "--rate"), 100e6);
    assertEquals(parseSpeed("1.5 gb", "--rate"), 1.5e9);
    assertEquals(parseSpeed("64kB/s", "--rate"), 64e3);
    assertEquals(parseSpeed("5", "--rate"), 5);
    assertEquals(parseSpeed("2MiB/s", "--rate"), 2 * 1024 ** 2);
    assertEquals(parseSpeed("500KB", "--rate"), 500e3);
    assertEquals(parseSpeed("1.5GB/s", "--rate"), 1.5e9);
    assertEquals(parseSpeed("0.5 kib/S", "--rate"), 512);
  });

  it("refuses an invalid speed, and 0", () => {
    for (
      const text of [
        "",
        "fast",
        "0",
        "-1MB/s",
        "1iB/s",
        "8Mb/s/s",
        "80Mbit/s",
        "1e9",
        "MB/s",
        "unlimited",
      ]
    ) {
      assertThrows(() => parseSpeed(text, "--rate"), UsageError, "--rate: Cannot use the speed");
    }
  });
});

describe("parseRate", () => {
  it("accepts a speed, or none", () => {
    assertEquals(parseRate("80MB/s", "--rate"), 80e6);
    assertEquals(parseRate(" Unlimited", "--rate"), Infinity);
  });

  it("refuses all else, and says what there is", () => {
    for (const text of ["", "0", "infinite", "unlimited/s"]) {
      assertThrows(() => parseRate(text, "--rate"), UsageError, "2MiB/s, or unlimited");
    }
  });
});

describe("parseSize", () => {
  it("takes bytes in any unit, and rounds them to whole ones", () => {
    const sizes: [string, number][] = [
      ["40GB", 40e9],
      ["1.5 kb", 1_500],
      ["512KiB", 512 * 1024],
      ["1TiB", 1024 ** 4],
      ["0", 0],
      ["0.7", 1],
    ];
    for (const [text, size] of sizes) assertEquals(parseSize(text, "--model"), size);
  });

  it("reads every size that it can be written as", () => {
    const units = fc.constantFrom(["B", 1], ["KB", 1e3], ["MiB", 2 ** 20], ["GB", 1e9] as const);
    fc.assert(fc.property(fc.nat({ max: 1_000_000 }), units, (count, [unit, bytes]) => {
      assertEquals(parseSize(`${count}${unit}`, "--model"), count * Number(bytes));
    }));
  });

  it("refuses all else", () => {
    for (const text of ["", "GB", "40 apples", "-1GB", "1e9", "40GB/s", "99999999TB"]) {
      assertThrows(() => parseSize(text, "--model"), UsageError, "--model: Cannot use the size");
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
