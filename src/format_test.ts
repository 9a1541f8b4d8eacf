import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { formatProgress, type FormattedProgress, type ProgressAmounts } from "./format.ts";

const HALF: ProgressAmounts = {
  completed: 1_213_000_000,
  total: 2_019_393_189,
  totalIsKnown: true,
  fraction: 0.6006,
  bytesPerSecond: 53_100_000,
  etaSeconds: 15.2,
};
const LOCALES = ["en", "de", "ja", "ar", "ar-EG", "he", "fa", "hi", "tlh"];

const anyNumber = fc.oneof(
  fc.double(),
  fc.double({ min: 0, max: 1e12 }),
  fc.constantFrom(NaN, Infinity, -Infinity, -1, -0, 0),
);
/** Snapshots with any numbers at all, as those from elsewhere may have them. */
const snapshots = fc.record({
  completed: anyNumber,
  total: anyNumber,
  totalIsKnown: fc.boolean(),
  fraction: anyNumber,
  bytesPerSecond: anyNumber,
  etaSeconds: anyNumber,
}, { requiredKeys: ["completed", "total", "totalIsKnown", "fraction"] });

const partsOf = ({ line: _, ...parts }: FormattedProgress) => Object.values(parts);

describe("formatProgress", () => {
  it("shows the progress of a pull", () => {
    assertEquals(formatProgress(HALF), {
      percent: "60%",
      bytes: "1.2 GB of 2.0 GB",
      speed: "53 MB/s",
      timeLeft: "15 s left",
      line: "60%, 1.2 GB of 2.0 GB, 53 MB/s, 15 s left",
    });
  });

  it("never shows NaN or infinity, and has all parts in the line", () => {
    const locales = fc.constantFrom(...LOCALES);
    fc.assert(fc.property(snapshots, locales, (progress, locale) => {
      const shown = formatProgress(progress, { locale });
      assertEquals(shown.line, partsOf(shown).join(", "));
      for (const part of partsOf(shown)) {
        assert(!/NaN|Infinity|∞|-|−|undefined|[{}]/.test(part), part);
      }
    }));
  });

  it("shows 100% only at the end", () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (fraction) => {
      assertEquals(formatProgress({ ...HALF, fraction }).percent === "100%", fraction === 1);
    }));
  });

  it("shows less while the total size is unknown", () => {
    assertEquals(formatProgress({ ...HALF, totalIsKnown: false }), {
      bytes: "1.2 GB",
      speed: "53 MB/s",
      timeLeft: "15 s+ left",
      line: "1.2 GB, 53 MB/s, 15 s+ left",
    });
  });

  it("leaves out unknown parts", () => {
    const nothing = { completed: 0, total: 0, totalIsKnown: false, fraction: 0 };
    assertEquals(formatProgress(nothing), { line: "" });
    const success = { completed: 0, total: 0, totalIsKnown: true, fraction: 1 };
    assertEquals(formatProgress(success), { percent: "100%", line: "100%" });
    const frozen = { completed: 5, total: 9, totalIsKnown: true, fraction: 0.5, bytesPerSecond: 0 };
    assertEquals(formatProgress(frozen).line, "50%, 5 B of 9 B, 0 B/s");
    assertEquals(formatProgress({ ...HALF, etaSeconds: 1e9 }).timeLeft, undefined);
  });

  it("accepts single words, and templates in any word order", () => {
    const german = formatProgress(HALF, {
      locale: "de",
      words: { of: "von", left: "noch {time}" },
    });
    assert(/^1,2\sGB von 2,0\sGB$/.test(german.bytes!), german.bytes);
    assert(/^noch 15\s\S+$/.test(german.timeLeft!), german.timeLeft);
    const words = { of: "{total} 中 {completed}", left: "残り {time}", separator: "、" };
    const { bytes, line } = formatProgress(HALF, { locale: "ja", words });
    assert(/^2\.0\s?GB 中 1\.2\s?GB$/.test(bytes!), bytes);
    assert(/^60%、2.+、53.+、残り 15.+$/.test(line), line);
    const terse = { of: "{completed}/{total}", left: "{time}" };
    assertEquals(formatProgress(HALF, { words: terse }).bytes, "1.2 GB/2.0 GB");
  });

  it("uses English words by default, and keeps other braces", () => {
    const words = { of: undefined, left: "{constructor} $& {time}" };
    assertEquals(formatProgress(HALF, { words }).bytes, "1.2 GB of 2.0 GB");
    assertEquals(formatProgress(HALF, { words }).timeLeft, "{constructor} $& 15 s");
    assertEquals(formatProgress(HALF, { locale: undefined, words: undefined }).percent, "60%");
  });

  it("keeps each amount together in right-to-left languages", () => {
    const words = { of: "מתוך", left: "נותרו {time}" };
    const shown = formatProgress(HALF, { locale: "he", words });
    assertEquals(shown.line.match(/\u2068[^\u2068\u2069]+\u2069/g)?.length, 5);
    assert(/^\u2068[^\u2069]+\u2069 מתוך \u2068[^\u2069]+\u2069$/.test(shown.bytes!));
    for (const locale of ["ar", "fa", "ur", "ckb", "yi", "pa-Arab"]) {
      assert(formatProgress(HALF, { locale }).speed!.startsWith("\u2068"), locale);
    }
    for (const locale of ["en", "de", "ja", "hi", "pa"]) {
      assert(!formatProgress(HALF, { locale }).line.includes("\u2068"), locale);
    }
  });

  it("rejects an invalid language tag", () => {
    assertThrows(() => formatProgress(HALF, { locale: "de_DE" }), RangeError, '"de_DE"');
  });
});
