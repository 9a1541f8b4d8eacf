/**
 * Writes JSON as the real server does.
 *
 * @module
 */

import { escapeUnits } from "../../src/text.ts";

/** The characters that Go escapes in addition to those that JSON requires. */
const ESCAPED = /[<>&\u2028\u2029]/g;

/** A value in Go's JSON. */
export function stringifyGoJson(value: unknown): string {
  return JSON.stringify(value).replace(ESCAPED, (character) => escapeUnits(character));
}
