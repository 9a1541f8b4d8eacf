import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { formatBytes, formatDuration, formatPercent, formatSpeed, isAmount } from "./amounts.ts";
import { parseBytes, parseBytesPerSecond } from "./quantities.ts";

const LOCALES = ["en", "en-GB", "de", "fr", "pt-BR", "ja", "ko", "zh", "hi", "ar-EG", "fa", "he"];

const locales = fc.constantFrom(...LOCALES);
/** Up to 900 TB, which can be read back. As many are small as are large. */
const readable = fc.double({ min: 0, max: 14.95, noNaN: true }).map((power) => 10 ** power - 1);
const amounts = fc.double().filter(isAmount);

/** The number in a text, with the digits and the decimal sign of English. */
function numberIn(text: string, locale: string): string {
  const numbers = new Intl.NumberFormat(locale, { useGrouping: false });
  const digits = Array.from({ length: 10 }, (_, digit) => numbers.format(digit));
  const point = numbers.formatToParts(1.5).find(({ type }) => type === "decimal")!.value;
  const characters = Array.from(text, (character) => {
    if (digits.includes(character)) return digits.indexOf(character);
    return character === point ? "." : " ";
  });
  return /\d+(?:\.\d+)?/.exec(characters.join(""))?.[0] ?? "";
}

describe("isAmount", () => {
  it("accepts numbers that can be shown", () => {
    for (const value of [0, -0, 0.5, 2 ** 60]) assert(isAmount(value));
    for (const value of [undefined, NaN, Infinity, -Infinity, -1]) assert(!isAmount(value));
    assert(!isAmount(null as unknown as undefined)); // what JSON makes of NaN
  });
});

describe("formatBytes", () => {
  it("can be read back, up to rounding", () => {
    fc.assert(fc.property(readable, (bytes) => {
      const text = formatBytes(bytes);
      const seen = parseBytes(text);
      const unit = seen / Number.parseFloat(text) || 1;
      const rounding = text.includes(".") ? unit / 20 : unit / 2;
      assert(Math.abs(seen - bytes) <= rounding * (1 + 1e-9), `${bytes}: ${text}`);
      const speed = parseBytesPerSecond(formatSpeed(bytes));
      assertEquals(speed, seen);
    }));
  });

  it("has at most six characters, so that columns keep their width", () => {
    fc.assert(fc.property(readable, (bytes) => {
      assert(/^(?:\d|\d\d|\d\d\d|\d\.\d) (?:B|[kMGTP]B)$/.test(formatBytes(bytes)), `${bytes}`);
    }));
    assertEquals(formatBytes(Number.MAX_SAFE_INTEGER), "9.0 PB");
  });

  it("grows with the bytes", () => {
    fc.assert(fc.property(readable, readable, (one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)].map(formatEnglish);
      assert(parseBytes(less!) <= parseBytes(more!), `${less}, ${more}`);
    }));
  });

  it("has the same number in every language", () => {
    fc.assert(fc.property(readable.filter((bytes) => bytes > 2.5), locales, (bytes, locale) => {
      for (const format of [formatBytes, formatSpeed]) {
        assertEquals(numberIn(format(bytes, locale), locale), numberIn(format(bytes), "en"));
      }
    }));
  });

  it("changes the unit where the number would have four digits", () => {
    const sizes: [number, string][] = [
      [0, "0 B"],
      [0.4, "0 B"],
      [999.4, "999 B"],
      [999.5, "1.0 kB"],
      [1000, "1.0 kB"],
      [9_949, "9.9 kB"],
      [9_951, "10 kB"],
      [999_499, "999 kB"],
      [999_500, "1.0 MB"],
      [274_290_656, "274 MB"],
      [2_019_393_189, "2.0 GB"],
      [43_000_000_000, "43 GB"],
    ];
    for (const [bytes, text] of sizes) assertEquals(formatBytes(bytes), text);
  });

  it("uses symbols where Intl would use English words", () => {
    for (const locale of ["en", "en-GB", "ja", "ko", "nl", "pt"]) {
      assertEquals(formatBytes(5, locale).replace(/\s/, ""), "5B", locale);
    }
  });
});

const formatEnglish = (bytes: number) => formatBytes(bytes);

describe("formatPercent", () => {
  it("shows 100% only for the whole, and never falls", () => {
    const fractions = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(fc.property(fractions, fractions, (one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)];
      const percentOf = (fraction: number) => Number.parseInt(formatPercent(fraction));
      assert(percentOf(less) <= percentOf(more));
      assert(percentOf(less) <= less * 100);
      assertEquals(formatPercent(less) === "100%", less === 1);
    }));
    assertEquals(formatPercent(1.5), "100%");
    for (const fraction of [0.999, 0.9999999, 1 - Number.EPSILON / 2]) {
      assertEquals(formatPercent(fraction), "99%");
    }
  });
});

describe("formatDuration", () => {
  it("writes the two largest units", () => {
    const times: [number, string][] = [
      [0, "0 s"],
      [0.2, "1 s"],
      [59, "59 s"],
      [59.5, "1 min"],
      [85, "1 min 25 s"],
      [3_600, "1 h"],
      [3_659, "1 h"],
      [7_384, "2 h 3 min"],
      [86_400, "1 day"],
      [180_000, "2 days 2 h"],
    ];
    for (const [seconds, text] of times) assertEquals(formatDuration(seconds), text);
  });
});

describe("every format", () => {
  it("shows a number, whatever amount it gets", () => {
    fc.assert(fc.property(amounts, locales, (amount, locale) => {
      for (const format of [formatBytes, formatSpeed, formatPercent, formatDuration]) {
        const text = format(amount, locale);
        assert(/\p{Letter}|%|٪/u.test(text), text);
        assert(!/NaN|∞|-|−|undefined/.test(text), text);
      }
    }));
    for (const format of [formatBytes, formatSpeed, formatPercent, formatDuration]) {
      assertEquals(format(-0), format(0));
    }
  });

  it("is in English if the runtime does not know the language", () => {
    const [made] = formattersMade(() => assertEquals(formatBytes(1_200_000, "tlh"), "1.2 MB"));
    assertEquals(made![0], ["tlh", "en"]); // Intl would go on to the runtime's own language
  });

  it("rejects an invalid language tag, and says what a valid one looks like", () => {
    for (const locale of ["", "de_DE", "not a tag\x1b[2J"]) {
      const { message } = assertThrows(() => formatPercent(0, locale), RangeError);
      assert(message.startsWith("Cannot use the locale "), message);
      assert(message.endsWith(": it must be a language tag, such as en or pt-BR"), message);
      assert(!message.includes("\x1b"));
    }
  });

  it("caches formatters, for a limited number of languages", () => {
    const made = formattersMade(() => {
      for (let count = 1; count < 100; count++) formatBytes(count * 1e9, "fr-CH");
    });
    assertEquals(made.length, 2); // with and without a decimal
    const languages = Array.from({ length: 100 }, (_, index) => `en-x-a${index}`);
    for (const language of languages) formatBytes(5, language);
    assertEquals(formattersMade(() => formatBytes(5, languages.at(-1))).length, 0);
    assertEquals(formattersMade(() => formatBytes(5, languages[0])).length, 1);
  });
});

/** What formatters are made with while something runs. */
function formattersMade(run: () => void): unknown[][] {
  const original = Intl.NumberFormat;
  const made: unknown[][] = [];
  Intl.NumberFormat = new Proxy(original, {
    construct(target, args) {
      made.push(args);
      return Reflect.construct(target, args);
    },
  });
  try {
    run();
  } finally {
    Intl.NumberFormat = original;
  }
  return made;
}
