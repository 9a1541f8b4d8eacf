/**
 * Texts of a report in the form in which people can see them: whatever a subject sends or says is in
 * there, escape sequences and half characters too, and none of it may reach a terminal or a page.
 *
 * @module
 */

/** What is not seen but changes what is, and what XML 1.0 does not allow at all. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  return SHORT_ESCAPES[character] ?? (code < 0x80 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
}

/** A text on one line: line breaks as `\n`, what is not seen as `\xNN` or `\u{N}`. */
export function oneLine(text: string): string {
  return text.replace(UNSEEN, escapeCharacter);
}

/** A text with its line breaks, as lines of {@link oneLine}. */
export function visibleLines(text: string): string[] {
  return text.split(/\r?\n/).map(oneLine);
}

/** A text with its line breaks, and without anything else that is not seen. */
export function visible(text: string): string {
  return visibleLines(text).join("\n");
}

/** A number of things, in words: `1 chunk`, `2 chunks`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
