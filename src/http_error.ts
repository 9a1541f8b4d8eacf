/**
 * The error for an answer with an HTTP status other than 2xx.
 *
 * @module
 */

import { causeOfAnswer } from "./causes.ts";
import { PullError } from "./errors.ts";
import { errorWords, titleOfPage } from "./error_words.ts";
import { showHost } from "./host.ts";
import type { ReadResult } from "./streams/producer.ts";
import { quote } from "./text.ts";

/** How much of the body of a failed request is read, in characters. */
const MAX_BODY_LENGTH = 16_384;

/**
 * Reads the body of a failed request as text, up to a maximum length or to where it breaks off.
 *
 * @param read Gives the next bytes of the body.
 */
export async function readErrorBody(read: () => Promise<ReadResult<Uint8Array>>): Promise<string> {
  const utf8 = new TextDecoder();
  let text = "";
  try {
    while (text.length < MAX_BODY_LENGTH) {
      const { done, value } = await read();
      if (done) break;
      text += utf8.decode(value as Uint8Array, { stream: true });
    }
  } catch {
    // The status of the answer matters more than a body that broke off.
  }
  return text;
}

/**
 * The error for an answer with a status other than 2xx, given the text of its body.
 *
 * @param expected Who should have answered.
 */
export function httpError(response: Response, text: string, expected = "Ollama"): PullError {
  const { status, statusText, headers } = response;
  const body = parseBody(text);
  const words = errorWords(typeof body === "string" ? undefined : body);
  // The text of a page is not about a pull, except at 400, with which a TLS port answers plain HTTP.
  const { reason, retryable } = causeOfAnswer(status, words ?? (status === 400 ? text : undefined));
  const title = `HTTP ${status} ${statusText}`.trimEnd();
  const message = `${title}${describeBody(text, words, expected)}${describeDetour(response)}`;
  const retryAfterMs = parseRetryAfter(headers);
  return new PullError("http", message, { status, body, reason, retryable, retryAfterMs });
}

function describeBody(text: string, words: string | undefined, expected: string): string {
  if (words !== undefined) return `: ${words}`;
  if (text.trim() === "") return "";
  return `, not from ${expected}: ${quote(titleOfPage(text) || text)}`;
}

/** Where an answer came from, if the request was redirected. (A POST may have become a GET on the way.) */
export function describeDetour({ redirected, url }: Response): string {
  return redirected ? ` (from ${showHost(new URL(url))}, to which the request was redirected)` : "";
}

/** The body of an error: parsed if it is JSON, `undefined` if it is empty. */
function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === "" ? undefined : text;
  }
}

/**
 * How long the server asks to wait, in milliseconds. RFC 9110, section 10.2.3: `Retry-After` is a number
 * of seconds or a date. A date is compared with the `Date` header, if there is one, or else with the local
 * clock.
 */
function parseRetryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const now = Date.parse(headers.get("date") ?? "");
  const wait = Date.parse(value) - (Number.isNaN(now) ? Date.now() : now);
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
