/**
 * Texts that look like something they are not.
 *
 * @module
 */

import fc from "fast-check";
import type { Arbitrary } from "./arbitrary.ts";

/**
 * Texts that mislead code which searches the bytes of a stream instead of parsing its objects: they contain
 * unbalanced brackets, quotes, escapes, newlines, whole lines of the protocol, and its words among others.
 * None of them is `success` itself.
 */
export const MISLEADING_TEXTS: readonly string[] = [
  'this is not yet a "success"',
  '{"status":"success"}',
  'no {"error":"…"} so far',
  "} and ] before [ and {",
  "one } too many",
  "{ and { that stay open",
  "C:\\new\\table\\u0041\\",
  "one line\nand another",
  'a line\n{"status":"success"}\n',
  "é中中😀😀😀",
];

/** Misleading texts, and parts of them in any order. */
export function misleadingTexts(): Arbitrary<string> {
  const parts = fc.constantFrom(
    ...['"', "\\", "{", "}", "[", "]", ":", ",", "\n", "\\n", "\\u0041", " ", "a"],
    ...['"error":', '"status":', "success", "error", "é", "中", "😀"],
  );
  return fc.oneof(
    fc.constantFrom(...MISLEADING_TEXTS),
    fc.array(parts, { minLength: 2, maxLength: 8 })
      .map((parts) => parts.join(""))
      .filter((text) => text.trim() !== "" && text !== "success"),
  );
}
