/**
 * Answers in JSON, as the real server writes them.
 *
 * @module
 */

import { stringifyGoJson } from "../go_json/encode.ts";

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
