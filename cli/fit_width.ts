/**
 * Lines that fit a terminal.
 *
 * @module
 */

import stringWidth from "string-width";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The beginning of a line, cut to a width in columns. */
export function fitWidth(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line;
  let fitting = "";
  let width = 0;
  for (const { segment } of graphemes.segment(line)) {
    width += stringWidth(segment);
    if (width > columns - 1) break;
    fitting += segment;
  }
  return columns > 0 ? `${fitting}…` : "";
}
