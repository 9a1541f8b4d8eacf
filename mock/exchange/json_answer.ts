/**
 * Answers in JSON, as the real server writes them.
 *
 * @module
 */

import { stringifyGoJson } from "../go_json/encode.ts";

/** The content type of an answer that is not streamed; other answers name a character set, too. */
export const JSON_TYPE = "application/json";

/** An answer in JSON. Not `Response.json`, since its content type differs between runtimes. */
export function answerJson(
  value: unknown,
  status = 200,
  type: string = `${JSON_TYPE}; charset=utf-8`,
): Response {
  return new Response(stringifyGoJson(value), { status, headers: { "Content-Type": type } });
}
