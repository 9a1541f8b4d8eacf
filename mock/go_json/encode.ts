/**
 * Writes JSON as the real server does.
 *
 * @module
 */

import { escapeUnits } from "../../src/text.ts";

/** What Go's JSON escapes besides what JSON must escape. */
const ESCAPED = /[<>&\u2028\u2029]/g;

/** A value as Go writes it. */
export function stringifyGoJson(value: unknown): string {
  return JSON.stringify(value).replace(ESCAPED, (character) => escapeUnits(character));
}
