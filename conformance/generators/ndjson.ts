/**
 * The bytes in which values may be written.
 *
 * @module
 */

import fc from "fast-check";
import { escapeUnits } from "../../src/text.ts";
import type { Bytes } from "./bytes.ts";
import type { Arbitrary } from "./arbitrary.ts";

/** How one value is written. */
interface LineStyle {
  /** The lines before it that hold nothing but white space. */
  readonly blanks: readonly string[];
  readonly keys: "as they are" | "reversed" | "sorted";
  /** White space around every token. */
  readonly gap: string;
  readonly escapes: "shortest" | "not ASCII" | "everything";
  readonly newline: "\n" | "\r\n";
}

function lineStyles(): Arbitrary<LineStyle> {
  return fc.record({
    blanks: fc.array(fc.constantFrom("\n", "\r\n", " \n", "\t\r\n"), { maxLength: 2 }),
    keys: fc.constantFrom<LineStyle["keys"][]>("as they are", "reversed", "sorted"),
    gap: fc.constantFrom("", " ", "\t", "  "),
    escapes: fc.constantFrom<LineStyle["escapes"][]>("shortest", "not ASCII", "everything"),
    newline: fc.constantFrom<LineStyle["newline"][]>("\n", "\r\n"),
  });
}

/**
 * Values as newline-delimited JSON, in UTF-8: compact lines that end in `\n`, as servers write them, and
 * every other form in which the same values may be written. Lines end in `\n` or `\r\n` and may be blank,
 * there may be a byte order mark at the start and no newline at the end, keys come in any order, with
 * white space around tokens and with characters escaped.
 *
 * @param values What is to be written. Not nested too deeply for a recursive writer.
 */
export function ndjsonBytes(values: readonly unknown[]): Arbitrary<Bytes> {
  return fc.record({
    byteOrderMark: fc.boolean(),
    styles: fc.tuple(...values.map(lineStyles)),
    lastNewlineMissing: fc.boolean(),
  }).map(({ byteOrderMark, styles, lastNewlineMissing }) => {
    let text = byteOrderMark ? "\ufeff" : "";
    for (const [index, style] of styles.entries()) {
      text += style.blanks.join("") + write(values[index], style) + style.newline;
    }
    return new TextEncoder().encode(lastNewlineMissing ? text.replace(/\r?\n$/, "") : text);
  });
}

/** Writes a value as JSON on one line. */
function write(value: unknown, style: LineStyle): string {
  const { gap } = style;
  if (typeof value === "string") return writeString(value, style);
  if (Array.isArray(value)) {
    return `[${gap}${value.map((item) => write(item, style)).join(`${gap},${gap}`)}${gap}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = inOrder(Object.entries(value), style)
    .map(([key, field]) => `${writeString(key, style)}${gap}:${gap}${write(field, style)}`);
  return `{${gap}${fields.join(`${gap},${gap}`)}${gap}}`;
}

function inOrder(fields: [string, unknown][], { keys }: LineStyle): [string, unknown][] {
  if (keys === "reversed") return fields.reverse();
  return keys === "sorted" ? fields.sort(([a], [b]) => a < b ? -1 : 1) : fields;
}

function writeString(text: string, { escapes }: LineStyle): string {
  if (escapes === "everything") return `"${escapeUnits(text)}"`;
  const json = JSON.stringify(text);
  return escapes === "shortest" ? json : json.replace(/[^\0-\x7f]+/g, escapeUnits);
}
