/**
 * HTML and XML, escaped by Hono.
 *
 * @module
 */

import { html, raw } from "hono/html";

/** A piece of markup: what is in there is escaped already. */
export type Markup = ReturnType<typeof raw>;

/** What can be put into a template: texts and numbers are escaped, markup is not, `undefined` is left out. */
export type Content = string | number | Markup | undefined | readonly Content[];

/** Makes markup of a template. */
export function markup(template: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  // Hono waits for promises in a template; there are none in contents.
  return html(template, ...contents) as Markup;
}

/** Text that is markup already. */
export function trusted(text: string): Markup {
  return raw(text);
}
