import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { formatDuration } from "./amounts.ts";
import { roundTimeLeft } from "./time_left.ts";

const DAY = 86_400;
const times = fc.oneof(
  fc.double({ min: 0, max: 100, noNaN: true }),
  fc.double({ min: 0, max: 50 * 3_600, noNaN: true }),
  fc.double({ min: 0, max: 100 * DAY, maxExcluded: true, noNaN: true }),
);

describe("roundTimeLeft", () => {
  it("shows times as people do", () => {
    const seconds: [number, string][] = [
      [0, "1 s"],
      [4.4, "4 s"],
      [14, "15 s"],
      [57.4, "55 s"],
      [57.5, "1 min"],
      [85, "1 min"],
      [200, "3 min"],
      [3_569, "59 min"],
      [3_570, "1 h"],
      [4_790, "1 h 20 min"],
      [35_699, "9 h 50 min"],
      [35_700, "10 h"],
      [100_000, "1 day 4 h"],
      [1_000_000, "12 days"],
    ];
    for (const [time, text] of seconds) assertEquals(formatDuration(roundTimeLeft(time)!), text);
  });

  it("is near the time, never falls while the time rises, and is never 0", () => {
    fc.assert(fc.property(times, times, (one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)];
      const rounded = roundTimeLeft(less)!;
      assert(rounded <= roundTimeLeft(more)!);
      assert(rounded >= 1);
      assert(Math.abs(rounded - less) <= Math.max(1, less / 3), `${less}: ${rounded}`);
    }));
  });

  it("fits into the columns of the command", () => {
    fc.assert(fc.property(times, (seconds) => {
      const text = formatDuration(roundTimeLeft(seconds)!);
      assert(text.length <= "9 h 50 min".length, text);
      assert(!/^60 |\b60 min|^24 h/.test(text), text);
    }));
  });

  it("shows neither times that nobody waits for nor unknown ones", () => {
    for (const seconds of [undefined, NaN, Infinity, -1, 100 * DAY]) {
      assertEquals(roundTimeLeft(seconds), undefined);
    }
  });
});
