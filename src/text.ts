/**
 * Quotes text from elsewhere in messages: short, on one line, and without control characters.
 *
 * @module
 */

const EXCERPT_LENGTH = 80;

/** The first characters of a text. */
export function excerptOf(text: string): string {
  if (text.length <= EXCERPT_LENGTH) return text;
  return `${text.slice(0, EXCERPT_LENGTH).toWellFormed()}…`;
}

/** The start of a text in quotes, on one line, with control characters escaped. */
export function quote(text: string): string {
  return escapeControls(JSON.stringify(excerptOf(text)));
}

/** JSON that cannot control a terminal: `JSON.stringify` leaves DEL and the C1 controls unescaped. */
export function escapeControls(json: string): string {
  return json.replace(/[\x7f-\x9f]/g, (control) => escapeUnits(control));
}

/** Each UTF-16 code unit of a text as `\uXXXX`. */
export function escapeUnits(text: string): string {
  let escaped = "";
  for (let index = 0; index < text.length; index++) {
    escaped += `\\u${text.charCodeAt(index).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}

/** The message of an error, or any other thrown value as a string. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
