/**
 * How pulls end, in words that can be compared: on the side of the relay, and on that of a viewer.
 *
 * @module
 */

import { PullError } from "../../../../mod.ts";

/** The end of a pull that has succeeded. */
export const SUCCESS = "success";

/** The end of a pull that has failed, with all that viewers are told. */
export function failureToText(error: unknown): string {
  if (error instanceof PullError) return JSON.stringify(error.toJSON());
  const { name, message } = Object(error) as Partial<Error>;
  return `${name}: ${message}`;
}

/** What ends of this kind have in common, to be counted. */
export function kindOfFailure(error: unknown): string {
  if (!(error instanceof PullError)) return String((Object(error) as Partial<Error>).name);
  return error.reason === undefined ? error.code : `${error.code} (${error.reason})`;
}

/** Whether a viewer was told that the relay knows no such pull, or does not any more. */
export function isNotRunning(error: unknown): boolean {
  return error instanceof PullError && error.reason === "not-running";
}
