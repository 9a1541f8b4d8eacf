/**
 * Formats numbers for a terminal.
 *
 * Sizes and times look as in `ollama pull`: decimal units, at most six characters, so that columns keep
 * their width.
 *
 * @module
 */

import { filesize } from "filesize";

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
