/**
 * Parses durations, speeds, sizes and counts as people write them: `90s`, `2h`, `100KB/s`, `40GB`.
 *
 * @module
 */

import { parseBytes, parseBytesPerSecond } from "../src/quantities.ts";
import { quote } from "../src/text.ts";
import { UsageError } from "./command.ts";

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Parses a duration such as `90s`, `30m`, `1h30m`, or `off`.
 *
 * @param text The duration. It must have a unit, because a bare number is ambiguous.
 * @param option The option that it was given for.
 * @param off What `off` means, in milliseconds.
 * @return The duration in milliseconds.
 * @throws {UsageError} If it is invalid.
 */
export function parseDuration(text: string, option: string, off: number): number {
  const words = text.trim().toLowerCase();
  if (words === "off") return off;
  const parts = [...words.matchAll(/(\d{1,9}(?:\.\d{1,9})?)(ms|[smhd])/g)];
  const milliseconds = parts.reduce((sum, [, count, unit]) => {
    return sum + Number(count) * MILLISECONDS[unit!]!;
  }, 0);
  const isWhole = parts.map(([part]) => part).join("") === words;
  if (isWhole && milliseconds > 0) return milliseconds;
  throw new UsageError(
    `${option}: Cannot use the duration ${quote(text)}: it must be like 90s, 30m, 2h or off`,
  );
}

/**
 * Parses a speed such as `100MB/s` or `2MiB/s`.
 *
 * @param text The speed. Without a unit, it is in bytes per second.
 * @param option The option that it was given for.
 * @return The speed in bytes per second.
 * @throws {UsageError} If it is invalid.
 */
export function parseSpeed(text: string, option: string): number {
  const speed = parseBytesPerSecond(text);
  if (speed > 0) return speed;
  throw new UsageError(
    `${option}: Cannot use the speed ${
      quote(text)
    }: it must be bytes per second, such as 100MB/s ` +
      "or 2MiB/s",
  );
}

/**
 * Parses a speed, or `unlimited`.
 *
 * @param text The speed, as {@link parseSpeed} reads it.
 * @param option The option that it was given for.
 * @return The speed in bytes per second, or `Infinity`.
 * @throws {UsageError} If it is invalid.
 */
export function parseRate(text: string, option: string): number {
  if (text.trim().toLowerCase() === "unlimited") return Infinity;
  try {
    return parseSpeed(text, option);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message}, or unlimited`);
  }
}

/**
 * Parses a factor such as `10` or `0.5`, or `unlimited`.
 *
 * @param text The factor.
 * @param option The option that it was given for.
 * @return The factor, or `Infinity`.
 * @throws {UsageError} If it is invalid.
 */
export function parseFactor(text: string, option: string): number {
  const words = text.trim().toLowerCase();
  if (words === "unlimited") return Infinity;
  const factor = Number(words);
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(words) && factor > 0) return factor;
  throw new UsageError(
    `${option}: Cannot use ${
      quote(text)
    }: it must be a number above 0, such as 10 or 0.5, or unlimited`,
  );
}

/**
 * Parses a size such as `40GB` or `512KiB`.
 *
 * @param text The size. Without a unit, it is in bytes.
 * @param option The option that it was given for.
 * @return The size in whole bytes.
 * @throws {UsageError} If it is invalid.
 */
export function parseSize(text: string, option: string): number {
  const size = Math.round(parseBytes(text));
  if (Number.isSafeInteger(size)) return size;
  throw new UsageError(
    `${option}: Cannot use the size ${quote(text)}: it must be bytes, such as 40GB or 512KiB`,
  );
}

/**
 * Parses a whole number.
 *
 * @param text The number.
 * @param option The option that it was given for.
 * @param max The largest allowed number.
 * @throws {UsageError} If it is invalid, negative, or too large.
 */
export function parseCount(text: string, option: string, max: number): number {
  const count = Number(text);
  if (/^\s*\d+\s*$/.test(text) && Number.isSafeInteger(count) && count <= max) return count;
  throw new UsageError(
    `${option}: Cannot use ${quote(text)}: it must be a whole number from 0 to ${max}`,
  );
}
