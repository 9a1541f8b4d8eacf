/**
 * The spinner of the views, which advances at each redraw.
 *
 * @module
 */

/** How often the views redraw, in milliseconds. */
export const TICK_MS = 100;

/** Moves the cursor to the start of the line, and clears it. */
export const CLEAR_LINE = "\r\x1b[K";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** The spinner at a redraw, counted from 0. */
export function spinnerAt(tick: number): string {
  return FRAMES[tick % FRAMES.length]!;
}
