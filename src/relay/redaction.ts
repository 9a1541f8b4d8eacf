/**
 * What viewers are told of a failure: why, but nothing that only the operator of the relay may know.
 *
 * @module
 */

import { PullError, type PullErrorDetails } from "../errors.ts";
import { hideSecrets } from "../host.ts";

/** The names of errors by which a pull was ended on purpose. */
const ABORTS = ["AbortError", "TimeoutError"];

/**
 * The failure of a pull as strangers may see it: what {@link createRelay} tells its viewers, unless it is
 * given another function.
 *
 * - Of a {@link PullError}: `code`, `reason`, `status`, `retryable`, `retryAfterMs`, `attempts`, `line` and
 *   the message, in which addresses lose user name, password and query. What the server sent (`body`,
 *   `excerpt`) and the `cause` are left out, and what the message quotes of a page or of a broken line. It
 *   may have Ollama's own words, and the address of the server.
 * - Of an abort: its name and its message, in the same way.
 * - Of any other error: nothing but that there was one. It comes from code of the app's own.
 *
 * ```ts
 * import { PullError } from "@ollama-pull/kit";
 * import { redactError } from "@ollama-pull/kit/relay";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new PullError("http", "HTTP 502 of http://me:secret@gpu/api/pull", {
 *   status: 502,
 *   body: "<html>10.0.0.7 is down</html>",
 * });
 * assertEquals(redactError(error).message, "HTTP 502 of http://***@gpu/api/pull");
 * ```
 *
 * @param error What the pull failed with.
 * @return What viewers are told.
 */
export function redactError(error: unknown): Error {
  if (error instanceof PullError) return redactPullError(error);
  const { name, message } = Object(error) as Partial<Error>;
  if (name !== undefined && ABORTS.includes(name)) {
    return new DOMException(hideAddresses(String(message)), name);
  }
  return new Error("The pull failed");
}

function redactPullError(error: PullError): PullError {
  const { code, reason, status, retryable, retryAfterMs, attempts, line } = error;
  const details: PullErrorDetails = { reason, status, retryable, retryAfterMs, attempts, line };
  return new PullError(code, hideAddresses(ownWords(error)), details);
}

/**
 * A message without what it quotes of an answer that is not Ollama's: that may be a page of whatever is
 * behind the relay. What Ollama says in an `error` is meant for people, and stays.
 */
function ownWords({ message, excerpt, body, reason }: PullError): string {
  const isOfOthers = excerpt !== undefined || typeof body === "string" ||
    reason === "wrong-address";
  return isOfOthers ? message.split(/: |, but /, 1)[0]! : message;
}

/** A text in which each address is without what may be secret. */
function hideAddresses(text: string): string {
  // Word by word, since a password may contain whatever else ends an address.
  return text.split(/(\s)/).map(hideAddress).join("");
}

function hideAddress(word: string): string {
  const slashes = word.indexOf("://");
  if (slashes === -1) return word;
  let start = slashes;
  while (start > 0 && /[a-z0-9+.-]/i.test(word.charAt(start - 1))) start--;
  return word.slice(0, start) + hideSecrets(word.slice(start));
}
