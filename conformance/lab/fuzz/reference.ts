/**
 * A decoder that is too simple to be wrong: it takes all bytes at once, parses one line after another with
 * `JSON.parse`, and has a list of what the words mean. The output of the package's decoders is compared with
 * the output of this one, which shares no code with them.
 *
 * @module
 */

import type { PullStatus } from "../../../mod.ts";

/** A line of a stream that is not blank. */
export interface ReadLine {
  /** Its number, counted from 1. */
  readonly line: number;
  /** The value, or `undefined` if it is not JSON. */
  readonly value: unknown;
}

/** The contents of a stream. */
export interface Reading {
  readonly lines: readonly ReadLine[];
  /** How it ends and, for a failure, on which line. */
  readonly ending: "whole" | "truncated" | "line-too-long";
  readonly endsAt: number;
}

const DEFAULT_MAX_LINE_BYTES = 1_048_576;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads a stream. */
export function read(bytes: Uint8Array, maxLineBytes = DEFAULT_MAX_LINE_BYTES): Reading {
  const lines: ReadLine[] = [];
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const isCut = newline === -1;
    const end = isCut ? bytes.length : newline;
    const endsInCarriageReturn = end > start && bytes[end - 1] === 0x0d;
    if (end - start - (endsInCarriageReturn ? 1 : 0) > maxLineBytes) {
      return { lines, ending: "line-too-long", endsAt: line };
    }
    let text = utf8.decode(bytes.subarray(start, end));
    if (line === 1 && text.startsWith("\ufeff")) text = text.slice(1);
    const value = parse(text);
    const isBlank = value === undefined &&
      text.replaceAll(" ", "").replaceAll("\t", "").replaceAll("\r", "") === "";
    if (value === undefined && isCut && !isBlank) {
      return { lines, ending: "truncated", endsAt: line };
    }
    if (!isBlank) lines.push({ line, value });
    start = end + 1;
  }
  return { lines, ending: "whole", endsAt: 0 };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The kind of status of an object. */
export function kindOf(object: Record<string, unknown>): PullStatus["kind"] {
  const { status, digest, total, completed } = object;
  if (isFailure(object)) return "error";
  if (typeof digest === "string" && digest !== "") return "downloading";
  if (status === "pulling manifest") return isAboveZero(completed) ? "downloading" : "manifest";
  if (status === "verifying sha256 digest") return "verifying";
  if (status === "writing manifest") return "writing";
  if (status === "removing any unused layers") return "removing";
  if (status === "removing unused layers") return "removing";
  if (String(status).startsWith("couldn't remove unused layers")) return "removing";
  if (status === "success") return "success";
  return isAboveZero(total) || isAboveZero(completed) ? "downloading" : "other";
}

/** Whether an object reports a failure, in any shape that servers use. */
function isFailure(object: Record<string, unknown>): boolean {
  const { error, status, digest, message, detail, errors } = object;
  if (typeof error === "string" || error === true || status === "error") return true;
  if (typeof error === "object" && wordsLength(error, 4) >= 0) return true;
  if (status !== undefined || digest !== undefined) return false;
  return typeof message === "string" || typeof detail === "string" || Array.isArray(errors) ||
    (typeof detail === "object" && detail !== null);
}

/** The length of the longest error message, down to a maximum depth, or -1 if there is none. */
function wordsLength(value: unknown, depth: number): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null || depth === 0) return -1;
  if (!Array.isArray(value)) {
    const names = ["error", "message", "detail", "errors", "msg", "code"];
    const object = value as Record<string, unknown>;
    return Math.max(...names.map((name) => wordsLength(object[name], depth - 1)));
  }
  const longest = Math.max(-1, ...value.map((item) => wordsLength(item, depth - 1)));
  return longest === 0 ? -1 : longest; // in a list, empty texts do not count
}

/** Whether a value is a number of bytes, and not 0. */
function isAboveZero(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** Whether two JSON values are the same, however deeply they are nested. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  const pairs: unknown[] = [a, b];
  while (pairs.length > 0) {
    const [right, left] = [pairs.pop(), pairs.pop()];
    if (Object.is(left, right)) continue;
    if (typeof left !== "object" || typeof right !== "object" || !left || !right) return false;
    if (Array.isArray(left) !== Array.isArray(right)) return false;
    const keys = Object.keys(left);
    if (keys.length !== Object.keys(right).length) return false;
    for (const key of keys) {
      const [mine, other] = [
        (left as Record<string, unknown>)[key],
        (right as Record<string, unknown>)[key],
      ];
      if (!Object.hasOwn(right, key)) return false;
      if (!Object.is(mine, other)) pairs.push(mine, other);
    }
  }
  return true;
}
