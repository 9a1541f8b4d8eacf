/**
 * Marks what stands out in texts of the web page.
 *
 * @module
 */

import { type Content, markup } from "./markup.ts";

/** Texts mark what is code as Markdown does. */
export function withCode(text: string): Content {
  return text.split(/`([^`\n]+)`/).map((part, index) =>
    index % 2 === 1 ? markup`<code>${part}</code>` : part
  );
}

/** Tells apart bytes that are shown as `\xNN` or `\n` from those that are shown as they are. */
export function withEscapes(text: string): Content {
  return text.split(/((?:\\x[0-9a-f]{2}|\\u\{[0-9a-f]+\}|\\[nrt])+)/).map((part, index) =>
    index % 2 === 1 ? markup`<i>${part}</i>` : part
  );
}
