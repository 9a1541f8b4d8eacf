/**
 * Makes the texts of a report safe to show. They contain what a subject sent, including escape sequences and
 * half characters, which must not reach a terminal or a page.
 *
 * @module
 */

/** Invisible characters that change how text is shown, and characters that XML 1.0 forbids. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  return SHORT_ESCAPES[character] ?? (code < 0x80 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
}

/** A text on one line: line breaks as `\n`, invisible characters as `\xNN` or `\u{N}`. */
export function oneLine(text: string): string {
  return text.replace(UNSEEN, escapeCharacter);
}

/** A text split at its line breaks, each line as by {@link oneLine}. */
export function visibleLines(text: string): string[] {
  return text.split(/\r?\n/).map(oneLine);
}

/** A text with its line breaks, and with other invisible characters escaped. */
export function visible(text: string): string {
  return visibleLines(text).join("\n");
}

/** A number with a noun: `1 chunk`, `2 chunks`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
