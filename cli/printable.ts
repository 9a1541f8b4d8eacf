/**
 * Texts from elsewhere, made safe for a terminal.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";

/** How many characters of a text from elsewhere are shown. */
const MAX_TEXT_LENGTH = 400;

/**
 * A text from elsewhere, made safe for a terminal: one line, without escape sequences, control
 * characters and invisible characters that change what is shown (such as the direction).
 */
export function printable(text: string): string {
  const line = stripVTControlCharacters(text.slice(0, MAX_TEXT_LENGTH * 4))
    .replace(/[\s\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "")
    .trim();
  return line.length <= MAX_TEXT_LENGTH ? line : `${line.slice(0, MAX_TEXT_LENGTH)}…`;
}
