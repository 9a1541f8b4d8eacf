/**
 * HTML and XML, escaped by Hono.
 *
 * @module
 */

import { html, raw } from "hono/html";

/** A piece of markup, in which everything is already escaped. */
export type Markup = ReturnType<typeof raw>;

/** Values for a template: texts and numbers are escaped, markup is not, `undefined` is left out. */
export type Content = string | number | Markup | undefined | readonly Content[];

/** Creates markup from a template. */
export function markup(template: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  // Hono waits for promises in templates, but contents are never promises.
  return html(template, ...contents) as Markup;
}

/** Marks a text as safe markup. */
export function trusted(text: string): Markup {
  return raw(text);
}
