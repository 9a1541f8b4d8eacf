/**
 * Formats numbers and untrusted texts for a terminal.
 *
 * Sizes and times look as in `ollama pull`: decimal units, at most six characters, so that columns keep
 * their width.
 *
 * @module
 */

import { filesize } from "filesize";
import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";

/** A number of bytes, such as `4.7 GB`. From 10 units on it is rounded down to whole ones. */
export function formatBytes(bytes: number): string {
  const { value, unit } = filesize(bytes, { output: "object", round: 1 });
  const digits = Number(value) < 10 ? value : Math.floor(Number(value));
  return `${digits} ${unit.toUpperCase()}`;
}

/** A time in seconds, such as `1m25s`: its two largest units. */
export function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  if (hours >= 100) return "99h+";
  if (hours > 0) return `${hours}h${minutes}m`;
  return minutes > 0 ? `${minutes}m${whole % 60}s` : `${whole}s`;
}

/** A fraction as a whole percentage, rounded down, so that it is 100 only at the end. */
export function formatPercent(fraction: number): string {
  return `${Math.floor(fraction * 100)}%`;
}

/** How many characters of a text from elsewhere are shown. */
const MAX_TEXT_LENGTH = 400;

/**
 * A text from elsewhere, made safe for a terminal: one line, without escape sequences, control
 * characters and invisible characters that change what is shown (such as the direction).
 */
export function printable(text: string): string {
  const line = stripVTControlCharacters(text.slice(0, MAX_TEXT_LENGTH * 4))
    .replace(/[\s\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "")
    .trim();
  return line.length <= MAX_TEXT_LENGTH ? line : `${line.slice(0, MAX_TEXT_LENGTH)}…`;
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The start of a line that fits a width in columns. */
export function fitWidth(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  let fitting = "";
  let width = 0;
  for (const { segment } of graphemes.segment(line)) {
    width += stringWidth(segment);
    if (width > columns - 1) break;
    fitting += segment;
  }
  return columns > 0 ? `${fitting}…` : "";
}
