/**
 * Writes JSON as the real server does.
 *
 * @module
 */

/** What Go's JSON escapes besides what JSON must escape. */
const ESCAPED = /[<>&\u2028\u2029]/g;

/** A value as Go writes it. */
export function stringifyGoJson(value: unknown): string {
  return JSON.stringify(value).replace(
    ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
