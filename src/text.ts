/**
 * Texts of others in messages of ours: short, on one line, and without control characters.
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
  // JSON.stringify does not escape DEL and the C1 controls, some of which can control a terminal.
  return JSON.stringify(excerptOf(text)).replace(
    /[\x7f-\x9f]/g,
    (control) => `\\u00${control.charCodeAt(0).toString(16)}`,
  );
}
