/**
 * Quotes texts as the real server does in its messages: like Go's `%q`.
 *
 * @module
 */

import { CONTROL_NAMES } from "./decode.ts";

/** The characters that Go escapes: quotes, backslashes and everything unprintable. */
const ESCAPED = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** A text in quotes. */
export function quoteGo(text: string): string {
  return `"${text.replace(ESCAPED, escapeOf)}"`;
}

function escapeOf(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  const name = CONTROL_NAMES[character];
  if (name !== undefined) return name;
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x1_0000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
