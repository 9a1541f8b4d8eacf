/**
 * Generates the bytes that encode values.
 *
 * @module
 */

import fc from "fast-check";
import { escapeUnits } from "../../src/text.ts";
import type { Bytes } from "./bytes.ts";
import type { Arbitrary } from "./arbitrary.ts";

/** A JSON style. */
export interface JsonStyle {
  /** The order of keys. */
  readonly keys: "as they are" | "reversed" | "sorted";
  /** White space around every token. */
  readonly gap: string;
  /** The characters in strings to write as `\uXXXX`. */
  readonly escapes: "shortest" | "not ASCII" | "everything";
}

/** How one value is encoded. */
interface LineStyle extends JsonStyle {
  /** Lines before it that contain only white space. */
  readonly blanks: readonly string[];
  readonly newline: "\n" | "\r\n";
}

/** Styles of values on one line; the compact one first. */
export function jsonStyles(): Arbitrary<JsonStyle> {
  return fc.record({
    keys: fc.constantFrom<JsonStyle["keys"][]>("as they are", "reversed", "sorted"),
    gap: fc.constantFrom("", " ", "\t", "  "),
    escapes: fc.constantFrom<JsonStyle["escapes"][]>("shortest", "not ASCII", "everything"),
  });
}

function lineStyles(): Arbitrary<LineStyle> {
  return fc.record({
    blanks: fc.array(fc.constantFrom("\n", "\r\n", " \n", "\t\r\n"), { maxLength: 2 }),
    style: jsonStyles(),
    newline: fc.constantFrom<LineStyle["newline"][]>("\n", "\r\n"),
  }).map(({ style, ...frame }) => ({ ...frame, ...style }));
}

/**
 * Values as newline-delimited JSON in UTF-8: compact lines that end with `\n`, as servers write them, and
 * every other encoding of the same values. Lines end with `\n` or `\r\n` and may be blank; there may be a
 * byte order mark at the start and no newline at the end; keys come in any order, with white space around
 * tokens and with escaped characters.
 *
 * @param values The values to encode. They must not be nested too deeply for a recursive writer.
 */
export function ndjsonBytes(values: readonly unknown[]): Arbitrary<Bytes> {
  return fc.record({
    byteOrderMark: fc.boolean(),
    styles: fc.tuple(...values.map(lineStyles)),
    lastNewlineMissing: fc.boolean(),
  }).map(({ byteOrderMark, styles, lastNewlineMissing }) => {
    let text = byteOrderMark ? "\ufeff" : "";
    for (const [index, style] of styles.entries()) {
      text += style.blanks.join("") + writeJson(values[index], style) + style.newline;
    }
    return new TextEncoder().encode(lastNewlineMissing ? text.replace(/\r?\n$/, "") : text);
  });
}

/** Writes a value as JSON on one line. */
export function writeJson(value: unknown, style: JsonStyle): string {
  const { gap } = style;
  if (typeof value === "string") return writeString(value, style);
  if (Array.isArray(value)) {
    return `[${gap}${value.map((item) => writeJson(item, style)).join(`${gap},${gap}`)}${gap}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = inOrder(Object.entries(value), style)
    .map(([key, field]) => `${writeString(key, style)}${gap}:${gap}${writeJson(field, style)}`);
  return `{${gap}${fields.join(`${gap},${gap}`)}${gap}}`;
}

function inOrder(fields: [string, unknown][], { keys }: JsonStyle): [string, unknown][] {
  if (keys === "reversed") return fields.reverse();
  return keys === "sorted" ? fields.sort(([a], [b]) => a < b ? -1 : 1) : fields;
}

function writeString(text: string, { escapes }: JsonStyle): string {
  if (escapes === "everything") return `"${escapeUnits(text)}"`;
  const json = JSON.stringify(text);
  return escapes === "shortest" ? json : json.replace(/[^\0-\x7f]+/g, escapeUnits);
}
