/**
 * What to do with a line that is malformed: the policy of the caller, which every decoder follows.
 *
 * @module
 */

import type { PullError } from "./errors.ts";

/**
 * What to do with a malformed line: fail the stream (`"error"`), leave the line out (`"skip"`), or
 * leave it out and call a function with the error. The function is called in the order of the lines;
 * what it throws fails the stream.
 */
export type OnMalformed = "error" | "skip" | ((error: PullError) => void);

/** Treats a malformed line as the caller asked for. */
export function handleMalformed(error: PullError, onMalformed: OnMalformed): void {
  if (onMalformed === "error") throw error;
  if (onMalformed !== "skip") onMalformed(error);
}
