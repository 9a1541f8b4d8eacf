/**
 * Which failures are retried, and after how long: decisions without a state.
 *
 * @module
 */

import type { PullError } from "../errors.ts";
import { serverMessage } from "./http_error.ts";

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;

/**
 * What the server says when it will not pull the model, however often it is asked. It does so with
 * status 500 (observed). Of the registry's own answers, 408, 425 and 429 are likely to pass.
 */
const FINAL_REFUSALS: readonly RegExp[] = [
  /^model ['"].*['"] not found/,
  /^pull model manifest: (?:file does not exist|4(?!08|25|29)\d\d)/,
  /^insecure protocol http$/,
  /http: server gave HTTP response to HTTPS client$/,
];

/** Whether the same request may succeed later. */
export function isTransient({ code, status, body }: PullError): boolean {
  switch (code) {
    case "network":
    case "truncated":
    case "stalled":
      return true;
    case "http":
      return status !== undefined && status >= 500 && !isFinalRefusal(serverMessage(body));
    default:
      return false;
  }
}

function isFinalRefusal(message: string | undefined): boolean {
  return message !== undefined && FINAL_REFUSALS.some((refusal) => refusal.test(message));
}

/**
 * How long to wait before a retry, in milliseconds: twice as long after each failure in a row, and up
 * to half of that at random.
 *
 * @param failuresInARow How many failures there were before this one.
 * @param random A number from 0 to 1.
 */
export function retryDelayMs(failuresInARow: number, random: number): number {
  const longest = Math.min(FIRST_DELAY_MS * 2 ** failuresInARow, LONGEST_DELAY_MS);
  return longest * (1 - random / 2);
}
