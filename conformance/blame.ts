/**
 * Finds out which rule is to blame for a violation: if something simpler, which has its own rule, fails too,
 * that rule is.
 *
 * @module
 */

import { OutOfTime, Violation } from "./rule.ts";

/**
 * Runs a check. If it finds a violation, and the simplest form of another rule is broken too, it blames that
 * rule.
 *
 * @param because The id of the other rule.
 * @param isBroken Tests whether the other rule is broken. Called only if there is a violation.
 * @param check The check.
 */
export async function blaming(
  because: string,
  isBroken: () => Promise<boolean> | boolean,
  check: () => Promise<void> | void,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    const isOwn = error instanceof Violation && error.because === undefined;
    if (!isOwn || error instanceof OutOfTime || !await isBroken()) throw error;
    throw new Violation(error.expected, error.seen, error.exchanges, because);
  }
}
