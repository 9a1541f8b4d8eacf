/**
 * Marks up special parts of texts on the web page.
 *
 * @module
 */

import { type Content, markup } from "./markup.ts";

/** Code in texts is marked as in Markdown. */
export function withCode(text: string): Content {
  return text.split(/`([^`\n]+)`/).map((part, index) =>
    index % 2 === 1 ? markup`<code>${part}</code>` : part
  );
}

/** Distinguishes bytes shown as `\xNN` or `\n` from bytes shown as they are. */
export function withEscapes(text: string): Content {
  return text.split(/((?:\\x[0-9a-f]{2}|\\u\{[0-9a-f]+\}|\\[nrt])+)/).map((part, index) =>
    index % 2 === 1 ? markup`<i>${part}</i>` : part
  );
}
