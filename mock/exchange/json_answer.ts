/**
 * Answers in JSON, as the real server writes them.
 *
 * @module
 */

import { stringifyGoJson } from "../go_json/encode.ts";

/** The content type of an answer that is not streamed. Other answers also name a character set. */
export const JSON_TYPE = "application/json";

/**
 * The longest body that Go sends with a `Content-Length`. A longer one is chunked, so clients must not rely
 * on the length (observed).
 */
const MAX_BYTES_WITH_LENGTH = 2_048;

/** An answer whose whole body is known. */
export function answerText(
  text: string,
  status: number,
  headers: Record<string, string>,
): Response {
  const bytes = new TextEncoder().encode(text);
  const length = bytes.length <= MAX_BYTES_WITH_LENGTH
    ? { "Content-Length": String(bytes.length) }
    : {};
  return new Response(bytes, { status, headers: { ...headers, ...length } });
}

/** An answer in JSON. Not `Response.json`, since its content type differs between runtimes. */
export function answerJson(
  value: unknown,
  status = 200,
  type: string = `${JSON_TYPE}; charset=utf-8`,
): Response {
  return answerText(stringifyGoJson(value), status, { "Content-Type": type });
}
