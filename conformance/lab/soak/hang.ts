/**
 * Work that must end: what hangs fails, and says what it was doing.
 *
 * @module
 */

import { realClock } from "../../../mock/mod.ts";

/** How long something may take in real time before it counts as hanging. */
const HANG_MS = 60_000;

/**
 * Fails if something does not end.
 *
 * @param doing Says what it was doing.
 */
export async function orHang<Value>(
  work: Promise<Value>,
  doing: () => string,
  hangMs = HANG_MS,
): Promise<Value> {
  const over = new AbortController();
  const hang = realClock.sleep(hangMs, over.signal).then(() => {
    throw new Error(`It hangs: ${doing()}`);
  });
  hang.catch(() => {});
  try {
    return await Promise.race([work, hang]);
  } finally {
    over.abort();
  }
}

/** An error in words, with where it came from. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
