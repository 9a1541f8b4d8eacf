/**
 * Bytes as people write them: `40GB`, `512KiB`.
 *
 * @module
 */

/** What units of bytes begin with, by the power of 1000 or, as in `KiB`, of 1024. */
const EXPONENTS = "bkmgt";

/** Bytes with or without a unit, or `NaN` if the text is nothing of the kind. */
export function parseBytes(text: string): number {
  const [, digits, unit = "b"] = /^(\d+(?:\.\d+)?)\s*((?:[kmgt]i?)?b)?$/i.exec(text.trim()) ?? [];
  const base = unit.length === 3 ? 1024 : 1000;
  return Number(digits) * base ** EXPONENTS.indexOf(unit.charAt(0).toLowerCase());
}

/** Bytes per second, as in `80MB/s`, or `NaN` if the text is nothing of the kind. */
export function parseBytesPerSecond(text: string): number {
  return parseBytes(text.trim().replace(/\/s$/i, ""));
}
