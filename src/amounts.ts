/**
 * Amounts as people read them, in their language: `1.2 GB`, `53 MB/s`, `1 h 20 min`, `60%`.
 *
 * `Intl` formats the numbers and the units. A formatter takes up to 100 µs to create and about 1 µs to use,
 * so formatters are cached.
 *
 * Amounts are finite and not negative: see {@link isAmount}.
 *
 * @module
 */

import { quote } from "./text.ts";

/** The default language. */
export const DEFAULT_LOCALE = "en";

/** For how many locales formatters are cached: a server's clients may use any number of locales. */
const MAX_LOCALES = 20;

/** The units of bytes, by the power of 1000. */
const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"];

/** The units of time, and their length in seconds. */
const TIME_UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const;

/** Symbols for the English words that `Intl` uses for these units, in some other languages too. */
const SYMBOLS: Readonly<Record<string, string>> = {
  byte: "B",
  bytes: "B",
  sec: "s",
  secs: "s",
  mins: "min",
  hr: "h",
  hrs: "h",
};

/** The scripts that are written from right to left. */
const RIGHT_TO_LEFT = /^(?:Adlm|Arab|Hebr|Mand|Mend|Nkoo|Rohg|Samr|Syrc|Thaa)$/;

/** The formatters of one locale. */
class LocaleFormats {
  readonly isRightToLeft: boolean;
  /** If the runtime does not know a language, it falls back to English, not to its own default. */
  readonly #locales: string[];
  readonly #formatters = new Map<string, Intl.NumberFormat>();

  constructor(locale: string) {
    this.isRightToLeft = RIGHT_TO_LEFT.test(parseLocale(locale).maximize().script ?? "");
    this.#locales = [locale, DEFAULT_LOCALE];
  }

  percent(share: number): string {
    return this.#formatter("percent", () => ({ style: "percent" })).format(share);
  }

  unit(value: number, unit: string, digits = 0): string {
    const formatter = this.#formatter(`${unit} ${digits}`, () => ({
      style: "unit",
      unit,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }));
    return formatter.format(value)
      .replace(/[a-z]+/gi, (word) => SYMBOLS[word.toLowerCase()] ?? word);
  }

  #formatter(name: string, options: () => Intl.NumberFormatOptions): Intl.NumberFormat {
    let formatter = this.#formatters.get(name);
    if (!formatter) {
      formatter = new Intl.NumberFormat(this.#locales, options());
      this.#formatters.set(name, formatter);
    }
    return formatter;
  }
}

function parseLocale(locale: string): Intl.Locale {
  try {
    return new Intl.Locale(locale);
  } catch (cause) {
    const problem = "it must be a language tag, such as en or pt-BR";
    throw new RangeError(`Cannot use the locale ${quote(String(locale))}: ${problem}`, { cause });
  }
}

/** The cached formatters by locale, the oldest first. */
const kept = new Map<string, LocaleFormats>();

function formatsOf(locale: string): LocaleFormats {
  let formats = kept.get(locale);
  if (!formats) {
    formats = new LocaleFormats(locale);
    for (const oldest of kept.keys()) if (kept.size >= MAX_LOCALES) kept.delete(oldest);
    kept.set(locale, formats);
  }
  return formats;
}

/** Whether a number can be shown as an amount. */
export function isAmount(value: number | undefined): value is number {
  return Number.isFinite(value) && value! >= 0;
}

/** Whether a language is written from right to left. Throws a `RangeError` if it is not a language tag. */
export function isRightToLeft(locale: string): boolean {
  return formatsOf(locale).isRightToLeft;
}

/**
 * Bytes in decimal units, such as `999 B`, `2.0 GB` and `274 MB`: two or three digits, so that columns
 * keep their width.
 */
export function formatBytes(bytes: number, locale: string = DEFAULT_LOCALE): string {
  return formatScaled(bytes, "", locale);
}

/** Bytes per second, such as `53 MB/s`. */
export function formatSpeed(bytesPerSecond: number, locale: string = DEFAULT_LOCALE): string {
  return formatScaled(bytesPerSecond, "-per-second", locale);
}

function formatScaled(bytes: number, per: string, locale: string): string {
  let value = Math.round(bytes);
  let digits = 0;
  let power = 0;
  for (let scaled = bytes; value >= 1000 && power < BYTE_UNITS.length - 1; power++) {
    scaled /= 1000;
    // 9.96 is 10, not 10.0.
    digits = scaled < 9.95 ? 1 : 0;
    value = digits === 1 ? Math.round(scaled * 10) / 10 : Math.round(scaled);
  }
  return formatsOf(locale).unit(Math.abs(value), BYTE_UNITS[power]! + per, digits);
}

/** A share as a whole percentage. It is rounded down: 100% means that nothing is left to do. */
export function formatPercent(fraction: number, locale: string = DEFAULT_LOCALE): string {
  return formatsOf(locale).percent(Math.min(100, Math.abs(Math.floor(fraction * 100))) / 100);
}

/** A time in seconds, rounded up, in its two largest units, such as `1 min 25 s` and `38 s`. */
export function formatDuration(seconds: number, locale: string = DEFAULT_LOCALE): string {
  const whole = Math.ceil(seconds);
  const formats = formatsOf(locale);
  const largest = TIME_UNITS.findIndex(([, size]) => whole >= size);
  if (largest === -1) return formats.unit(0, "second");
  let rest = whole;
  const parts: string[] = [];
  for (const [unit, size] of TIME_UNITS.slice(largest, largest + 2)) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(formats.unit(count, unit));
    rest %= size;
  }
  return parts.join(" ");
}
