/**
 * Finds the message of an error, in whatever shape a server, a gateway or a registry sent it.
 *
 * @module
 */

import { isJsonObject } from "./ndjson.ts";

/** The fields that may hold the message, Ollama's first. */
const FIELDS = ["error", "message", "detail", "errors", "msg", "code"] as const;

/** How deep to look. */
const MAX_DEPTH = 4;

/**
 * The innermost message of an error, or `undefined` if there is none:
 *
 * - `"…"` and `{"error":"…"}`: Ollama.
 * - `{"error":{"message":"…","type":"…"}}`: OpenAI, and servers compatible with it.
 * - `{"detail":"…"}`, `{"detail":[{"loc":[…],"msg":"…"}]}`: FastAPI, and so Open WebUI.
 * - `{"errors":[{"code":"…","message":"…"}]}`: an OCI registry.
 * - `{"message":"…"}`, `{"status":"error","message":"…"}`: gateways.
 */
export function errorWords(value: unknown, depth = 0): string | undefined {
  if (typeof value === "string") return value;
  if (depth === MAX_DEPTH) return undefined;
  if (Array.isArray(value)) {
    const words = value.map((item) => errorWords(item, depth + 1)).filter((text) => text);
    return words.length === 0 ? undefined : words.join("; ");
  }
  if (!isJsonObject(value)) return undefined;
  let empty: string | undefined;
  for (const field of FIELDS) {
    const words = errorWords(value[field], depth + 1);
    if (words) return words;
    empty ??= words;
  }
  return empty;
}

/**
 * The message of an object of the stream that reports a failure; `undefined` for any other object. A
 * failure has an `error`, or the shape of an error and no status. A status that happens to have a
 * `message` is not a failure.
 */
export function failureWords(value: Readonly<Record<string, unknown>>): string | undefined {
  const { error, status, digest } = value;
  if (typeof error === "string") return error;
  const isError = error === true || status === "error" ||
    (typeof error === "object" && errorWords(error) !== undefined) ||
    (status === undefined && digest === undefined && hasErrorShape(value));
  return isError ? errorWords(value) ?? "" : undefined;
}

function hasErrorShape({ message, detail, errors }: Readonly<Record<string, unknown>>): boolean {
  return typeof message === "string" || Array.isArray(errors) ||
    typeof detail === "string" || (typeof detail === "object" && detail !== null);
}

/** How much of a page is searched for its title. A long style sheet may precede headings, but seldom titles. */
const MAX_HEAD_LENGTH = 4_096;

/** The title of an HTML page, or `undefined` if the text is not a page. */
export function titleOfPage(text: string): string | undefined {
  if (!/^\s*<(?:!doctype|html|head|body|\?xml|!--)/i.test(text)) return undefined;
  const head = text.slice(0, MAX_HEAD_LENGTH);
  const title = contentOf(head, "title") ?? contentOf(head, "h1") ?? "";
  return title.replace(/\s+/g, " ").trim();
}

/** The text at the start of the first element with this name. */
function contentOf(html: string, name: string): string | undefined {
  const tag = html.toLowerCase().indexOf(`<${name}`);
  const start = tag === -1 ? 0 : html.indexOf(">", tag) + 1;
  return start === 0 ? undefined : html.slice(start).split("<", 1)[0];
}
