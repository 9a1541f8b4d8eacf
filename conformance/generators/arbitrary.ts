/**
 * The type of generated values.
 *
 * @module
 */

/**
 * A source of values for fast-check. Internal, so that fast-check's types are not documented here.
 *
 * @internal
 */
export type Arbitrary<Value> = import("fast-check").Arbitrary<Value>;
