/**
 * What an answer with a status other than 2xx says.
 *
 * @module
 */

import { PullError } from "../errors.ts";
import { quote } from "../text.ts";

/** The error for an answer with a status that is not 2xx. */
export function httpError({ status, statusText }: Response, text: string): PullError {
  const body = parseBody(text);
  const words = serverMessage(body);
  const title = `HTTP ${status} ${statusText}`.trimEnd();
  if (words !== undefined) return new PullError("http", `${title}: ${words}`, { status, body });
  const message = text === "" ? title : `${title}, not from Ollama: ${quote(text)}`;
  return new PullError("http", message, { status, body });
}

/** The body of an error: parsed if it is JSON, `undefined` if it is empty. */
function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === "" ? undefined : text;
  }
}

/** What Ollama says of a failure, if the body of an HTTP error is Ollama's own. */
export function serverMessage(body: unknown): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { error } = body as { error?: unknown };
  return typeof error === "string" ? error : undefined;
}
