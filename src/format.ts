/**
 * Formats a snapshot for people, in words and numbers.
 *
 * @module
 */

import {
  DEFAULT_LOCALE,
  formatBytes,
  formatDuration,
  formatPercent,
  formatSpeed,
  isAmount,
  isRightToLeft,
} from "./amounts.ts";
import type { PullProgress } from "./snapshot.ts";
import { roundTimeLeft } from "./time_left.ts";

/** The fields of a snapshot that {@link formatProgress} uses. */
export type ProgressAmounts = Pick<
  PullProgress,
  "completed" | "total" | "totalIsKnown" | "fraction" | "bytesPerSecond" | "etaSeconds"
>;

/**
 * The words around the amounts: either a single word, which is put where `of` and `left` are in English, or
 * a template with the amounts in braces, in the word order of the language.
 *
 * ```ts
 * import type { ProgressWords } from "@ollama-pull/kit";
 *
 * const german: ProgressWords = { of: "von", left: "noch {time}" };
 * const japanese: ProgressWords = { of: "{total} 中 {completed}", left: "残り {time}", separator: "、" };
 * const arabic: ProgressWords = { of: "من", left: "متبقي {time}", separator: "، " };
 * const terse: ProgressWords = { of: "{completed}/{total}", left: "{time}", separator: " · " };
 * ```
 */
export interface ProgressWords {
  /**
   * The word between the completed and the total bytes, or a template with `{completed}` and `{total}`.
   *
   * @default {"of"}
   */
  readonly of?: string | undefined;
  /**
   * The word after the time left, or a template with `{time}`.
   *
   * @default {"left"}
   */
  readonly left?: string | undefined;
  /**
   * The text between the parts of the line.
   *
   * @default {", "}
   */
  readonly separator?: string | undefined;
}

/** Options of {@link formatProgress}. */
export interface FormatProgressOptions {
  /**
   * The language of the numbers and units, as a language tag: `de`, `pt-BR`, `navigator.language`. If the
   * runtime has no data for it, English is used.
   *
   * @default {"en"}
   */
  readonly locale?: string | undefined;
  /** The words around them, which `Intl` does not provide. English by default. */
  readonly words?: ProgressWords | undefined;
}

/** A snapshot in words and numbers. Parts that are unknown at the moment are absent. */
export interface FormattedProgress {
  /**
   * The share that is done, such as `60%`, rounded down: `100%` comes only with `success`. Absent while
   * `totalIsKnown` is false: then `fraction` is an estimate, good enough for a bar but not for a number.
   */
  readonly percent?: string;
  /**
   * The bytes that are present and the total size: `1.2 GB of 2.0 GB`. While `totalIsKnown` is false, only
   * the bytes present: `1.2 GB`. Absent while no layer is known.
   */
  readonly bytes?: string;
  /** The speed, such as `53 MB/s`. Absent when `bytesPerSecond` is. */
  readonly speed?: string;
  /**
   * The time left, rounded as people would: `15 s left`, `3 min left`, `1 h 20 min left`. While
   * `totalIsKnown` is false, it covers only the layers known so far: `15 s+ left`. Absent when `etaSeconds`
   * is, and from 100 days on.
   */
  readonly timeLeft?: string;
  /**
   * All parts, in this order: `60%, 1.2 GB of 2.0 GB, 53 MB/s, 15 s left`. Empty if all are absent, as while
   * the manifest is pulled: then show the phase.
   */
  readonly line: string;
}

/**
 * Formats the progress of a pull in the language of the reader.
 *
 * ```ts
 * import { formatProgress } from "@ollama-pull/kit";
 * import { assertEquals } from "@std/assert";
 *
 * const progress = {
 *   completed: 1_213_000_000,
 *   total: 2_019_393_189,
 *   totalIsKnown: true,
 *   fraction: 0.6006,
 *   bytesPerSecond: 53_100_000,
 *   etaSeconds: 15.2,
 * };
 * const { bytes, line } = formatProgress(progress);
 * assertEquals(bytes, "1.2 GB of 2.0 GB");
 * assertEquals(line, "60%, 1.2 GB of 2.0 GB, 53 MB/s, 15 s left");
 *
 * const words = { of: "von", left: "noch {time}" };
 * const german = formatProgress(progress, { locale: "de", words });
 * console.log(german.line); // 60 %, 1,2 GB von 2,0 GB, 53 MB/s, noch 15 Sek.
 * ```
 *
 * Numbers and units come from `Intl`. In some languages they differ slightly between runtimes, so compare
 * numbers, not these texts. Bytes are in decimal units, as in `ollama pull`: 1 GB is 10⁹ bytes.
 *
 * Phases are keys, for which each app has its own words. With a table like this, the compiler finds a
 * missing phase:
 *
 * ```ts
 * import { formatProgress, pull, type PullPhase } from "@ollama-pull/kit";
 * import { createMockServer } from "@ollama-pull/kit/mock";
 *
 * const PHASES: Record<PullPhase, string> = {
 *   manifest: "Looking for the model",
 *   downloading: "Downloading",
 *   verifying: "Checking the download",
 *   writing: "Saving",
 *   removing: "Cleaning up",
 *   success: "Ready",
 * };
 * const { fetch } = createMockServer();
 * for await (const progress of pull("llama3.2", { fetch })) {
 *   console.log(PHASES[progress.phase], formatProgress(progress).line);
 * }
 * ```
 *
 * In languages that are written from right to left, each amount is enclosed in the control characters U+2068
 * and U+2069, which keep its left-to-right parts in order.
 *
 * @param progress A snapshot, or the same figures of several pulls together.
 * @param options The language and the words.
 * @throws {RangeError} If the locale is not a language tag, such as `de_DE`, which has an underscore.
 */
export function formatProgress(
  progress: ProgressAmounts,
  options: FormatProgressOptions = {},
): FormattedProgress {
  const { completed, total, totalIsKnown, fraction, bytesPerSecond, etaSeconds } = progress;
  const { locale = DEFAULT_LOCALE, words: { of = "of", left = "left", separator = ", " } = {} } =
    options;
  const show = isRightToLeft(locale) ? isolate : String;
  const parts: { -readonly [Part in Exclude<keyof FormattedProgress, "line">]?: string } = {};

  if (totalIsKnown && isAmount(fraction)) parts.percent = show(formatPercent(fraction, locale));
  if (isAmount(completed) && (completed > 0 || total > 0)) {
    const there = show(formatBytes(completed, locale));
    parts.bytes = totalIsKnown && isAmount(total)
      ? fill(isTemplate(of) ? of : `{completed} ${of} {total}`, {
        completed: there,
        total: show(formatBytes(total, locale)),
      })
      : there;
  }
  if (isAmount(bytesPerSecond)) parts.speed = show(formatSpeed(bytesPerSecond, locale));
  const seconds = roundTimeLeft(etaSeconds);
  if (seconds !== undefined) {
    const time = show(formatDuration(seconds, locale) + (totalIsKnown ? "" : "+"));
    parts.timeLeft = fill(isTemplate(left) ? left : `{time} ${left}`, { time });
  }
  return { ...parts, line: Object.values(parts).join(separator) };
}

/** Isolates the direction of a text from its surroundings: FIRST STRONG ISOLATE, POP DIRECTIONAL ISOLATE. */
function isolate(text: string): string {
  return `\u2068${text}\u2069`;
}

function isTemplate(words: string): boolean {
  return words.includes("{");
}

/** Fills the amounts into a template. Other braces are kept. */
function fill(template: string, amounts: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name) => {
    return Object.hasOwn(amounts, name) ? amounts[name]! : whole;
  });
}
