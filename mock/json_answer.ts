/**
 * Answers in JSON, as the real server writes them.
 *
 * @module
 */

/** What Go's JSON escapes beside what JSON has to. */
const ESCAPED = /[<>&\u2028\u2029]/g;

/** A value as Go writes it. */
export function stringifyGoJson(value: unknown): string {
  return JSON.stringify(value).replace(
    ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The type of the answer to a pull that is not streamed; the others have a character set. */
export const JSON_TYPE = "application/json";

/** An answer in JSON. Not `Response.json`: the runtimes differ in the type that it gives. */
export function answerJson(
  value: unknown,
  status = 200,
  type: string = `${JSON_TYPE}; charset=utf-8`,
): Response {
  return new Response(stringifyGoJson(value), { status, headers: { "Content-Type": type } });
}
