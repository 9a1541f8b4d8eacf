/**
 * Colours in a terminal.
 *
 * @module
 */

import type { Verdict } from "../report.ts";

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** How a text should look. */
export type Style = keyof typeof CODES;

/** Applies a style to a text. */
export type Paint = (style: Style, text: string) => string;

const RESET = "\x1b[0m";

/** Leaves texts unchanged. */
export const plain: Paint = (_, text) => text;

/** Uses the escape sequences of terminals. */
export const colored: Paint = (style, text) => `\x1b[${CODES[style]}m${text}${RESET}`;

/** The style of each verdict. */
export const VERDICT_STYLES: Readonly<Record<Verdict, Style>> = {
  kept: "green",
  broken: "red",
  hung: "yellow",
  "not seen": "yellow",
  skipped: "dim",
};
