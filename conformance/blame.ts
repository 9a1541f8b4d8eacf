/**
 * Finds out which rule is to blame for a violation: where something simpler, about which there is a rule
 * of its own, goes wrong as well, that rule is.
 *
 * @module
 */

import { OutOfTime, Violation } from "./rule.ts";

/**
 * Runs a check. If it finds a violation, it blames another rule if that is broken in its simplest form.
 *
 * @param because The id of the other rule.
 * @param isBroken Whether that one is broken. It is asked only if there is a violation.
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
