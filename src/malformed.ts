/**
 * What to do with a malformed line. The caller decides, and every decoder complies.
 *
 * @module
 */

import type { PullError } from "./errors.ts";

/**
 * What to do with a malformed line: fail the stream (`"error"`), skip the line (`"skip"`), or skip it and
 * call a function with the error. The function is called in the order of the lines. If it throws, the
 * stream fails with that error.
 */
export type OnMalformed = "error" | "skip" | ((error: PullError) => void);

/** Handles a malformed line as the caller has chosen. */
export function handleMalformed(error: PullError, onMalformed: OnMalformed): void {
  if (onMalformed === "error") throw error;
  if (onMalformed !== "skip") onMalformed(error);
}
