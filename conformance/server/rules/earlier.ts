/**
 * Requests before a violation, which may be to blame for it.
 *
 * @module
 */

import type { Exchange } from "../../exchange.ts";
import { Violation } from "../../rule.ts";

/** How many requests before a violation to show. */
const MAX_SHOWN = 5;

/** Adds the requests before a violation to it. */
export async function withEarlier(
  earlier: readonly Exchange[],
  check: () => void | Promise<void>,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const { expected, seen, exchanges, because } = error;
    throw new Violation(expected, seen, [...earlier.slice(-MAX_SHOWN), ...exchanges], because);
  }
}
