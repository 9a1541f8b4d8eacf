/**
 * Helpers for tests of generators: whether a value is ever generated, and what values shrink to.
 *
 * @module
 */

import { AssertionError } from "@std/assert";
import fc from "fast-check";

/** Whether something occurs among many samples, which are the same in every run. */
export function occurs<Value>(
  values: fc.Arbitrary<Value>,
  happens: (value: Value) => boolean,
): boolean {
  return fc.sample(values, { numRuns: 500, seed: 7 }).some(happens);
}

/** The smallest value with some property, as fast-check shrinks to it. */
export function smallest<Value>(
  values: fc.Arbitrary<Value>,
  holds: (value: Value) => boolean,
): Value {
  const property = fc.property(values, (value) => !holds(value));
  const { counterexample } = fc.check(property, { numRuns: 1000, seed: 7 });
  if (!counterexample) throw new AssertionError("There is no such value");
  return counterexample[0];
}
